//! From what a form or a FHIR `Consent` says to rules that can be asked, and back into sentences.

use guard::{Category, Provision, Purpose, Recipient, Span};
use vitals::Role;
use wire_fhir::consent::{Actor, Rule};

use super::shapes::{ConsentForm, RecipientForm};
use crate::error::ApiError;
use crate::state::Api;

/// Categories by their names.
///
/// # Errors
/// [`ApiError::BadRequest`] for a name that is none.
pub(super) fn categories(names: &[String]) -> Result<Vec<Category>, ApiError> {
    let one = |name: &String| Category::from_name(name).ok_or_else(|| ApiError::bad(UNKNOWN_CATEGORY));
    names.iter().map(one).collect()
}

const UNKNOWN_CATEGORY: &str =
    "categories: demographics, vital-signs, waveforms, alerts, device-data, documents";

/// The rule of a form, as FHIR says it.
///
/// # Errors
/// [`ApiError::BadRequest`] for names that are none.
pub(super) fn rule(form: &ConsentForm) -> Result<Rule, ApiError> {
    categories(&form.categories)?;
    let actors = form.recipients.iter().map(actor).collect::<Result<Vec<_>, _>>()?;
    if form.purposes.iter().any(|code| Purpose::from_code(code).is_none()) {
        return Err(ApiError::bad("purposes: codes such as TREAT, HRESCH, HOPERAT, FAMRQT"));
    }
    let micros = |ms: Option<i64>| ms.map(|ms| ms.saturating_mul(1_000));
    let period = (micros(form.from_ms), micros(form.until_ms));
    if period.0.zip(period.1).is_some_and(|(from, until)| from >= until) {
        return Err(ApiError::bad("from_ms must lie before until_ms"));
    }
    let mut rule = Rule {
        permit: form.permit,
        period,
        categories: form.categories.clone(),
        actors,
        purposes: form.purposes.clone(),
        ..Rule::default()
    };
    if !form.permit && form.in_emergency {
        let etreat = vec![Purpose::Etreat.code().to_owned()];
        rule.exceptions.push(Rule { permit: true, purposes: etreat, ..Rule::default() });
    }
    Ok(rule)
}

fn actor(form: &RecipientForm) -> Result<Actor, ApiError> {
    let named = !form.name.trim().is_empty() && form.name.chars().count() <= 100;
    match form.kind.as_str() {
        "care-team" => Ok(Actor::CareTeam),
        "organisation" => Ok(Actor::Organisation),
        "role" if Role::from_name(&form.name).is_some() => Ok(Actor::Role(form.name.clone())),
        "account" if named => Ok(Actor::Account(form.name.clone())),
        "unit" if named => Ok(Actor::Unit(form.name.clone())),
        _ => Err(ApiError::bad("recipients: kind account, role, care-team, unit or organisation, with a name")),
    }
}

/// Why a rule cannot be enforced: where, and what is wrong.
pub(super) type Wrong = (String, String);

/// The rule as it is asked.
///
/// # Errors
/// Names that nobody here has.
pub(super) fn provision(api: &Api, rule: &Rule, path: &str) -> Result<Provision, Wrong> {
    let wrong = |part: &str, detail: &str| (format!("{path}.{part}"), detail.to_owned());
    let categories = rule.categories.iter().map(|name| Category::from_name(name)).collect::<Option<Vec<_>>>();
    let categories = categories.ok_or_else(|| wrong("class", UNKNOWN_CATEGORY))?;
    let purposes = rule.purposes.iter().map(|code| Purpose::from_code(code)).collect::<Option<Vec<_>>>();
    let purposes = purposes.ok_or_else(|| wrong("purpose", "this purpose is not told apart here"))?;
    let mut recipients = Vec::new();
    for (index, actor) in rule.actors.iter().enumerate() {
        let at = format!("actor[{index}]");
        recipients.push(match actor {
            Actor::CareTeam => Recipient::CareTeam,
            Actor::Organisation => Recipient::Organisation,
            Actor::Unit(unit) => Recipient::Unit(unit.clone()),
            Actor::Role(role) => match Role::from_name(role) {
                Some(role) => Recipient::Role(role.name().to_owned()),
                None => return Err(wrong(&at, "no role has this name")),
            },
            Actor::Account(name) => Recipient::Account(account_named(api, name).ok_or_else(|| {
                wrong(&at, "no account has this name: a rule about nobody would not be enforced")
            })?),
        });
    }
    let exceptions = rule.exceptions.iter().enumerate();
    let exceptions = exceptions
        .map(|(index, exception)| provision(api, exception, &format!("{path}.provision[{index}]")))
        .collect::<Result<_, _>>()?;
    let span = |(from_us, until_us): (Option<i64>, Option<i64>)| Span { from_us, until_us };
    // What is about data that the platform does not have is never in force.
    let period = if rule.nothing { (None, Some(i64::MIN)) } else { rule.period };
    Ok(Provision {
        permit: rule.permit,
        period: span(period),
        data: span(rule.data),
        categories,
        recipients,
        purposes,
        exceptions,
    })
}

/// How an account's name is written, if there is such an account.
pub(super) fn account_named(api: &Api, name: &str) -> Option<String> {
    let written = api.guard.audit_name(name);
    written.eq_ignore_ascii_case(name).then_some(written)
}
