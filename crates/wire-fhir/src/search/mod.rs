//! Search parameters of R4, as far as the platform answers them. Parsing only: whoever holds the
//! data answers.

use crate::directory::Kind;
use crate::outcome::{Issue, IssueCode};
use crate::time;

mod criteria;
mod part;
mod query;
mod risk;

pub use criteria::{DateFilter, Prefix, Range, Text, TextModifier, Token};
pub use part::{Part, Summary};
pub use query::{decode, encode};
pub use risk::{PARAMETERS as RISK_PARAMETERS, RiskSearch};

/// Matches on a page unless `_count` asks for another number.
pub const COUNT_DEFAULT: usize = 50;
/// Matches on a page at most.
pub const COUNT_MAX: usize = 1_000;

/// What is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Stored readings.
    Observation,
    /// Records of the directory.
    Directory(Kind),
}

impl Subject {
    /// The resource type's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observation => "Observation",
            Self::Directory(kind) => kind.name(),
        }
    }

    /// The searchable type of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "Observation" {
            return Some(Self::Observation);
        }
        Kind::from_name(name).map(Self::Directory)
    }

    /// Search parameters of the type: name, FHIR type.
    #[must_use]
    pub const fn parameters(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Observation => &[
                ("identifier", "token"),
                ("patient", "reference"),
                ("subject", "reference"),
                ("device", "reference"),
                ("code", "token"),
                ("category", "token"),
                ("status", "token"),
                ("date", "date"),
                ("_profile", "uri"),
            ],
            Self::Directory(Kind::Patient) => &[
                ("identifier", "token"),
                ("name", "string"),
                ("family", "string"),
                ("given", "string"),
                ("gender", "token"),
                ("birthdate", "date"),
            ],
            Self::Directory(Kind::Device) => &[
                ("identifier", "token"),
                ("patient", "reference"),
                ("location", "reference"),
                ("parent", "reference"),
                ("device-name", "string"),
                ("type", "token"),
                ("manufacturer", "string"),
                ("model", "string"),
            ],
            Self::Directory(Kind::DeviceMetric) => &[
                ("identifier", "token"),
                ("source", "reference"),
                ("parent", "reference"),
                ("type", "token"),
                ("category", "token"),
            ],
            Self::Directory(Kind::Encounter) => &[
                ("identifier", "token"),
                ("patient", "reference"),
                ("subject", "reference"),
                ("location", "reference"),
                ("status", "token"),
                ("class", "token"),
                ("date", "date"),
            ],
            Self::Directory(Kind::Location) => {
                &[("identifier", "token"), ("name", "string"), ("type", "token")]
            }
        }
    }

    /// What `_include` can add.
    #[must_use]
    pub const fn includes(self) -> &'static [&'static str] {
        match self {
            Self::Observation => &["patient", "subject", "device"],
            Self::Directory(Kind::Device) => &["patient", "location", "parent"],
            Self::Directory(Kind::DeviceMetric) => &["source", "parent"],
            Self::Directory(Kind::Encounter) => &["patient", "subject", "location"],
            Self::Directory(Kind::Patient | Kind::Location) => &[],
        }
    }

    /// What `_revinclude` can add: the type that refers here, and its parameter.
    #[must_use]
    pub const fn revincludes(self) -> &'static [(Kind, &'static str)] {
        match self {
            Self::Directory(Kind::Patient) => {
                &[(Kind::Encounter, "patient"), (Kind::Encounter, "subject"), (Kind::Device, "patient")]
            }
            Self::Directory(Kind::Location) => {
                &[(Kind::Encounter, "location"), (Kind::Device, "location")]
            }
            Self::Directory(Kind::Device) => &[(Kind::DeviceMetric, "source"), (Kind::DeviceMetric, "parent")],
            Self::Observation | Self::Directory(Kind::DeviceMetric | Kind::Encounter) => &[],
        }
    }

    /// What `_sort` can sort by.
    #[must_use]
    pub const fn sorts(self) -> &'static [&'static str] {
        match self {
            Self::Observation => &["date", "_lastUpdated"],
            Self::Directory(Kind::Patient) => &["_lastUpdated", "_id", "family", "given", "birthdate"],
            Self::Directory(Kind::Encounter) => &["_lastUpdated", "_id", "date"],
            Self::Directory(Kind::DeviceMetric) => &["_lastUpdated", "_id"],
            Self::Directory(Kind::Device | Kind::Location) => &["_lastUpdated", "_id", "name"],
        }
    }
}

