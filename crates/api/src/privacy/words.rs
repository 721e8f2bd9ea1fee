//! Consents and accesses in plain words, for people who know no codes.

use wire_fhir::consent::{Actor, Rule};

/// What a consent says, a sentence a rule.
pub(super) fn sentences(rule: &Rule) -> Vec<String> {
    let mut out = vec![sentence(rule, "")];
    exceptions(rule, &mut out);
    out
}

fn exceptions(rule: &Rule, out: &mut Vec<String>) {
    for exception in &rule.exceptions {
        out.push(sentence(exception, "Except: "));
        exceptions(exception, out);
    }
}

fn sentence(rule: &Rule, before: &str) -> String {
    let who = match (rule.actors.is_empty(), rule.permit) {
        (true, true) => "everybody who has to do with the patient".to_owned(),
        (true, false) => "nobody".to_owned(),
        (false, _) => list(rule.actors.iter().map(actor)),
    };
    let what = if rule.nothing {
        "data that is not kept here".to_owned()
    } else if rule.categories.is_empty() {
        if rule.permit { "everything" } else { "anything" }.to_owned()
    } else {
        list(rule.categories.iter().map(|name| category(name).to_owned()))
    };
    let may = if rule.permit || rule.actors.is_empty() { "may see" } else { "may not see" };
    let mut text = format!("{before}{who} {may} {what}");
    if !rule.purposes.is_empty() {
        text.push_str(&format!(", for {}", list(rule.purposes.iter().map(|code| purpose(code).to_owned()))));
    }
    for (at, word) in [(rule.period.0, "from"), (rule.period.1, "until")] {
        if let Some(at) = at {
            text.push_str(&format!(", {word} {}", day(at)));
        }
    }
    if rule.data != (None, None) {
        let (from, until) = rule.data;
        let from = from.map_or_else(|| "the beginning".to_owned(), day);
        let until = until.map_or_else(|| "now".to_owned(), day);
        text.push_str(&format!(", as far as it was measured between {from} and {until}"));
    }
    text.push('.');
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

fn actor(actor: &Actor) -> String {
    match actor {
        Actor::Account(name) => name.clone(),
        Actor::Role(role) => format!("everybody with the role {role}"),
        Actor::CareTeam => "the care team".to_owned(),
        Actor::Unit(unit) => format!("everybody of the unit {unit}"),
        Actor::Organisation => "everybody who works here".to_owned(),
    }
}

/// A kind of data.
pub(super) fn category(name: &str) -> &'static str {
    match name {
        "demographics" => "name, birth date and place",
        "vital-signs" => "vital signs",
        "waveforms" => "waveforms",
        "alerts" => "alerts",
        "device-data" => "devices",
        "documents" => "documents",
        _ => "other data",
    }
}

/// A purpose by its code.
pub(super) fn purpose(code: &str) -> &'static str {
    match code {
        "TREAT" => "treatment",
        "ETREAT" | "BTG" => "emergency",
        "HRESCH" => "research",
        "HOPERAT" => "operations",
        "FAMRQT" => "family",
        "PATRQT" => "the patient",
        "HPAYMT" => "payment",
        "PUBHLTH" => "public health",
        _ => "",
    }
}

fn day(micros: i64) -> String {
    wire_fhir::time::format(micros).chars().take(10).collect()
}

/// What somebody did, by the route and the deed that the audit log names.
pub(super) fn deed(action: &str, route: &str) -> &'static str {
    // Routes begin with the method in some records, and not in others.
    let path = route.rsplit(' ').next().unwrap_or(route);
    let by_path = [
        ("/waveforms/export", "Took waveforms out as a file"),
        ("/waveforms/live", "Watched live waveforms"),
        ("/waveforms", "Looked at waveforms"),
        ("/beats", "Looked at heart beats"),
        ("/trends", "Looked at trends"),
        ("/limits", "Changed alarm limits"),
        ("/own-normal", "Looked at or decided about what is usual for the patient"),
        ("/spo2-scale", "Changed how oxygen is scored"),
        ("/legal-holds", "Placed or ended a legal hold"),
        ("/holds", "Looked at or changed what is kept of the waveforms"),
        ("/consents", "Looked at or changed consents"),
        ("/care-team", "Looked at or changed the care team"),
        ("/accesses", "Looked at who saw the record"),
        ("/export", "Took the whole record out as a file"),
        ("/review", "Reviewed an emergency access"),
        ("/break-glass", "Opened the record in an emergency, or ended that"),
        ("/readings/", "Looked at one reading and where it came from"),
        ("/alerts/", "Looked at or acted on an alert"),
        ("/alerts", "Looked at alerts"),
        ("/ward", "Looked at the ward, with this patient on it"),
        ("/live", "Watched live values"),
        ("/association", "Put a device on, or took one off"),
        ("/research", "Saw data without a name, for research"),
        ("/me", "Looked at the own record"),
        ("/fhir", "Another program or app read or wrote the record"),
        ("/patients/{id}", "Opened the record"),
        ("/patients", "Found the patient in a list"),
    ];
    let found = by_path.iter().find(|(part, _)| path.contains(part)).map(|(_, words)| *words);
    found.unwrap_or(match action {
        "see-patients" | "read-fhir" => "Looked at the record",
        "erase-person" => "Erased the record, or proved that it is erased",
        "break-glass" => "Opened the record in an emergency",
        _ => "Did something with the record",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consents_read_as_sentences() {
        let waves = Rule {
            categories: vec!["waveforms".to_owned(), "alerts".to_owned()],
            actors: vec![Actor::Role("pharmacist".to_owned())],
            purposes: vec!["TREAT".to_owned()],
            ..Rule::default()
        };
        let rule = Rule { permit: true, exceptions: vec![waves], ..Rule::default() };
        assert_eq!(sentences(&rule)[1], "Except: everybody with the role pharmacist may not see waveforms and alerts, for treatment.");
        assert_eq!(sentences(&Rule::default()), ["Nobody may see anything."]);
        let timed = Rule { period: (Some(0), None), actors: vec![Actor::CareTeam], permit: true, ..Rule::default() };
        assert_eq!(sentences(&timed), ["The care team may see everything, from 1970-01-01."]);
    }

    #[test]
    fn deeds_are_told_apart_by_their_route() {
        for (route, words) in [
            ("GET /api/v1/patients/{id}/waveforms/export", "Took waveforms out as a file"),
            ("/api/v1/patients/{id}/trends", "Looked at trends"),
            ("/api/v1/patients/{id}", "Opened the record"),
            ("/api/v1/patients/{id}/export", "Took the whole record out as a file"),
            ("/fhir/{type}/{id}", "Another program or app read or wrote the record"),
            ("/api/v1/ward", "Looked at the ward, with this patient on it"),
        ] {
            assert_eq!(deed("see-patients", route), words, "{route}");
        }
    }
}
