//! The access policy: Cedar texts read, checked against the schema and asked.
//!
//! One default policy and its schema are built in; a site adds files of its own. Every text is
//! validated strictly, so a rule that names something that does not exist is refused when it is
//! loaded and not ignored when it matters. A question says who asks, for what, about whom and in
//! which circumstances; the answer says which rules decided. The same question gets the same answer
//! from the same texts.
//!
//! What is absent: files, clocks, accounts and patients. Whoever asks brings what the rules speak
//! of, and keeps the answers if asking costs too much.

mod decide;
mod entities;
mod explain;
mod load;
mod question;

pub use decide::{Policies, Verdict};
pub use explain::{Change, Wanting};
pub use load::{PolicyError, Rule, Source};
pub use question::{Asker, Circumstances, Question, Subject, Target, Thing};

/// The default policy.
pub const DEFAULT: &str = include_str!("default.cedar");
/// The name that the default policy goes by, and that a site's file takes to replace it.
pub const DEFAULT_NAME: &str = "default.cedar";
/// What policies may speak of.
pub const SCHEMA: &str = include_str!("schema.cedarschema");
