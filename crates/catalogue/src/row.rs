//! One row: what `session.toml` says, and the metrics that `expected.txt` names.

use serde::{Deserialize, Serialize};

/// Groups in the order in which people look for a device; others follow by name.
const GROUPS: [&str; 7] = [
    "Bedside and hospital systems",
    "Bluetooth",
    "Personal health devices (IEEE 11073-20601)",
    "Native: devices that can be programmed",
    "Profiles that are shipped",
    "Phones, clouds and homes",
    "Cellular and low-power networks",
];

/// A folder that can't be a row.
#[derive(Debug, thiserror::Error)]
#[error("tests/sessions/{folder}/session.toml: {cause}")]
pub struct RowError {
    folder: String,
    cause: Box<toml::de::Error>,
}

/// A model or class of devices that is supported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The folder below `tests/sessions`.
    pub session: String,
    /// What it is, for people.
    pub title: String,
    /// Under which heading.
    pub group: String,
    /// Models or classes that speak so.
    pub models: Vec<String>,
    /// Reference ids of the metrics that came out of the session, each once, in its order.
    pub metrics: Vec<String>,
    /// What else becomes of it, for people: alarms, patients' movements; may be empty.
    pub becomes: String,
    /// The profile that takes the messages, as provenance names it; empty without one.
    pub profile: String,
    /// The crates that read it.
    pub codecs: Vec<String>,
    /// What of the code the row proves beside profile and codecs.
    pub covers: Vec<String>,
    /// The page that describes the interface, below `docs`.
    pub page: String,
    /// Where the traffic came from.
    pub traffic: String,
    /// What keeps it from being used as it is; empty: nothing.
    pub limits: String,
    /// The topic of its messages, where they have one.
    pub topic: String,
    /// How the session is replayed: a kind that `crates/catalogue/tests` knows, or the test file
    /// elsewhere that replays it.
    pub replay: String,
}

/// `session.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    title: String,
    group: String,
    #[serde(default)]
    models: Vec<String>,
    #[serde(default)]
    becomes: String,
    #[serde(default)]
    profile: String,
    #[serde(default)]
    codecs: Vec<String>,
    #[serde(default)]
    covers: Vec<String>,
    page: String,
    traffic: String,
    #[serde(default)]
    limits: String,
    #[serde(default)]
    topic: String,
    replay: String,
}

impl Row {
    /// Reads a folder's two texts.
    ///
    /// # Errors
    /// When `session.toml` is not TOML, lacks a key or has one that is not known.
    pub fn read(folder: &str, about: &str, expected: &str) -> Result<Self, RowError> {
        let about: About = toml::from_str(about)
            .map_err(|cause| RowError { folder: folder.to_owned(), cause: Box::new(cause) })?;
        Ok(Self {
            session: folder.to_owned(),
            title: about.title,
            group: about.group,
            models: about.models,
            metrics: metrics(expected),
            becomes: about.becomes,
            profile: about.profile,
            codecs: about.codecs,
            covers: about.covers,
            page: about.page,
            traffic: about.traffic,
            limits: about.limits,
            topic: about.topic,
            replay: about.replay,
        })
    }

    pub(crate) fn group_order(&self) -> usize {
        GROUPS.iter().position(|group| *group == self.group).unwrap_or(GROUPS.len())
    }
}

/// The metrics of lines such as `oximeter-1 MDC_PULS_RATE = 72 /min at …`.
fn metrics(expected: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in expected.lines() {
        let mut words = line.split_whitespace().skip(1);
        let (Some(name), Some("=")) = (words.next(), words.next()) else { continue };
        if !found.iter().any(|known| known == name) {
            found.push(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: &str = "title = 'A'\ngroup = 'G'\npage = 'p.md'\ntraffic = 'constructed'\nreplay = 'mapping'\n";

    #[test]
    fn metrics_are_those_that_came_out() {
        let expected = "d1 MDC_PULS_RATE = 72 /min at T\nd1 MDC_TEMP_BODY = 37 Cel at T\nd1 MDC_PULS_RATE = 73 /min at T\n\
                        problem missing at $: MDC_X = 3 was not there\nalarm {\"MDC_Y\":\"= 1\"}\n";
        let row = Row::read("a", ABOUT, expected).expect("a row");
        assert_eq!(row.metrics, ["MDC_PULS_RATE", "MDC_TEMP_BODY"]);
    }

    #[test]
    fn an_unknown_key_is_told() {
        let error = Row::read("a", &format!("{ABOUT}topik = 'x'\n"), "").expect_err("a key that is not known");
        assert!(error.to_string().starts_with("tests/sessions/a/session.toml: "), "{error}");
        assert!(error.to_string().contains("topik"), "{error}");
    }
}
