//! What `/metrics` tells beside what each part counts for itself: open alerts, viewers of the
//! live stream, what waits in quarantine, requests, and the process's own memory and age.

use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::state::Api;

/// Size of a page of memory, as on every machine that the program is built for.
const PAGE_BYTES: f64 = 4096.0;

/// The metrics page.
pub(crate) fn render(api: &Api) -> String {
    alerts(api);
    metrics::gauge!("vitalwire_live_viewers").set(api.broadcast.viewers() as f64);
    metrics::gauge!("vitalwire_waves_viewers").set(api.live.waves().viewers() as f64);
    metrics::gauge!("vitalwire_quarantine_waiting").set(api.live.quarantined() as f64);
    process();
    api.metrics.render()
}

fn alerts(api: &Api) {
    let mut open = [0_u64; 3];
    for patient in api.live.patients() {
        for episode in &patient.alerts {
            open[(episode.priority as usize).min(2)] += 1;
        }
    }
    for (priority, count) in ["low", "medium", "high"].into_iter().zip(open) {
        metrics::gauge!("vitalwire_alerts_open", "priority" => priority).set(count as f64);
    }
}

/// Names as Prometheus' own client libraries give them.
fn process() {
    let Ok(text) = std::fs::read_to_string("/proc/self/statm") else { return };
    let mut pages = text.split_ascii_whitespace().map(|field| field.parse::<f64>().unwrap_or(0.0));
    let (all, resident) = (pages.next(), pages.next());
    if let (Some(all), Some(resident)) = (all, resident) {
        metrics::gauge!("process_virtual_memory_bytes").set(all * PAGE_BYTES);
        metrics::gauge!("process_resident_memory_bytes").set(resident * PAGE_BYTES);
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        metrics::gauge!("process_open_fds").set(files.count() as f64);
    }
}

/// Counts a request by area and outcome.
pub(crate) async fn count(request: Request, next: Next) -> Response {
    let area = match request.uri().path() {
        path if path.starts_with("/fhir") => "fhir",
        path if path.starts_with("/api/") => "api",
        _ => "other",
    };
    let begun = Instant::now();
    let answer = next.run(request).await;
    let status = answer.status().as_u16();
    let outcome = match status {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    };
    metrics::counter!("vitalwire_http_requests_total", "area" => area, "status" => outcome)
        .increment(1);
    seconds(area, begun.elapsed());
    answer
}

fn seconds(area: &'static str, took: Duration) {
    metrics::histogram!("vitalwire_http_request_seconds", "area" => area).record(took.as_secs_f64());
}
