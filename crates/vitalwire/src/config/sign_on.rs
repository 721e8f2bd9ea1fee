//! The site's identity provider, from what is configured.

use api::sign_on::{Group, SignOn, SignOnSettings};

use super::Oidc;
use crate::Misuse;

/// What a person is asked to click on is no essay.
const LABEL_MAX: usize = 60;

/// Whether what is said fits together.
fn check(oidc: &Oidc) -> Result<(), Misuse> {
    let wrong = |key: &str, why: &str| Err(Misuse(format!("oidc.{key}: {why}")));
    if !(1..=LABEL_MAX).contains(&oidc.label.chars().count()) || oidc.label.chars().any(char::is_control) {
        return wrong("label", "1 to 60 characters");
    }
    for (key, claim) in [("name_claim", &oidc.name_claim), ("groups_claim", &oidc.groups_claim)] {
        if claim.is_empty() {
            return wrong(key, "the name of a claim, such as groups");
        }
    }
    match (&oidc.issuer, &oidc.client_id) {
        (None, None) => Ok(()),
        (Some(_), None) => wrong("client_id", "issuer and client_id go together: who are we at the provider?"),
        (None, Some(_)) => wrong("issuer", "issuer and client_id go together: which provider?"),
        (Some(_), Some(_)) if oidc.groups.is_empty() => {
            wrong("groups", "say which group has which role: [{group = \"icu-nurses\", role = \"nurse\", units = [\"ICU\"]}]")
        }
        (Some(_), Some(_)) => Ok(()),
    }
}

/// The provider, if there is one.
///
/// # Errors
/// [`Misuse`] when something is missing, its secret or its authorities can't be read, or its address is not safe.
pub(crate) fn provider(oidc: &Oidc, usual: &outgoing::Client) -> Result<Option<SignOn>, Misuse> {
    check(oidc)?;
    let (Some(issuer), Some(client_id)) = (&oidc.issuer, &oidc.client_id) else { return Ok(None) };
    let client = match &oidc.ca_file {
        None => usual.clone(),
        Some(file) => outgoing::Client::new(Some(file))
            .map_err(|error| Misuse(format!("oidc.ca_file: {error}")))?,
    };
    let secret = oidc.client_secret_file.as_ref().map(|file| {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Misuse(format!("oidc.client_secret_file: cannot read {}: {error}", file.display())))?;
        match text.trim() {
            "" => Err(Misuse(format!("oidc.client_secret_file: {} is empty", file.display()))),
            secret => Ok(secret.to_owned()),
        }
    });
    let groups = oidc.groups.iter().map(|one| Group {
        group: one.group.clone(),
        role: one.role,
        units: one.units.clone(),
    });
    let settings = SignOnSettings {
        issuer: issuer.clone(),
        client_id: client_id.clone(),
        client_secret: secret.transpose()?,
        scopes: oidc.scopes.clone(),
        label: oidc.label.clone(),
        name_claim: oidc.name_claim.clone(),
        groups_claim: oidc.groups_claim.clone(),
        groups: groups.collect(),
        second_factor: oidc.second_factor.clone(),
        new_people: oidc.new_people,
        link_claim: oidc.link_claim.clone(),
    };
    SignOn::new(settings, client).map(Some).map_err(|why| Misuse(format!("oidc.issuer: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_the_provider_fits_together() {
        let groups = "groups = [{group = 'a', role = 'nurse'}]";
        for (text, key) in [
            ("", None),
            ("issuer = 'https://id.example'\nclient_id = 'v'\nGROUPS", None),
            ("issuer = 'https://id.example'\nGROUPS", Some("oidc.client_id")),
            ("client_id = 'v'\nGROUPS", Some("oidc.issuer")),
            ("issuer = 'https://id.example'\nclient_id = 'v'", Some("oidc.groups")),
            ("label = ''", Some("oidc.label")),
            ("groups_claim = ''", Some("oidc.groups_claim")),
        ] {
            let oidc: Oidc = toml::from_str(&text.replace("GROUPS", groups)).expect("well-formed");
            let wrong = check(&oidc).err().map(|error| error.to_string());
            match (&wrong, key) {
                (None, None) => {}
                (Some(error), Some(key)) => assert!(error.contains(key), "{error}"),
                _ => panic!("{text}: {wrong:?}"),
            }
        }
        let usual = outgoing::Client::plain().expect("a client");
        for (issuer, fine) in [("https://id.example", true), ("http://127.0.0.1:9", true), ("http://id.example", false)] {
            let text = format!("issuer = '{issuer}'\nclient_id = 'v'\n{groups}");
            let oidc: Oidc = toml::from_str(&text).expect("well-formed");
            assert_eq!(provider(&oidc, &usual).is_ok(), fine, "{issuer}");
        }
    }
}
