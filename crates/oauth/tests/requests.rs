//! Requests of applications: each thing that can be wrong with one, and what is answered.

use oauth::form::Form;
use oauth::{Authentication, Client, ClientError, Code, Credentials, Proof, Refusal, TokenRequest, check};

const BASE: &str = "https://ehr.example/fhir";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn client() -> Client {
    Client {
        id: "growth".to_owned(),
        name: "Growth chart".to_owned(),
        authentication: Authentication::Public,
        redirect_uris: vec!["https://app.example/cb".to_owned(), "com.example.app:/cb".to_owned()],
        launch_url: None,
        jwks: None,
        jwks_uri: None,
        scopes: "launch launch/patient openid fhirUser offline_access patient/*.rs user/*.rs".to_owned(),
        trusted: false,
        account: None,
        origins: vec!["https://pages.example".to_owned()],
    }
}

fn backend() -> Client {
    Client {
        redirect_uris: Vec::new(),
        origins: Vec::new(),
        authentication: Authentication::Key,
        jwks_uri: Some("https://app.example/jwks".to_owned()),
        scopes: "system/*.rs".to_owned(),
        account: Some("export".to_owned()),
        ..client()
    }
}

/// A right request with some parameters changed; an empty value takes one away.
fn asked(changes: &[(&str, &str)]) -> String {
    let mut all = vec![
        ("response_type", "code"),
        ("client_id", "growth"),
        ("redirect_uri", "https://app.example/cb"),
        ("scope", "launch/patient patient/Observation.rs openid"),
        ("state", "s-1"),
        ("aud", BASE),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        all.retain(|(known, _)| known != name);
        all.push((name, value));
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish()
}

#[test]
fn a_right_request_is_understood() {
    for (changes, scopes) in [
        (&[][..], "launch/patient patient/Observation.rs openid"),
        (&[("aud", "https://ehr.example/fhir/")], "launch/patient patient/Observation.rs openid"),
        (&[("scope", "launch user/Patient.cruds email system/*.rs"), ("launch", "h")], "launch user/Patient.rs"),
        (&[("redirect_uri", "com.example.app:/cb")], "launch/patient patient/Observation.rs openid"),
    ] {
        let form = Form::read(asked(changes).as_bytes()).expect("a form");
        let (request, _) = check(&form, |id| (id == "growth").then(client), BASE).expect("fine");
        assert_eq!(request.scopes.to_string(), scopes);
    }
}

#[test]
fn what_is_wrong_is_said_to_whom_it_may_be_said() {
    use Code::{InvalidRequest, InvalidScope, RequestNotSupported, UnsupportedResponseType};
    // None: to the person, for the address can't be trusted.
    for (change, expected) in [
        (("client_id", ""), None),
        (("client_id", "other"), None),
        (("redirect_uri", ""), None),
        (("redirect_uri", "https://app.example/cb/"), None),
        (("redirect_uri", "https://app.example/cb?x=1"), None),
        (("redirect_uri", "https://APP.example/cb"), None),
        (("redirect_uri", "https://evil.example/cb"), None),
        (("response_type", "token"), Some(UnsupportedResponseType)),
        (("response_type", ""), Some(InvalidRequest)),
        (("response_mode", "fragment"), Some(InvalidRequest)),
        (("request", "ey"), Some(RequestNotSupported)),
        (("request_uri", "urn:x"), Some(Code::RequestUriNotSupported)),
        (("state", ""), Some(InvalidRequest)),
        (("aud", ""), Some(InvalidRequest)),
        (("aud", "https://evil.example/fhir"), Some(InvalidRequest)),
        (("aud", "https://ehr.example/fhir/x"), Some(InvalidRequest)),
        (("code_challenge", ""), Some(InvalidRequest)),
        (("code_challenge", "too-short"), Some(InvalidRequest)),
        (("code_challenge_method", "plain"), Some(InvalidRequest)),
        (("code_challenge_method", ""), Some(InvalidRequest)),
        (("scope", ""), Some(InvalidScope)),
        (("scope", "email system/*.rs"), Some(InvalidScope)),
        (("launch", "h"), Some(InvalidRequest)),
        (("scope", "launch"), Some(InvalidRequest)),
        (("prompt", "sometimes"), Some(InvalidRequest)),
    ] {
        let form = Form::read(asked(&[change]).as_bytes()).expect("a form");
        let refusal = check(&form, |id| (id == "growth").then(client), BASE).expect_err("wrong");
        match (refusal, expected) {
            (Refusal::Here(_), None) => {}
            (Refusal::Back { redirect_uri, state, error }, Some(code)) => {
                assert_eq!(error.code, code, "{change:?}");
                assert_eq!(redirect_uri, "https://app.example/cb");
                assert_eq!(state.as_deref(), (change.0 != "state").then_some("s-1"));
            }
            (refusal, expected) => panic!("{change:?}: {refusal:?}, not {expected:?}"),
        }
    }
    let form = Form::read(asked(&[]).as_bytes()).expect("a form");
    let with_redirect = Client { redirect_uris: client().redirect_uris, ..backend() };
    let refusal = check(&form, |_| Some(with_redirect), BASE).expect_err("no people");
    let Refusal::Back { error, .. } = refusal else { panic!("to the application") };
    assert_eq!(error.code, Code::UnauthorizedClient);
}

#[test]
fn clients_show_one_proof() {
    let basic = |text: &str| {
        use base64::Engine;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let secret = |s: &str| Proof::Secret(s.to_owned());
    let (right, escaped) = (basic("growth:s3"), basic("gro%77th:a%3Ab+c"));
    for (header, form, expected) in [
        (None, "client_id=growth", Ok(("growth", Proof::Nothing))),
        (Some(right.as_str()), "", Ok(("growth", secret("s3")))),
        (Some(right.as_str()), "client_id=growth", Ok(("growth", secret("s3")))),
        (Some(escaped.as_str()), "", Ok(("growth", secret("a:b c")))),
        (Some(right.as_str()), "client_id=other", Err(Code::InvalidRequest)),
        (Some("Bearer x"), "client_id=growth", Err(Code::InvalidClient)),
        (Some("Basic !"), "", Err(Code::InvalidClient)),
        (None, "", Err(Code::InvalidClient)),
        (None, "client_id=growth&client_secret=s3", Err(Code::InvalidClient)),
        (None, "client_assertion=a.b.c", Err(Code::InvalidRequest)),
        (Some(right.as_str()), "client_assertion=a.b.c", Err(Code::InvalidRequest)),
    ] {
        let form = Form::read(form.as_bytes()).expect("a form");
        let found = Credentials::read(header, &form).map(|c| (c.client, c.proof)).map_err(|e| e.code);
        assert_eq!(found, expected.map(|(id, proof)| (id.to_owned(), proof)), "{header:?} {form:?}");
    }
    assert!(!format!("{:?}", secret("s3")).contains("s3"), "secrets are not shown");
}

#[test]
fn tokens_are_asked_for_in_three_ways() {
    let code = format!("grant_type=authorization_code&code=c&redirect_uri=r&code_verifier={VERIFIER}");
    for (client, form, expected) in [
        (client(), code.as_str(), Ok("Code")),
        (client(), "grant_type=authorization_code&code=c&redirect_uri=r", Err(Code::InvalidRequest)),
        (client(), "grant_type=authorization_code&code=c&redirect_uri=r&code_verifier=short", Err(Code::InvalidRequest)),
        (client(), "grant_type=refresh_token&refresh_token=t", Ok("Refresh")),
        (client(), "grant_type=refresh_token", Err(Code::InvalidRequest)),
        (client(), "grant_type=client_credentials&scope=system/*.rs", Err(Code::UnauthorizedClient)),
        (client(), "grant_type=password&username=a&password=b", Err(Code::UnsupportedGrantType)),
        (client(), "", Err(Code::InvalidRequest)),
        (backend(), "grant_type=client_credentials&scope=system/Patient.rs+user/*.rs", Ok("Service")),
        (backend(), "grant_type=client_credentials&scope=user/*.rs", Err(Code::InvalidScope)),
        (backend(), "grant_type=client_credentials&scope=system/Patient.d", Err(Code::InvalidScope)),
        (backend(), "grant_type=client_credentials", Err(Code::InvalidScope)),
        (backend(), code.as_str(), Err(Code::UnauthorizedClient)),
    ] {
        let read = TokenRequest::read(&Form::read(form.as_bytes()).expect("a form"), &client);
        let found = read.map(|request| format!("{request:?}")).map_err(|error| error.code);
        assert_eq!(found, expected.map(str::to_owned), "{form}");
    }
}

#[test]
fn clients_are_checked_before_they_are_registered() {
    type Change = fn(&mut Client);
    let tests: [(Client, Change, Result<(), ClientError>); 15] = [
        (client(), |_| {}, Ok(())),
        (backend(), |_| {}, Ok(())),
        (client(), |c| c.id = "a b".to_owned(), Err(ClientError::Id)),
        (client(), |c| c.name = "Gr\u{202e}owth".to_owned(), Err(ClientError::Name)),
        (client(), |c| c.name = " ".to_owned(), Err(ClientError::Name)),
        (client(), |c| c.redirect_uris.push("http://app.example/".to_owned()), Err(ClientError::Address)),
        (client(), |c| c.origins.push("https://a.example/".to_owned()), Err(ClientError::Address)),
        (client(), |c| c.launch_url = Some("com.example.app:/x".to_owned()), Err(ClientError::Address)),
        (client(), |c| c.scopes = "patient/x".to_owned(), Err(ClientError::Scope(oauth::ScopeError::Actions))),
        (client(), |c| c.scopes = "system/*.rs".to_owned(), Err(ClientError::Backend)),
        (client(), |c| c.redirect_uris.clear(), Err(ClientError::Backend)),
        (client(), |c| c.authentication = Authentication::Key, Err(ClientError::NoKey)),
        (backend(), |c| c.scopes = "user/*.rs".to_owned(), Err(ClientError::Backend)),
        (backend(), |c| c.jwks_uri = None, Err(ClientError::NoKey)),
        (backend(), |c| c.jwks_uri = Some("http://localhost/jwks".to_owned()), Err(ClientError::Address)),
    ];
    for (mut client, change, expected) in tests {
        change(&mut client);
        assert_eq!(client.check(), expected, "{client:?}");
    }
    assert!(client().calls_from("https://app.example") && client().calls_from("https://pages.example"));
    assert!(!client().calls_from("https://evil.example") && !client().calls_from("null"));
}
