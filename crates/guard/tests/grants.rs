//! Applications that act for people: codes and refresh tokens are taken once, and everything ends
//! with whom it belongs to.

use guard::{Account, Context, Giving, GrantError, Guard, Kind, Redeem, Tokens};
use oauth::{Authentication, Authorization, Client, Credentials, Proof, Scopes, pkce};
use vitals::time::{HOUR, MINUTE, SECOND};
use vitals::{PatientId, ReceiveTime, Role};

const NOW: ReceiveTime = ReceiveTime(1_800_000_000_000_000);
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT: &str = "https://app.example/cb";

fn after(us: i64) -> ReceiveTime {
    ReceiveTime(NOW.0 + us)
}

fn client(id: &str, scopes: &str) -> Client {
    Client {
        id: id.to_owned(),
        name: format!("The {id}"),
        authentication: Authentication::Public,
        redirect_uris: vec![REDIRECT.to_owned()],
        launch_url: None,
        jwks: None,
        jwks_uri: None,
        scopes: scopes.to_owned(),
        trusted: false,
        account: None,
        origins: Vec::new(),
    }
}

struct House {
    guard: Guard,
    nurse: Account,
    session: String,
    _folder: tempfile::TempDir,
}

const SCOPES: &str = "launch openid offline_access online_access patient/*.rs user/Patient.rs";

fn house() -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = Guard::open(folder.path()).expect("a guard");
    let nurse = guard.add_user("nora", Role::Nurse, "correct horse battery 9").expect("a nurse");
    guard.add_client(client("app", SCOPES), NOW).expect("an application");
    guard.add_client(client("other", SCOPES), NOW).expect("another");
    let (_, session) = guard.login("nora", "correct horse battery 9", NOW).expect("a session");
    House { guard, nurse, session, _folder: folder }
}

impl House {
    fn app(&self) -> Client {
        self.guard.client("app").expect("readable").expect("registered")
    }

    /// A code for scopes, given by the nurse.
    fn code(&self, scopes: &str, now: ReceiveTime) -> String {
        let scopes = Scopes::parse_all(scopes).expect("scopes");
        let asked = Authorization {
            client: "app".to_owned(),
            redirect_uri: REDIRECT.to_owned(),
            scopes: scopes.clone(),
            state: "s".to_owned(),
            launch: None,
            challenge: pkce::challenge(VERIFIER),
            nonce: Some("n".to_owned()),
            ask_again: false,
            ask_nobody: false,
        };
        let session = self.guard.session_on(&self.session, None, NOW).expect("a session").id;
        let context = Context { patient: PatientId::new("p-1").ok(), encounter: None };
        let giving = Giving {
            account: &self.nurse, session: &session, strong: false, asked: &asked, scopes: &scopes, context,
        };
        self.guard.give(&giving, now).expect("a code")
    }

    fn redeem(&self, code: &str, now: ReceiveTime) -> Result<Tokens, GrantError> {
        self.redeem_with(&self.app(), code, REDIRECT, VERIFIER, now)
    }

    fn redeem_with(&self, client: &Client, code: &str, redirect_uri: &str, verifier: &str, now: ReceiveTime) -> Result<Tokens, GrantError> {
        self.guard.redeem_code(client, &Redeem { code, redirect_uri, verifier }, now)
    }

    fn works(&self, token: &str, now: ReceiveTime) -> bool {
        self.guard.access_token(token, now).is_some()
    }
}

#[test]
fn a_code_gives_tokens_of_what_was_given() {
    let house = house();
    let tokens = house.redeem(&house.code("patient/*.rs offline_access", NOW), after(SECOND)).expect("tokens");
    assert_eq!((tokens.expires_in, tokens.nonce.as_deref()), (900, Some("n")));
    let (account, grant) = house.guard.access_token(&tokens.access, after(SECOND)).expect("valid");
    assert_eq!((account.name.as_str(), account.role), ("nora", Role::Nurse));
    assert_eq!(grant.scopes.to_string(), "patient/*.rs offline_access");
    assert_eq!(grant.patient.as_ref().map(PatientId::as_str), Some("p-1"));
    assert!(house.works(&tokens.access, after(15 * MINUTE)) && !house.works(&tokens.access, after(16 * MINUTE)));
    assert!(!house.works(tokens.refresh.as_deref().expect("a refresh token"), NOW), "opens nothing itself");
    let none = house.redeem(&house.code("patient/*.rs", NOW), NOW).expect("tokens");
    assert_eq!(none.refresh, None, "nobody asked to go on");
}

