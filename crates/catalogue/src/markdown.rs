//! The catalogue as the page `docs/devices.md`.

use std::fmt::Write as _;

use crate::Row;

const HEAD: &str = "# Devices

What is supported, each with the session that proves it. **This page is written by the program** (`vitalwire devices catalogue --markdown`)
from the folders of [`tests/sessions`](../tests/sessions); a test fails when it is out of date, when a session no longer comes out as
expected, and when a profile or codec has no session. The metrics are those that come out of the session: a device of the same kind may send
more. Another device that publishes JSON, CBOR, CSV or plain numbers needs a profile of its own: [connect a device in fifteen minutes](connect-a-device.md).

Traffic is *constructed* (written after the standard or the interface's page) unless it says otherwise; none of it is a real patient's.
";

/// The page.
#[must_use]
pub fn markdown(rows: &[Row]) -> String {
    let mut page = HEAD.to_owned();
    let mut group = "";
    for row in rows {
        if row.group != group {
            group = &row.group;
            let _ = write!(page, "\n## {group}\n\n{HEADER}");
        }
        let _ = writeln!(
            page,
            "| {} | {} | {} | [{}](../tests/sessions/{}) |",
            device(row),
            sends(row),
            read_by(row),
            row.session,
            row.session
        );
    }
    page
}

/// How many metrics of a row stand on the page; the session has all of them.
const METRICS_MAX: usize = 16;

const HEADER: &str = "| Device | What comes of it | Read by | Session |\n|---|---|---|---|\n";

fn device(row: &Row) -> String {
    let mut cell = format!("**{}**", row.title);
    if !row.models.is_empty() {
        let _ = write!(cell, "<br>{}", row.models.join("; "));
    }
    if !row.limits.is_empty() {
        let _ = write!(cell, "<br>*{}*", row.limits);
    }
    cell
}

fn sends(row: &Row) -> String {
    let named = if row.metrics.len() > METRICS_MAX + 1 { METRICS_MAX } else { row.metrics.len() };
    let mut parts: Vec<String> = row.metrics.iter().take(named).map(|metric| format!("`{metric}`")).collect();
    if named < row.metrics.len() {
        parts.push(format!("and {} more", row.metrics.len() - named));
    }
    if !row.becomes.is_empty() {
        parts.push(row.becomes.clone());
    }
    parts.join(", ")
}

fn read_by(row: &Row) -> String {
    let name = row.page.rsplit('/').next().unwrap_or(&row.page).trim_end_matches(".md");
    let mut parts: Vec<String> = Vec::new();
    if !row.profile.is_empty() {
        parts.push(format!("profile `{}`", row.profile));
    }
    parts.extend(row.codecs.iter().map(|codec| format!("`{codec}`")));
    let mut cell = format!("{}<br>[{name}]({})", parts.join(", "), row.page);
    if row.traffic != "constructed" {
        let _ = write!(cell, "<br>{}", row.traffic);
    }
    cell
}
