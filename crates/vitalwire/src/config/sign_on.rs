//! The site's identity provider, from what is configured.

use std::path::PathBuf;

use api::sign_on::{Group, SignOn, SignOnSettings};
use serde::Deserialize;
use vitals::Role;

use crate::Misuse;

/// What a person is asked to click on is no essay.
const LABEL_MAX: usize = 60;

/// `[oidc]`: signing on at the site's identity provider (OpenID Connect).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Oidc {
    /// The provider, exactly as it calls itself; without it nobody signs on elsewhere.
    pub(crate) issuer: Option<String>,
    pub(crate) client_id: Option<String>,
    /// File with our secret there; none: PKCE alone proves that it is us.
    pub(crate) client_secret_file: Option<PathBuf>,
    pub(crate) scopes: Vec<String>,
    /// "Sign in with …"
    pub(crate) label: String,
    pub(crate) name_claim: String,
    pub(crate) groups_claim: String,
    /// What the provider's groups are here; the first that fits decides on the role.
    pub(crate) groups: Vec<OidcGroup>,
    /// Values of `amr` or `acr` that count as a second factor.
    pub(crate) second_factor: Vec<String>,
    /// Make accounts for people who have none.
    pub(crate) new_people: bool,
    /// The claim that names accounts here and is trusted to.
    pub(crate) link_claim: Option<String>,
    /// Authorities (PEM) to trust for the provider in place of the others.
    pub(crate) ca_file: Option<PathBuf>,
}

/// One of `oidc.groups`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OidcGroup {
    pub(crate) group: String,
    #[serde(deserialize_with = "role")]
    pub(crate) role: Role,
    /// Left out: the whole house.
    #[serde(default)]
    pub(crate) units: Vec<String>,
}

/// A role by the name that people know it by.
fn role<'de, D: serde::Deserializer<'de>>(name: D) -> Result<Role, D::Error> {
    let known = || format!("not a role; roles are {}", Role::ALL.map(Role::name).join(", "));
    Role::from_name(&String::deserialize(name)?).ok_or_else(|| serde::de::Error::custom(known()))
}

impl Default for Oidc {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            issuer: None,
            client_id: None,
            client_secret_file: None,
            scopes: vec![text("openid"), text("profile")],
            label: text("single sign-on"),
            name_claim: text("preferred_username"),
            groups_claim: text("groups"),
            groups: Vec::new(),
            second_factor: Vec::new(),
            new_people: false,
            link_claim: None,
            ca_file: None,
        }
    }
}

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
