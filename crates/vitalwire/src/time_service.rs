//! Whether a time service keeps the machine's clock (IHE Consistent Time: an NTP client). Nothing is refused
//! because it does not: it is told in the log and in `/metrics`, for whoever reads a time afterwards.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(60);
/// How long the time service may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Set by systemd-timesyncd when it has set the clock.
const TIMESYNCD: &str = "/run/systemd/timesync/synchronized";
/// Where chrony and ntpd say that they run.
const CHRONY: [&str; 2] = ["/run/chrony/chronyd.pid", "/run/chronyd.pid"];
const NTPD: &str = "/run/ntpd.pid";

/// How the machine's clock is kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kept {
    /// By this service, with how far the clock is ahead in seconds, where that is told.
    By(&'static str, Option<f64>),
    /// This service runs, and has not found the time.
    NotYet(&'static str),
    /// No service was found here; the machine's host may keep it all the same.
    Unknown,
}

impl Kept {
    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::By(service, None) => format!("kept by {service}"),
            Self::By(service, Some(ahead)) => format!("kept by {service}, {ahead:+.6} s from its time"),
            Self::NotYet(service) => format!("{service} runs but has not found the time"),
            Self::Unknown => "no time service was found here: keep the clock by NTP".to_owned(),
        }
    }
}

/// How the clock is kept now.
pub(crate) async fn look() -> Kept {
    if Path::new(TIMESYNCD).exists() {
        return Kept::By("systemd-timesyncd", None);
    }
    if CHRONY.iter().any(|file| Path::new(file).exists()) {
        let asking = tokio::process::Command::new("chronyc")
            .args(["-c", "tracking"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .output();
        let said = tokio::time::timeout(PATIENCE, asking).await;
        let said = said.ok().and_then(Result::ok).map(|output| tracking(&String::from_utf8_lossy(&output.stdout)));
        return said.unwrap_or(Kept::By("chrony", None));
    }
    if Path::new(NTPD).exists() { Kept::By("ntpd", None) } else { Kept::Unknown }
}

/// What `chronyc -c tracking` says: fields between commas, the fifth how far the clock is behind in seconds,
/// the last how leap seconds stand, or that nothing is known.
fn tracking(text: &str) -> Kept {
    let fields: Vec<&str> = text.trim().split(',').collect();
    match fields.last() {
        Some(&"Normal" | &"Insert second" | &"Delete second") => {
            Kept::By("chrony", fields.get(4).and_then(|behind| behind.parse::<f64>().ok()).map(|behind| 0.0 - behind))
        }
        _ => Kept::NotYet("chrony"),
    }
}

/// Looks until the task is ended.
pub(crate) async fn run() {
    let mut before = None;
    loop {
        let kept = look().await;
        let known = |kept: Kept| std::mem::discriminant(&kept);
        if before.map(known) != Some(known(kept)) {
            match kept {
                Kept::By(..) => tracing::info!("the machine's clock is {}", kept.words()),
                _ => tracing::warn!("the machine's clock: {}", kept.words()),
            }
        }
        before = Some(kept);
        metrics::gauge!("vitalwire_clock_kept").set(if matches!(kept, Kept::By(..)) { 1.0 } else { 0.0 });
        if let Kept::By(_, Some(ahead)) = kept {
            metrics::gauge!("vitalwire_clock_service_offset_seconds").set(ahead);
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chrony_says() {
        let kept = "A9FEA97B,169.254.169.123,4,1700000000.123,-0.000012,0.000001,0.00001,1.5,0.0,0.01,0.0003,0.0001,16.1,Normal\n";
        assert_eq!(tracking(kept), Kept::By("chrony", Some(0.000012)));
        let not_yet = "00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised\n";
        assert_eq!(tracking(not_yet), Kept::NotYet("chrony"));
        assert_eq!(tracking(""), Kept::NotYet("chrony"));
        assert_eq!(Kept::By("chrony", Some(0.000012)).words(), "kept by chrony, +0.000012 s from its time");
    }
}
