//! Where applications ask, and what is possible here: `.well-known/smart-configuration` (SMART App
//! Launch 2.2 § 7) and `.well-known/openid-configuration` (OpenID Connect Discovery § 3).

use serde_json::{Value as Json, json};

/// Ways to get a token.
pub const GRANT_TYPES: [&str; 3] = ["authorization_code", "refresh_token", "client_credentials"];
/// Ways of clients to prove themselves; public ones have none.
pub const CLIENT_METHODS: [&str; 3] = ["client_secret_basic", "private_key_jwt", "none"];
/// How clients sign.
pub const CLIENT_ALGORITHMS: [&str; 2] = ["RS384", "ES384"];

/// What is possible here, in the words of SMART App Launch 2.2 § 3.1.
const CAPABILITIES: [&str; 18] = [
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-symmetric",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-style",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
];

/// Examples of scopes: SMART's are too many to list, and any other of their form works too.
const SCOPES: [&str; 15] = [
    "openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter",
    "offline_access", "online_access", "patient/*.rs", "patient/Patient.rs", "patient/Observation.rs",
    "user/*.rs", "user/*.cruds", "system/*.rs", "system/*.cruds",
];

/// The SMART configuration of a server at `origin` (`https://ehr.example`), below which `/fhir` and
/// `/oauth` are.
#[must_use]
pub fn smart(origin: &str) -> Json {
    json!({
        "issuer": origin,
        "jwks_uri": format!("{origin}/oauth/jwks"),
        "authorization_endpoint": format!("{origin}/oauth/authorize"),
        "token_endpoint": format!("{origin}/oauth/token"),
        "token_endpoint_auth_methods_supported": CLIENT_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": CLIENT_ALGORITHMS,
        "grant_types_supported": GRANT_TYPES,
        "response_types_supported": ["code"],
        "scopes_supported": SCOPES,
        "management_endpoint": format!("{origin}/account"),
        "introspection_endpoint": format!("{origin}/oauth/introspect"),
        "revocation_endpoint": format!("{origin}/oauth/revoke"),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "capabilities": CAPABILITIES,
    })
}

/// The OpenID configuration of the same server.
#[must_use]
pub fn openid(origin: &str) -> Json {
    json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/oauth/authorize"),
        "token_endpoint": format!("{origin}/oauth/token"),
        "jwks_uri": format!("{origin}/oauth/jwks"),
        "revocation_endpoint": format!("{origin}/oauth/revoke"),
        "introspection_endpoint": format!("{origin}/oauth/introspect"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GRANT_TYPES,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": CLIENT_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": CLIENT_ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": SCOPES,
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "fhirUser", "profile"],
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "authorization_response_iss_parameter_supported": true,
    })
}

/// `CapabilityStatement.rest.security` of the same server (SMART App Launch 2.2 § 3.2).
#[must_use]
pub fn security(origin: &str) -> Json {
    let system = "http://terminology.hl7.org/CodeSystem/restful-security-service";
    let uri = |name: &str, path: &str| json!({"url": name, "valueUri": format!("{origin}/oauth/{path}")});
    json!({
        "extension": [{
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": [
                uri("authorize", "authorize"), uri("token", "token"), uri("introspect", "introspect"),
                uri("revoke", "revoke"),
            ],
        }],
        "cors": true,
        "service": [{"coding": [{"system": system, "code": "SMART-on-FHIR"}], "text": "SMART on FHIR"}],
    })
}