#[test]
fn codes_are_good_once_and_for_whom_they_were_made() {
    let house = house();
    let code = house.code("patient/*.rs", NOW);
    let other = house.guard.client("other").expect("readable").expect("registered");
    assert!(house.redeem_with(&other, &code, REDIRECT, VERIFIER, NOW).is_err(), "another's");
    assert!(house.redeem_with(&house.app(), &code, "https://app.example/cb2", VERIFIER, NOW).is_err());
    assert!(house.redeem(&code, after(61 * SECOND)).is_err(), "too old");
    let tokens = house.redeem(&code, NOW).expect("right");
    assert!(house.works(&tokens.access, NOW));
    assert!(house.redeem(&code, NOW).is_err(), "a second time");
    assert!(!house.works(&tokens.access, NOW), "and what came of it ended");
    let code = house.code("patient/*.rs", NOW);
    assert!(house.redeem_with(&house.app(), &code, REDIRECT, &"x".repeat(43), NOW).is_err());
    assert!(house.redeem(&code, NOW).is_err(), "burnt by a wrong verifier");
}

#[test]
fn refresh_tokens_rotate_and_reuse_ends_all() {
    let house = house();
    let first = house.redeem(&house.code("patient/*.rs offline_access", NOW), NOW).expect("tokens");
    let old = first.refresh.expect("a refresh token");
    let refresh = |token: &str, scopes: Option<&str>, now| {
        let scopes = scopes.map(|text| Scopes::parse_all(text).expect("scopes"));
        house.guard.refresh(&house.app(), token, scopes.as_ref(), now)
    };
    let more = refresh(&old, Some("user/*.rs"), NOW).expect_err("more than given");
    assert!(more.to_string().contains("invalid_scope"), "{more}");
    let other = house.guard.client("other").expect("readable").expect("registered");
    assert!(house.guard.refresh(&other, &old, None, NOW).is_err());
    let second = refresh(&old, Some("patient/Observation.rs"), after(HOUR)).expect("tokens");
    assert_eq!(second.grant.scopes.to_string(), "patient/Observation.rs");
    assert!(house.works(&second.access, after(HOUR)));
    assert!(refresh(&old, None, after(HOUR)).is_err(), "used before");
    assert!(!house.works(&second.access, after(HOUR)), "everything ended");
    assert!(refresh(&second.refresh.expect("another"), None, after(HOUR)).is_err());
    let late = house.redeem(&house.code("patient/*.rs offline_access", NOW), NOW).expect("tokens");
    assert!(refresh(&late.refresh.expect("one"), None, after(91 * 24 * HOUR)).is_err());
}

#[test]
fn tokens_end_with_whom_they_belong_to() {
    for (what, online, act) in [
        ("logout", true, (|house: &House| house.guard.logout(&house.session)) as fn(&House)),
        ("account", false, |house| house.guard.remove_user("nora").expect("removed")),
        ("client", false, |house| house.guard.remove_client("app").expect("removed")),
        ("taken back", false, |house| {
            assert!(house.guard.take_back(&house.nurse, "app").expect("taken back"));
        }),
    ] {
        let house = house();
        let _admin = house.guard.add_user("ada", Role::Administrator, "correct horse battery 9").expect("an administrator");
        let scopes = if online { "patient/*.rs online_access" } else { "patient/*.rs offline_access" };
        let app = house.app();
        let tokens = house.redeem(&house.code(scopes, NOW), NOW).expect("tokens");
        assert!(house.works(&tokens.access, NOW), "{what}");
        act(&house);
        assert!(!house.works(&tokens.access, NOW), "{what}");
        let refresh = tokens.refresh.expect("a refresh token");
        assert!(house.guard.refresh(&app, &refresh, None, NOW).is_err(), "{what}");
    }
}

#[test]
fn tokens_are_taken_back_by_their_client() {
    let house = house();
    let tokens = house.redeem(&house.code("patient/*.rs offline_access", NOW), NOW).expect("tokens");
    let other = house.guard.client("other").expect("readable").expect("registered");
    assert!(!house.guard.revoke(&other, &tokens.access).expect("no failure"));
    assert!(house.works(&tokens.access, NOW));
    assert!(house.guard.revoke(&house.app(), &tokens.access).expect("no failure"));
    assert!(!house.works(&tokens.access, NOW));
    let refresh = tokens.refresh.expect("a refresh token");
    let again = house.guard.refresh(&house.app(), &refresh, None, NOW).expect("the grant lives");
    assert!(house.guard.revoke(&house.app(), &again.refresh.expect("one")).expect("no failure"));
    assert!(!house.works(&again.access, NOW), "with everything of its grant");
    assert!(!house.guard.revoke(&house.app(), "nonsense").expect("no failure"));
}

#[test]
fn what_was_given_is_remembered() {
    let house = house();
    assert!(house.guard.remembered(&house.nurse, "app").expect("readable").is_empty());
    house.code("patient/*.rs", NOW);
    assert_eq!(house.guard.remembered(&house.nurse, "app").expect("readable").to_string(), "patient/*.rs");
    let given = house.guard.given(&house.nurse, NOW).expect("readable");
    assert_eq!((given[0].name.as_str(), given[0].active), ("The app", true));
    assert!(!house.guard.given(&house.nurse, after(HOUR)).expect("readable")[0].active);
}

