//! Which devices are supported: one row for each folder of `tests/sessions`, which holds what the
//! device said and what must come of it. The metrics of a row are those that come out of its
//! session, so that the catalogue can't promise more than a test has seen.
//!
//! The folders are part of the program. How a session is replayed is the business of this crate's
//! tests; what is not here: devices that are connected (see `fleet`).

mod markdown;
mod row;

pub use markdown::markdown;
pub use row::{Row, RowError};

use rust_embed::RustEmbed;

/// What a session's folder says of itself.
const ABOUT: &str = "session.toml";
/// What must come of it.
const EXPECTED: &str = "expected.txt";

#[derive(RustEmbed)]
#[folder = "../../tests/sessions"]
struct Sessions;

/// Every row, by group, then by title.
///
/// # Errors
/// Names the folder that is not as it should be, and why; the tests see to it that there is none.
pub fn rows() -> Result<Vec<Row>, RowError> {
    let mut rows = Vec::new();
    for file in Sessions::iter() {
        let Some(folder) = file.strip_suffix(ABOUT).and_then(|path| path.strip_suffix('/')) else { continue };
        let about = text(&file).unwrap_or_default();
        let expected = text(&format!("{folder}/{EXPECTED}")).unwrap_or_default();
        rows.push(Row::read(folder, &about, &expected)?);
    }
    rows.sort_by(|a, b| (a.group_order(), &a.group, &a.title).cmp(&(b.group_order(), &b.group, &b.title)));
    Ok(rows)
}

fn text(path: &str) -> Option<String> {
    let file = Sessions::get(path)?;
    String::from_utf8(file.data.into_owned()).ok()
}
