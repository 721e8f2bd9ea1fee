//! Whom the provider's claims make of somebody here.

use guard::{ProviderPerson, Units};
use oauth::sign_on::{Claims, text, texts};

use super::SignOnSettings;

/// What the claims say, by what the site configured.
pub(crate) fn person(claims: &Claims, settings: &SignOnSettings) -> ProviderPerson {
    let subject = text(claims, "sub").unwrap_or_default();
    let groups = texts(claims, &settings.groups_claim).unwrap_or_default();
    let fitting = || settings.groups.iter().filter(|one| groups.contains(&one.group));
    let role = fitting().next().map(|one| one.role);
    // Of several groups of the same role the units come together; one without units is the house.
    let mut units: Option<Vec<String>> = Some(Vec::new());
    for one in fitting().filter(|one| Some(one.role) == role) {
        match (&mut units, one.units.is_empty()) {
            (Some(units), false) => units.extend(one.units.iter().cloned()),
            _ => units = None,
        }
    }
    ProviderPerson {
        subject: format!("{} {subject}", settings.issuer),
        name: text(claims, &settings.name_claim).unwrap_or_default().to_owned(),
        linked: settings.link_claim.as_deref().and_then(|name| linked(claims, name)),
        may_be_new: settings.new_people,
        role,
        units: units.map_or(Units::All, |units| units.into_iter().collect()),
        strong: strong(claims, &settings.second_factor),
    }
}

/// The account that a claim names. An e-mail address counts when the provider has verified it.
fn linked(claims: &Claims, name: &str) -> Option<String> {
    let verified = claims.get("email_verified").and_then(serde_json::Value::as_bool);
    if name == "email" && verified != Some(true) {
        return None;
    }
    text(claims, name).map(str::to_owned).filter(|name| !name.is_empty())
}

fn strong(claims: &Claims, counts: &[String]) -> bool {
    let shown = |name: &str| texts(claims, name).unwrap_or_default();
    [shown("amr"), shown("acr")].concat().iter().any(|value| counts.contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_on::Group;
    use serde_json::json;
    use vitals::Role;

    fn settings() -> SignOnSettings {
        let group = |group: &str, role, units: &[&str]| Group {
            group: group.to_owned(),
            role,
            units: units.iter().map(|unit| (*unit).to_owned()).collect(),
        };
        SignOnSettings {
            issuer: "https://id.example".to_owned(),
            client_id: "vitalwire".to_owned(),
            client_secret: None,
            scopes: Vec::new(),
            label: "Hospital".to_owned(),
            name_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            groups: vec![
                group("doctors", Role::Physician, &["ICU"]),
                group("nurses-4", Role::Nurse, &["4-West"]),
                group("nurses-5", Role::Nurse, &["5-West"]),
                group("nurses-all", Role::Nurse, &[]),
            ],
            second_factor: vec!["mfa".to_owned(), "urn:strong".to_owned()],
            new_people: false,
            link_claim: Some("email".to_owned()),
        }
    }

    #[test]
    fn groups_make_role_and_units_and_the_first_configured_decides() {
        for (groups, role, units) in [
            (json!(["nurses-4"]), Some(Role::Nurse), "4-West"),
            (json!(["nurses-5", "nurses-4", "others"]), Some(Role::Nurse), "4-West, 5-West"),
            (json!(["nurses-5", "nurses-all"]), Some(Role::Nurse), "the whole house"),
            (json!(["nurses-5", "doctors"]), Some(Role::Physician), "ICU"),
            (json!("doctors"), Some(Role::Physician), "ICU"),
        ] {
            let claims = json!({"sub": "7", "groups": groups});
            let found = person(claims.as_object().expect("an object"), &settings());
            assert_eq!((found.role, found.units.to_string().as_str()), (role, units), "{groups}");
            assert_eq!(found.subject, "https://id.example 7");
        }
        for groups in [json!([]), json!(["Doctors"]), json!(null), json!({"doctors": true})] {
            let claims = json!({"sub": "7", "groups": groups});
            assert_eq!(person(claims.as_object().expect("an object"), &settings()).role, None, "{groups}");
        }
    }

    #[test]
    fn factors_and_links_count_only_as_configured() {
        for (claims, strong, linked) in [
            (json!({"amr": ["pwd", "mfa"], "email": "a@b.example", "email_verified": true}), true, Some("a@b.example")),
            (json!({"acr": "urn:strong", "email": "a@b.example", "email_verified": false}), true, None),
            (json!({"amr": ["pwd"], "email": "a@b.example"}), false, None),
            (json!({"amr": "otp"}), false, None),
        ] {
            let found = person(claims.as_object().expect("an object"), &settings());
            assert_eq!((found.strong, found.linked.as_deref()), (strong, linked), "{claims}");
        }
    }
}
