//! `/readyz`: whether messages can be taken, kept and judged now. Says what is wrong in words; asks
//! for no account, so it names neither files nor patients.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use journal::Trouble;

use crate::state::Api;

/// This many entries not judged yet are too many.
const BEHIND_MAX: u64 = 1_000_000;

/// `GET /readyz`
pub(crate) async fn ready(State(api): State<Api>) -> Response {
    let behind = api.appender.next_offset().saturating_sub(api.live.progress().judged());
    let reasons = reasons(api.appender.stats().trouble, api.live.progress().store_refuses(), behind);
    if reasons.is_empty() {
        let notices = api.live.notices().into_iter().map(|notice| format!("notice: {notice}\n"));
        return format!("ready\n{}", notices.collect::<String>()).into_response();
    }
    let text = format!("not ready: {}\n", reasons.join("; "));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

fn reasons(journal: Option<Trouble>, store_refuses: bool, behind: u64) -> Vec<String> {
    let mut reasons = Vec::new();
    match journal {
        Some(Trouble::DiskFull) => reasons.push(
            "the disk of the data folder is full: nothing is acknowledged until space is freed".to_owned(),
        ),
        Some(Trouble::Refused) => reasons.push(
            "the journal can't be written: nothing is acknowledged; the log says why".to_owned(),
        ),
        None => {}
    }
    if store_refuses {
        reasons.push(
            "the store can't be written: what is acknowledged waits in the journal; the log says why"
                .to_owned(),
        );
    }
    if behind > BEHIND_MAX {
        reasons.push(format!("{behind} entries are committed but not judged yet"));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_is_named() {
        for (journal, store, behind, expected) in [
            (None, false, 0, &[][..]),
            (Some(Trouble::DiskFull), false, 0, &["disk of the data folder is full"]),
            (Some(Trouble::Refused), true, 0, &["journal can't", "store can't"]),
            (None, false, BEHIND_MAX + 1, &["1000001 entries"]),
        ] {
            let found = reasons(journal, store, behind);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (reason, part) in found.iter().zip(expected) {
                assert!(reason.contains(part), "{reason}");
            }
        }
    }
}
