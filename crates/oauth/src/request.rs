//! The request of an application to act for a person (RFC 6749 § 4.1.1, SMART App Launch 2.2
//! § 2.0.8), judged before anybody is asked.

use crate::form::Form;
use crate::scope::{Level, Scope, Scopes};
use crate::{Client, Code, OauthError, pkce};

/// Longest `state` and `nonce`, in bytes.
const STATE_MAX: usize = 1_024;

/// A request that may be put before the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Whose.
    pub client: String,
    /// Where the answer goes: one of the client's, exactly.
    pub redirect_uri: String,
    /// What it may be given: what it asked for, as far as it may have it.
    pub scopes: Scopes,
    /// Given back as it is.
    pub state: String,
    /// The handle of an EHR launch.
    pub launch: Option<String>,
    /// PKCE, S256.
    pub challenge: String,
    /// For the id token, as it is.
    pub nonce: Option<String>,
    /// `prompt`: the person has to be asked again.
    pub ask_again: bool,
    /// `prompt=none`: nobody may be asked.
    pub ask_nobody: bool,
}

/// Why a request is refused, and who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The person: the address to answer to is not one to be trusted (RFC 6749 § 4.1.2.1).
    Here(&'static str),
    /// The application.
    Back {
        /// At this address of its.
        redirect_uri: String,
        /// With its state.
        state: Option<String>,
        /// This.
        error: OauthError,
    },
}

/// Judges a request. `client` finds a registered application; `base` is the FHIR base, which `aud`
/// has to be: a request that was meant for another server gets no token for this one.
///
/// # Errors
/// [`Refusal`].
pub fn check(
    form: &Form,
    client: impl FnOnce(&str) -> Option<Client>,
    base: &str,
) -> Result<(Authorization, Client), Refusal> {
    let id = form.get("client_id").ok_or(Refusal::Here("the application does not say which it is"))?;
    let client = client(id).ok_or(Refusal::Here("this application is not registered here"))?;
    let redirect = form.get("redirect_uri");
    let redirect = redirect.filter(|uri| client.redirect_uris.iter().any(|own| own == uri));
    let wrong = "the application wants the answer at an address that is not registered for it";
    let redirect_uri = redirect.ok_or(Refusal::Here(wrong))?.to_owned();
    match judge(form, &client, &redirect_uri, base) {
        Ok(asked) => Ok((asked, client)),
        Err(error) => {
            let state = form.get("state").filter(|state| state.len() <= STATE_MAX).map(str::to_owned);
            Err(Refusal::Back { redirect_uri, state, error })
        }
    }
}

fn judge(form: &Form, client: &Client, redirect: &str, base: &str) -> Result<Authorization, OauthError> {
    if form.get("request").is_some() {
        return Err(OauthError::new(Code::RequestNotSupported, "request objects are not understood"));
    }
    if form.get("request_uri").is_some() {
        return Err(OauthError::new(Code::RequestUriNotSupported, "request objects are not understood"));
    }
    if form.need("response_type", "response_type is missing")? != "code" {
        return Err(OauthError::new(Code::UnsupportedResponseType, "response_type is code"));
    }
    if form.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OauthError::request("response_mode is query"));
    }
    if client.is_backend() {
        let detail = "this client has no people: it uses client_credentials";
        return Err(OauthError::new(Code::UnauthorizedClient, detail));
    }
    let state = form.need("state", "state is missing")?;
    let nonce = form.get("nonce");
    if state.len() > STATE_MAX || nonce.is_some_and(|nonce| nonce.len() > STATE_MAX) {
        return Err(OauthError::request("state or nonce is too long"));
    }
    let aud = form.need("aud", "aud is missing: the address of the FHIR server")?;
    if aud.strip_suffix('/').unwrap_or(aud) != base {
        return Err(OauthError::request("aud is another FHIR server"));
    }
    let challenge = form.need("code_challenge", "code_challenge is missing: PKCE by S256 is required")?;
    if form.get("code_challenge_method") != Some("S256") {
        return Err(OauthError::request("code_challenge_method is S256"));
    }
    if !pkce::is_challenge(challenge) {
        return Err(OauthError::request("code_challenge is no SHA-256 in base64url"));
    }
    let (ask_again, ask_nobody) = match form.get("prompt") {
        None => (false, false),
        Some("none") => (false, true),
        Some("consent" | "login" | "select_account" | "login consent" | "consent login") => (true, false),
        Some(_) => return Err(OauthError::request("prompt is none, login or consent")),
    };
    let asked = scopes(form, client)?;
    let launch = form.get("launch").map(str::to_owned);
    if launch.is_some() != asked.has(&Scope::Launch) {
        return Err(OauthError::request("launch goes with the scope launch, and that with it"));
    }
    Ok(Authorization {
        client: client.id.clone(),
        redirect_uri: redirect.to_owned(),
        scopes: asked,
        state: state.to_owned(),
        launch,
        challenge: challenge.to_owned(),
        nonce: nonce.map(str::to_owned),
        ask_again,
        ask_nobody,
    })
}

/// What of the scopes can be given at all.
fn scopes(form: &Form, client: &Client) -> Result<Scopes, OauthError> {
    let wrong = |detail| OauthError::new(Code::InvalidScope, detail);
    let text = form.get("scope").ok_or(wrong("scope is missing"))?;
    let asked = Scopes::parse(text).map_err(|_| wrong("too many scopes"))?;
    let of_people = asked.only(|scope| {
        !matches!(scope, Scope::Resource(scope) if scope.level == Level::System)
    });
    let given = of_people.within(&client.allowed());
    if given.is_empty() {
        return Err(wrong("none of these scopes is known here and allowed to this client"));
    }
    Ok(given)
}