/// One criterion: any of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Criterion {
    /// `_id`
    Id(Vec<String>),
    /// A reference parameter: its name and the ids, or identifiers (`:identifier`), that it may be.
    Reference(&'static str, Vec<String>, Vec<Token>),
    /// A token parameter.
    Token(&'static str, Vec<Token>),
    /// A parameter that is an address, letter by letter.
    Uri(&'static str, Vec<String>),
    /// A string parameter.
    Text(&'static str, Vec<Text>),
    /// A date parameter.
    Date(&'static str, Vec<DateFilter>),
}

/// A parsed search.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// What is searched.
    pub subject: Subject,
    /// All must hold.
    pub criteria: Vec<Criterion>,
    /// Sort keys, most important first; true: descending.
    pub sort: Vec<(&'static str, bool)>,
    /// Matches a page.
    pub count: usize,
    /// Only the number of matches is wanted.
    pub count_only: bool,
    /// What to include beside the matches.
    pub include: Vec<&'static str>,
    /// What refers to the matches, to be included too.
    pub revinclude: Vec<(Kind, &'static str)>,
    /// Which part of each resource is wanted.
    pub part: Part,
    /// Cursor of the page, opaque to clients.
    pub page: Option<String>,
    /// The parameters that were understood, for the self link.
    pub used: Vec<(String, String)>,
    /// Parameters that were ignored.
    pub ignored: Vec<Issue>,
}

/// Reads search parameters. Unknown ones are ignored and reported, or with `strict` refused, as R4
/// § 3.1.1.1 has it.
///
/// # Errors
/// The issues, when a parameter's value or modifier can't be understood.
pub fn parse(
    subject: Subject,
    parameters: &[(String, String)],
    strict: bool,
) -> Result<Search, Vec<Issue>> {
    let mut search = Search {
        subject,
        criteria: Vec::new(),
        sort: Vec::new(),
        count: COUNT_DEFAULT,
        count_only: false,
        include: Vec::new(),
        revinclude: Vec::new(),
        part: Part::default(),
        page: None,
        used: Vec::new(),
        ignored: Vec::new(),
    };
    let mut issues = Vec::new();
    for (key, value) in parameters {
        match one(&mut search, key, value) {
            Ok(true) => search.used.push((key.clone(), value.clone())),
            Ok(false) => search.ignored.push(Issue::warning(
                IssueCode::NotSupported,
                "",
                format!("{} was ignored: the server does not support it.", spoken(key)),
            )),
            Err((code, detail)) => {
                issues.push(Issue::error(code, "", format!("{}: {detail}", spoken(key))));
            }
        }
    }
    if strict {
        issues.extend(search.ignored.drain(..).map(|issue| {
            Issue::error(IssueCode::NotSupported, "", issue.detail.replace("was ignored", "was refused"))
        }));
    }
    if issues.is_empty() { Ok(search) } else { Err(issues) }
}

/// A parameter's name as far as it may be repeated: it might hold anything.
fn spoken(key: &str) -> String {
    let plain = key.len() <= 64 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b));
    if plain { format!("Search parameter {key}") } else { "A search parameter".to_owned() }
}

type Failure = (IssueCode, &'static str);

/// Takes one parameter; false when it is not known.
fn one(search: &mut Search, key: &str, value: &str) -> Result<bool, Failure> {
    let (name, modifier) = match key.split_once(':') {
        Some((name, modifier)) => (name, Some(modifier)),
        None => (key, None),
    };
    if value.is_empty() {
        return Err((IssueCode::Value, "it has no value."));
    }
    let values = || value.split(',').filter(|part| !part.is_empty());
    let subject = search.subject;
    let plain = modifier.is_none();
    match name {
        "_id" if plain => search.criteria.push(Criterion::Id(values().map(str::to_owned).collect())),
        "_lastUpdated" if plain => {
            search.criteria.push(Criterion::Date("_lastUpdated", dates(values())?));
        }
        "_count" if plain => {
            let count: usize =
                value.parse().map_err(|_| (IssueCode::Value, "a whole number is expected."))?;
            // R4: _count=0 means _summary=count.
            search.count_only |= count == 0;
            search.count = count.clamp(1, COUNT_MAX);
        }
        "_summary" if plain => match value {
            "count" => search.count_only = true,
            _ => search.part.summary = Summary::read(value)?,
        },
        "_total" if plain && matches!(value, "none" | "estimate" | "accurate") => {}
        "_format" | "_pretty" if plain => {}
        "_page" if plain => search.page = Some(value.to_owned()),
        "_elements" if plain => search.part.elements.extend(values().map(str::to_owned)),
        "_sort" if plain => {
            for key in values() {
                let (key, descending) =
                    key.strip_prefix('-').map_or((key, false), |rest| (rest, true));
                let known = subject.sorts().iter().find(|sort| **sort == key);
                let Some(known) = known else { return Ok(false) };
                search.sort.push((known, descending));
            }
        }
        "_include" => return include(search, modifier, value),
        "_revinclude" => return revinclude(search, modifier, value),
        _ => {
            let found = subject.parameters().iter().find(|(known, _)| *known == name);
            let Some((name, ty)) = found else { return Ok(false) };
            search.criteria.push(criterion(name, ty, modifier, value)?);
        }
    }
    Ok(true)
}

fn include(search: &mut Search, modifier: Option<&str>, value: &str) -> Result<bool, Failure> {
    if modifier.is_some_and(|modifier| modifier != "iterate") {
        return Err((IssueCode::NotSupported, "this modifier is not supported."));
    }
    let mut parts = value.split(':');
    if parts.next() != Some(search.subject.name()) {
        return Ok(modifier == Some("iterate"));
    }
    let wanted = parts.next().unwrap_or("*");
    let known = search.subject.includes().iter().filter(|name| wanted == "*" || **name == wanted);
    let before = search.include.len();
    search.include.extend(known.copied());
    Ok(search.include.len() > before)
}

fn revinclude(search: &mut Search, modifier: Option<&str>, value: &str) -> Result<bool, Failure> {
    if modifier.is_some_and(|modifier| modifier != "iterate") {
        return Err((IssueCode::NotSupported, "this modifier is not supported."));
    }
    let mut parts = value.split(':');
    let kind = parts.next().and_then(Kind::from_name);
    let wanted = parts.next().unwrap_or("*");
    let known = search.subject.revincludes().iter();
    let found = known.filter(|(of, name)| Some(*of) == kind && (wanted == "*" || *name == wanted));
    let before = search.revinclude.len();
    search.revinclude.extend(found.copied());
    Ok(search.revinclude.len() > before)
}

fn criterion(
    name: &'static str,
    ty: &str,
    modifier: Option<&str>,
    value: &str,
) -> Result<Criterion, Failure> {
    let unsupported = Err((IssueCode::NotSupported, "this modifier is not supported."));
    let values = || value.split(',').filter(|part| !part.is_empty());
    Ok(match (ty, modifier) {
        ("reference", Some("identifier")) => {
            Criterion::Reference(name, Vec::new(), values().map(Token::parse).collect())
        }
        ("reference", _) => {
            // A type may stand before the id, as modifier or in the reference.
            if modifier.is_some_and(|m| !crate::is_resource_type(m)) {
                return unsupported;
            }
            let ids = values().map(|v| v.rsplit('/').next().unwrap_or(v).to_owned());
            Criterion::Reference(name, ids.collect(), Vec::new())
        }
        ("uri", None) => Criterion::Uri(name, values().map(str::to_owned).collect()),
        ("token", None) => Criterion::Token(name, values().map(Token::parse).collect()),
        ("date", None) => Criterion::Date(name, dates(values())?),
        ("string", _) => {
            let modifier = match modifier {
                None => TextModifier::Starts,
                Some("exact") => TextModifier::Exact,
                Some("contains") => TextModifier::Contains,
                Some(_) => return unsupported,
            };
            let texts = values().map(|text| Text { text: text.to_owned(), modifier });
            Criterion::Text(name, texts.collect())
        }
        _ => return unsupported,
    })
}

fn dates<'a>(values: impl Iterator<Item = &'a str>) -> Result<Vec<DateFilter>, Failure> {
    let filters = values.map(|value| {
        let prefix = match value.get(..2) {
            Some("eq") => Some(Prefix::Eq),
            Some("ne") => Some(Prefix::Ne),
            Some("gt") => Some(Prefix::Gt),
            Some("lt") => Some(Prefix::Lt),
            Some("ge") => Some(Prefix::Ge),
            Some("le") => Some(Prefix::Le),
            Some("sa") => Some(Prefix::Sa),
            Some("eb") => Some(Prefix::Eb),
            Some("ap") => Some(Prefix::Ap),
            _ => None,
        };
        let text = if prefix.is_some() { &value[2..] } else { value };
        // A + of an offset that nobody escaped arrives as a blank.
        let interval = time::interval(&text.replace(' ', "+"))?;
        let prefix = prefix.unwrap_or(Prefix::Eq);
        Some(DateFilter { prefix, start: interval.start, end: interval.end })
    });
    filters
        .collect::<Option<Vec<_>>>()
        .ok_or((IssueCode::Value, "a date such as 2024, 2024-02-29 or ge2024-02-29T10:00:00Z is expected."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(query: &str) -> Search {
        parse(Subject::Observation, &decode(query), false).expect("valid search")
    }

    #[test]
    fn parameters_become_criteria() {
        let found = search("patient=Patient/7&code=http://loinc.org%7C8867-4,150456&_count=5&_sort=-date&x=1");
        assert_eq!(found.count, 5);
        assert_eq!(found.sort, [("date", true)]);
        assert_eq!(found.criteria[0], Criterion::Reference("patient", vec!["7".into()], vec![]));
        let Criterion::Token("code", tokens) = &found.criteria[1] else { panic!("code") };
        let metrics: Vec<u32> = tokens.iter().flat_map(Token::metrics).map(|m| m.0).collect();
        assert_eq!(metrics, [147_842, 150_456]);
        assert_eq!(found.ignored.len(), 1);
        assert_eq!(found.used.len(), 4);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for query in ["date=yesterday", "code:above=1", "_count=x", "date=", "status:not=final", "date=é1"] {
            assert!(parse(Subject::Observation, &decode(query), false).is_err(), "{query}");
        }
        assert!(parse(Subject::Observation, &decode("x=1"), true).is_err());
    }

    #[test]
    fn date_prefixes() {
        let day = 86_400_000_000;
        for (query, inside, outside) in [
            ("2024-02-29", 0, day),
            ("ge2024-02-29", 0, -1),
            ("gt2024-02-29", day, day - 1),
            ("sa2024-02-29", day, 0),
            ("lt2024-02-29", -1, 0),
            ("eb2024-02-29", -1, 0),
            ("le2024-02-29", day - 1, day),
            ("ne2024-02-29", day, 0),
        ] {
            let found = search(&format!("date={query}"));
            let Criterion::Date(_, filters) = &found.criteria[0] else { panic!("date") };
            let base = time::interval("2024-02-29").expect("valid").start;
            let hit = |at: i64| filters[0].ranges(0).iter().any(|r| r.contains(&(base + at)));
            assert!(hit(inside) && !hit(outside), "{query}");
            assert!(filters[0].matches(base + inside, base + inside + 1, 0), "{query}");
            assert!(!filters[0].matches(base + outside, base + outside + 1, 0), "{query}");
        }
    }
}