#[test]
fn launches_and_tickets_are_bound_and_taken_once() {
    let house = house();
    let ada = house.guard.add_user("ada", Role::Physician, "correct horse battery 9").expect("another person");
    let context = Context { patient: PatientId::new("p-1").ok(), encounter: Some("e-1".to_owned()) };
    let handle = house.guard.begin_launch("app", &house.nurse, &context, NOW).expect("a launch");
    let launch = |client: &str, who: &Account, take, now| {
        house.guard.launch(&handle, client, who, take, now).expect("readable")
    };
    assert_eq!(launch("other", &house.nurse, true, NOW), None);
    assert_eq!(launch("app", &ada, true, NOW), None);
    assert_eq!(launch("app", &house.nurse, true, after(6 * MINUTE)), None);
    assert_eq!(launch("app", &house.nurse, false, NOW), Some(context.clone()));
    assert_eq!(launch("app", &house.nurse, true, NOW), Some(context));
    assert_eq!(launch("app", &house.nurse, true, NOW), None, "used up");
    let ticket = house.guard.put_pending(&house.nurse, "a=b", NOW).expect("a ticket");
    let take = |who: &Account, now| house.guard.take_pending(who, &ticket, now).expect("readable");
    assert!(take(&ada, NOW).is_none() && take(&house.nurse, after(11 * MINUTE)).is_none());
    assert_eq!(take(&house.nurse, NOW).map(|pending| pending.query).as_deref(), Some("a=b"));
    assert!(take(&house.nurse, NOW).is_none(), "used up");
}

#[test]
fn clients_prove_themselves_in_their_own_way() {
    let house = house();
    let made = house.guard.add_client(Client { authentication: Authentication::Secret, ..client("safe", SCOPES) }, NOW);
    let secret = made.expect("registered").secret.expect("a secret");
    let prove = |client: &str, proof: Proof| {
        let shown = Credentials { client: client.to_owned(), proof };
        house.guard.prove_client(&shown, None, &["t"], NOW).is_ok()
    };
    for (client, proof, expected) in [
        ("app", Proof::Nothing, true),
        ("app", Proof::Secret(secret.clone()), false),
        ("safe", Proof::Secret(secret.clone()), true),
        ("safe", Proof::Secret(format!("{secret}0")), false),
        ("safe", Proof::Nothing, false),
        ("safe", Proof::Assertion("a.b.c".to_owned()), false),
        ("nobody", Proof::Nothing, false),
    ] {
        assert_eq!(prove(client, proof.clone()), expected, "{client} {proof:?}");
    }
    assert!(matches!(house.guard.add_client(client("app", SCOPES), NOW), Err(GrantError::Exists(_))));
    assert!(house.guard.is_client_origin("https://app.example"));
    assert!(!house.guard.is_client_origin("https://evil.example"));
}

#[test]
fn id_tokens_are_signed_by_a_key_that_is_shown_and_changes() {
    let house = house();
    let claims = serde_json::json!({"iss": "https://ehr.example", "aud": "app", "sub": "nora"});
    let jwt = house.guard.sign_id_token(claims, NOW).expect("signed");
    let shown = house.guard.jwks(NOW).expect("keys");
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(shown.clone()).expect("a JWK set");
    assert!(shown["keys"][0].get("d").is_none(), "the private part stays here");
    let key = jsonwebtoken::DecodingKey::from_jwk(&set.keys[0]).expect("a key");
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    rules.validate_exp = false;
    rules.set_audience(&["app"]);
    let read = jsonwebtoken::decode::<serde_json::Value>(&jwt, &key, &rules).expect("verified");
    assert_eq!(read.claims["exp"].as_i64(), Some(NOW.0 / 1_000_000 + 300));
    let later = house.guard.jwks(after(90 * 24 * HOUR)).expect("keys");
    assert_eq!(later["keys"].as_array().map(Vec::len), Some(2), "the old one is shown for a day");
    let later = house.guard.jwks(after(92 * 24 * HOUR)).expect("keys");
    assert_eq!(later["keys"].as_array().map(Vec::len), Some(1));
}

#[test]
fn backend_services_act_as_their_account() {
    let house = house();
    let service = Client {
        authentication: Authentication::Key,
        redirect_uris: Vec::new(),
        jwks_uri: Some("https://lab.example/jwks".to_owned()),
        account: Some("lab".to_owned()),
        ..client("export", "system/*.rs")
    };
    assert!(matches!(house.guard.add_client(service.clone(), NOW), Err(GrantError::NoService(_))));
    house.guard.add_service_token("lab", Role::Service).expect("an account");
    house.guard.add_client(service.clone(), NOW).expect("registered");
    let scopes = Scopes::parse_all("system/Patient.rs").expect("scopes");
    let tokens = house.guard.give_service(&service, &scopes, NOW).expect("a token");
    assert_eq!((tokens.expires_in, tokens.refresh.as_ref()), (300, None));
    let (account, grant) = house.guard.access_token(&tokens.access, NOW).expect("valid");
    assert_eq!((account.name.as_str(), account.kind, grant.patient.as_ref()), ("lab", Kind::Service, None));
    house.guard.remove_user("lab").expect("removed");
    assert!(!house.works(&tokens.access, NOW));
    assert!(house.guard.give_service(&service, &scopes, NOW).is_err());
}
