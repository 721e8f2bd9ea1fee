//! Searches for `RiskAssessment`: what the store of predictions can answer.

use super::{COUNT_DEFAULT, COUNT_MAX, DateFilter, Token, dates, spoken};
use crate::outcome::{Issue, IssueCode};

/// Parameters of the type: name, FHIR type.
pub const PARAMETERS: &[(&str, &str)] = &[
    ("identifier", "token"),
    ("patient", "reference"),
    ("subject", "reference"),
    ("date", "date"),
    ("method", "token"),
    ("risk", "token"),
];

/// A search for predictions: all must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskSearch {
    /// Any of these logical ids, or identifiers.
    pub ids: Option<Vec<String>>,
    /// Any of these patients.
    pub patients: Option<Vec<String>>,
    /// Any of these models.
    pub methods: Vec<Token>,
    /// Any of these classes.
    pub risks: Vec<Token>,
    /// As of when: each parameter's alternatives.
    pub dates: Vec<Vec<DateFilter>>,
    /// Made when.
    pub updated: Vec<Vec<DateFilter>>,
    /// Oldest first.
    pub oldest_first: bool,
    /// Matches a page.
    pub count: usize,
    /// Only how many match.
    pub count_only: bool,
    /// Matches to leave out at the beginning.
    pub skip: u64,
}

impl RiskSearch {
    /// Reads search parameters.
    ///
    /// # Errors
    /// The issues, when one is not known or its value can't be understood.
    pub fn read(parameters: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        let mut search = Self {
            ids: None,
            patients: None,
            methods: Vec::new(),
            risks: Vec::new(),
            dates: Vec::new(),
            updated: Vec::new(),
            oldest_first: false,
            count: COUNT_DEFAULT,
            count_only: false,
            skip: 0,
        };
        let issues: Vec<Issue> = parameters
            .iter()
            .filter_map(|(name, value)| {
                let (code, detail) = search.one(name, value).err()?;
                Some(Issue::error(code, "", format!("{}: {detail}", spoken(name))))
            })
            .collect();
        if issues.is_empty() { Ok(search) } else { Err(issues) }
    }

    fn one(&mut self, name: &str, value: &str) -> Result<(), (IssueCode, &'static str)> {
        if value.is_empty() {
            return Err((IssueCode::Value, "it has no value."));
        }
        let values = || value.split(',').filter(|part| !part.is_empty());
        let tokens = || values().map(Token::parse).collect::<Vec<_>>();
        let number = (IssueCode::Value, "a whole number is expected.");
        match name {
            "_id" => both(&mut self.ids, values().map(str::to_owned)),
            "identifier" => {
                let ours = |token: &Token| token.matches(crate::risk_assessment::PREDICTION, &token.code);
                both(&mut self.ids, tokens().into_iter().filter(ours).map(|token| token.code));
            }
            "patient" | "subject" | "patient:Patient" | "subject:Patient" => {
                both(&mut self.patients, values().map(|v| v.rsplit('/').next().unwrap_or(v).to_owned()));
            }
            "method" => self.methods.extend(tokens()),
            "risk" => self.risks.extend(tokens()),
            "date" => self.dates.push(dates(values())?),
            "_lastUpdated" => self.updated.push(dates(values())?),
            "_sort" => {
                self.oldest_first = match value {
                    "date" => true,
                    "-date" => false,
                    _ => return Err((IssueCode::NotSupported, "date and -date are what can be sorted by.")),
                };
            }
            "_count" => {
                let count: usize = value.parse().map_err(|_| number)?;
                self.count_only |= count == 0;
                self.count = count.clamp(1, COUNT_MAX);
            }
            "_page" => self.skip = value.parse().map_err(|_| number)?,
            "_summary" if value == "count" => self.count_only = true,
            "_summary" if value == "false" => {}
            "_total" | "_format" | "_pretty" => {}
            _ => return Err((IssueCode::NotSupported, "the server does not support it.")),
        }
        Ok(())
    }
}

/// Both lists must hold: what is in each.
fn both(list: &mut Option<Vec<String>>, more: impl Iterator<Item = String>) {
    let more: Vec<String> = more.collect();
    *list = Some(match list.take() {
        Some(old) => old.into_iter().filter(|one| more.contains(one)).collect(),
        None => more,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::decode;

    #[test]
    fn what_is_asked_for_is_understood_or_refused() {
        let query = "patient=Patient/p-1,p-2&subject=p-1&method=urn:vitalwire:model%7Csepsis&date=ge2024&_count=5&_sort=date";
        let search = RiskSearch::read(&decode(query)).expect("understood");
        assert_eq!(search.patients, Some(vec!["p-1".to_owned()]));
        assert!(search.methods[0].matches("urn:vitalwire:model", "sepsis"));
        assert_eq!((search.count, search.oldest_first, search.dates.len()), (5, true, 1));
        let both = RiskSearch::read(&decode("_id=p1-0,p2-0&identifier=urn:vitalwire:prediction%7Cp2-0")).expect("understood");
        assert_eq!(both.ids, Some(vec!["p2-0".to_owned()]));
        for wrong in ["patient=", "date=soon", "_count=x", "_sort=risk", "colour=red"] {
            assert!(RiskSearch::read(&decode(wrong)).is_err(), "{wrong}");
        }
    }
}
