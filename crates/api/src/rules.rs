//! Which route needs which permission: one table. A route that is not in it is refused, whatever
//! its handler does.

use axum::http::Method;
use guard::Permission;

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Nothing: no patient data, no act.
    Public,
    /// Any account.
    Known,
    /// This permission, and a record of it before the answer leaves (SE-1).
    Needs(Permission),
    /// The path is known, the method is not.
    NoSuchMethod,
}

use Permission::{
    ActOnAlerts, Associate, CommandDevices, ErasePerson, ExportPerson, ManageConsents, ManageClients, ManageDevices, ManageFirmware,
    ManageOwnConsent, ManagePolicy, ManageProfiles, ManageRetention, ManageTrust, ManageUsers, ReadFhir, ReleaseQuarantine,
    ReviewAccess, SeeAudit, SeeBurden, SeeConsents, SeeDeidentified, SeeDevices, SeeMetrics, SeeMinimised,
    SeeOwnRecord, SeePatients, SeePolicy, SeeQuarantine, SeeSecurity, SendReadings, SetLimits, UseBreakGlass,
    WriteFhir,
};
use Rule::{Known, Needs, Public};

/// Every route but those of FHIR and the pages.
pub const ROUTES: &[(&str, &str, Rule)] = &[
    ("GET", "/healthz", Public),
    ("GET", "/readyz", Public),
    ("GET", "/metrics", Needs(SeeMetrics)),
    ("GET", "/api/openapi.json", Public),
    ("GET", "/api/v1/setup", Public),
    ("POST", "/api/v1/setup", Public),
    ("POST", "/api/v1/login", Public),
    ("GET", "/api/v1/login/options", Public),
    ("GET", "/api/v1/oidc/start", Public),
    ("GET", "/api/v1/oidc/callback", Public),
    ("POST", "/api/v1/login/totp", Public),
    ("POST", "/api/v1/login/recovery", Public),
    ("POST", "/api/v1/login/passkey/begin", Public),
    ("POST", "/api/v1/login/passkey", Public),
    ("POST", "/api/v1/login/enrol/begin", Public),
    ("POST", "/api/v1/login/enrol", Public),
    ("POST", "/api/v1/logout", Public),
    ("GET", "/api/v1/session", Known),
    ("GET", "/api/v1/account", Known),
    ("POST", "/api/v1/account/password", Known),
    ("GET", "/api/v1/account/sessions", Known),
    ("DELETE", "/api/v1/account/sessions", Known),
    ("DELETE", "/api/v1/account/sessions/{id}", Known),
    ("POST", "/api/v1/account/totp", Known),
    ("DELETE", "/api/v1/account/totp", Known),
    ("POST", "/api/v1/account/totp/confirm", Known),
    ("POST", "/api/v1/account/recovery-codes", Known),
    ("POST", "/api/v1/account/passkeys/begin", Known),
    ("POST", "/api/v1/account/passkeys", Known),
    ("DELETE", "/api/v1/account/passkeys/{id}", Known),
    ("GET", "/api/v1/users", Needs(ManageUsers)),
    ("POST", "/api/v1/users", Needs(ManageUsers)),
    ("PUT", "/api/v1/users/{name}", Needs(ManageUsers)),
    ("DELETE", "/api/v1/users/{name}", Needs(ManageUsers)),
    ("POST", "/api/v1/users/{name}/password", Needs(ManageUsers)),
    ("DELETE", "/api/v1/users/{name}/factors", Needs(ManageUsers)),
    ("PUT", "/api/v1/users/{name}/provider", Needs(ManageUsers)),
    ("DELETE", "/api/v1/users/{name}/provider", Needs(ManageUsers)),
    ("POST", "/api/v1/users/{name}/token", Needs(ManageUsers)),
    ("DELETE", "/api/v1/users/{name}/sessions", Needs(ManageUsers)),
    ("GET", "/api/v1/live", Needs(SeePatients)),
    ("GET", "/api/v1/waveforms/live", Needs(SeePatients)),
    ("GET", "/api/v1/ward", Needs(SeePatients)),
    ("GET", "/api/v1/patients", Needs(SeePatients)),
    ("GET", "/api/v1/patients/{id}", Needs(SeePatients)),
    ("GET", "/api/v1/patients/{id}/trends", Needs(SeePatients)),
    ("GET", "/api/v1/patients/{id}/waveforms", Needs(SeePatients)),
    ("GET", "/api/v1/patients/{id}/waveforms/{series}", Needs(SeePatients)),
    ("GET", "/api/v1/patients/{id}/waveforms/export", Needs(SeePatients)),
    ("POST", "/api/v1/patients/{id}/waveforms/import", Needs(SendReadings)),
    ("GET", "/api/v1/patients/{id}/beats", Needs(SeePatients)),
    ("GET", "/api/v1/patients/{id}/holds", Needs(SeePatients)),
    ("POST", "/api/v1/patients/{id}/holds", Needs(ActOnAlerts)),
    ("DELETE", "/api/v1/patients/{id}/holds/{hold}", Needs(ActOnAlerts)),
    ("GET", "/api/v1/patients/{id}/erasure", Needs(ErasePerson)),
    ("POST", "/api/v1/patients/{id}/erasure", Needs(ErasePerson)),
    ("GET", "/api/v1/patients/{id}/predictions", Needs(SeePatients)),
    ("GET", "/api/v1/predictions/{prediction}", Needs(SeePatients)),
    ("GET", "/api/v1/predictions/{prediction}/recompute", Needs(SeePatients)),
    ("GET", "/api/v1/models", Needs(SeePatients)),
    ("GET", "/api/v1/models/watch", Needs(ManagePolicy)),
    ("GET", "/api/v1/models/{model}", Needs(SeePatients)),
    ("GET", "/api/v1/models/{model}/watch", Needs(ManagePolicy)),
    ("POST", "/api/v1/models/{model}/looked-into", Needs(ManagePolicy)),
    ("GET", "/api/v1/models/{model}/compare", Needs(ManagePolicy)),
    ("PUT", "/api/v1/patients/{id}/limits", Needs(SetLimits)),
    ("GET", "/api/v1/patients/{id}/own-normal", Needs(SeePatients)),
    ("POST", "/api/v1/patients/{id}/own-normal", Needs(SetLimits)),
    ("PUT", "/api/v1/patients/{id}/spo2-scale", Needs(SetLimits)),
    ("GET", "/api/v1/readings/{reading}", Needs(SeePatients)),
    ("GET", "/api/v1/alerts", Needs(SeePatients)),
    ("GET", "/api/v1/alerts/{episode}", Needs(SeePatients)),
    ("POST", "/api/v1/alerts/{episode}/{action}", Needs(ActOnAlerts)),
    ("GET", "/api/v1/burden", Needs(SeeBurden)),
    ("GET", "/api/v1/burden/export", Needs(SeeBurden)),
    ("GET", "/api/v1/burden/scores", Needs(SeePolicy)),
    ("GET", "/api/v1/burden/reports", Needs(SeeBurden)),
    ("GET", "/api/v1/burden/reports/{name}", Needs(SeeBurden)),
    ("GET", "/api/v1/worklist", Needs(SeePatients)),
    ("POST", "/api/v1/patients/{id}/seen", Needs(ActOnAlerts)),
    ("GET", "/api/v1/patients/{id}/pathways", Needs(SeePatients)),
    ("POST", "/api/v1/patients/{id}/pathways/{pathway}/{action}", Needs(ActOnAlerts)),
    ("GET", "/api/v1/locations", Needs(SeePatients)),
    ("GET", "/api/v1/devices", Needs(SeeDevices)),
    ("GET", "/api/v1/devices/{id}", Needs(SeeDevices)),
    ("GET", "/api/v1/devices/{id}/model", Needs(SeeDevices)),
    ("POST", "/api/v1/devices/{id}/association", Needs(Associate)),
    ("DELETE", "/api/v1/devices/{id}/association", Needs(Associate)),
    ("POST", "/api/v1/devices/{id}/mount", Needs(ManageDevices)),
    ("GET", "/api/v1/devices/{id}/commands", Needs(SeeDevices)),
    ("POST", "/api/v1/devices/{id}/commands", Needs(CommandDevices)),
    ("GET", "/api/v1/commands/{id}", Needs(SeeDevices)),
    ("POST", "/api/v1/commands/{id}/confirm", Needs(CommandDevices)),
    ("POST", "/api/v1/commands/{id}/cancel", Needs(CommandDevices)),
    ("POST", "/api/v1/associations", Needs(Associate)),
    ("POST", "/api/v1/associations/scan", Needs(Associate)),
    ("GET", "/api/v1/associations/proposals", Needs(Associate)),
    ("GET", "/api/v1/quarantine", Needs(SeeQuarantine)),
    ("POST", "/api/v1/quarantine/release-matching", Needs(ReleaseQuarantine)),
    ("GET", "/api/v1/quarantine/{offset}", Needs(SeeQuarantine)),
    ("POST", "/api/v1/quarantine/{offset}/release", Needs(ReleaseQuarantine)),
    ("POST", "/api/v1/quarantine/{offset}/discard", Needs(ReleaseQuarantine)),
    ("GET", "/api/v1/profiles", Needs(SeeQuarantine)),
    ("POST", "/api/v1/profiles/test", Needs(SeeQuarantine)),
    ("PUT", "/api/v1/profiles/{*name}", Needs(ManageProfiles)),
    ("GET", "/.well-known/smart-configuration", Public),
    ("GET", "/.well-known/openid-configuration", Public),
    ("GET", "/oauth/jwks", Public),
    ("GET", "/oauth/style", Public),
    ("GET", "/oauth/authorize", Public),
    ("POST", "/oauth/authorize", Public),
    // Each asks the application for a proof of its own.
    ("POST", "/oauth/token", Public),
    ("POST", "/oauth/introspect", Public),
    ("POST", "/oauth/revoke", Public),
    ("GET", "/api/v1/authorization", Known),
    ("POST", "/api/v1/authorization", Known),
    ("GET", "/api/v1/applications", Known),
    ("DELETE", "/api/v1/applications/{client}", Known),
    ("GET", "/api/v1/clients", Needs(ManageClients)),
    ("POST", "/api/v1/clients", Needs(ManageClients)),
    ("DELETE", "/api/v1/clients/{id}", Needs(ManageClients)),
    ("GET", "/api/v1/launches", Needs(SeePatients)),
    ("POST", "/api/v1/patients/{id}/launch", Needs(SeePatients)),
    ("GET", "/api/v1/audit", Needs(Permission::SeeAudit)),
    ("GET", "/api/v1/audit/head", Needs(Permission::SeeAudit)),
    ("GET", "/api/v1/audit/proof/{record}", Needs(Permission::SeeAudit)),
    ("GET", "/api/v1/audit/export", Needs(Permission::SeeAudit)),
    ("GET", "/api/v1/policy", Needs(SeePolicy)),
    ("PUT", "/api/v1/policy", Needs(ManagePolicy)),
    ("GET", "/api/v1/policy/versions", Needs(SeePolicy)),
    ("POST", "/api/v1/policy/versions", Needs(ManagePolicy)),
    ("GET", "/api/v1/policy/versions/{number}", Needs(SeePolicy)),
    ("POST", "/api/v1/policy/versions/{number}/approval", Needs(ManagePolicy)),
    ("POST", "/api/v1/policy/versions/{number}/rejection", Needs(ManagePolicy)),
    ("POST", "/api/v1/policy/versions/{number}/in-force", Needs(ManagePolicy)),
    ("POST", "/api/v1/policy/versions/{number}/emergency", Needs(ManagePolicy)),
    ("GET", "/api/v1/policy/versions/{number}/signed", Needs(SeePolicy)),
    ("GET", "/api/v1/laboratory", Needs(SeePolicy)),
    ("GET", "/api/v1/laboratory/runs", Needs(SeePolicy)),
    ("POST", "/api/v1/laboratory/runs", Needs(ManagePolicy)),
    ("GET", "/api/v1/laboratory/runs/{id}", Needs(SeePolicy)),
    ("DELETE", "/api/v1/laboratory/runs/{id}", Needs(ManagePolicy)),
    ("GET", "/api/v1/laboratory/runs/{id}/alerts", Needs(SeePatients)),
    ("GET", "/api/v1/policy/decisions", Needs(Permission::SeePolicyDecisions)),
    ("GET", "/api/v1/break-glass", Needs(ReviewAccess)),
    ("POST", "/api/v1/break-glass", Needs(UseBreakGlass)),
    ("GET", "/api/v1/break-glass/mine", Needs(UseBreakGlass)),
    ("DELETE", "/api/v1/break-glass/{id}", Needs(UseBreakGlass)),
    ("POST", "/api/v1/break-glass/{id}/review", Needs(ReviewAccess)),
    ("GET", "/api/v1/patients/{id}/consents", Needs(SeeConsents)),
    ("POST", "/api/v1/patients/{id}/consents", Needs(ManageConsents)),
    ("DELETE", "/api/v1/patients/{id}/consents/{consent}", Needs(ManageConsents)),
    ("GET", "/api/v1/patients/{id}/care-team", Needs(SeeConsents)),
    ("PUT", "/api/v1/patients/{id}/care-team", Needs(ManageConsents)),
    ("DELETE", "/api/v1/patients/{id}/care-team/{account}", Needs(ManageConsents)),
    ("GET", "/api/v1/patients/{id}/accesses", Needs(SeeAudit)),
    ("GET", "/api/v1/patients/{id}/export", Needs(ExportPerson)),
    ("GET", "/api/v1/patients/{id}/legal-holds", Needs(ManageRetention)),
    ("POST", "/api/v1/patients/{id}/legal-holds", Needs(ManageRetention)),
    ("DELETE", "/api/v1/patients/{id}/legal-holds/{hold}", Needs(ManageRetention)),
    ("GET", "/api/v1/me", Needs(SeeOwnRecord)),
    ("GET", "/api/v1/me/accesses", Needs(SeeOwnRecord)),
    ("GET", "/api/v1/me/consents", Needs(SeeOwnRecord)),
    ("POST", "/api/v1/me/consents", Needs(ManageOwnConsent)),
    ("DELETE", "/api/v1/me/consents/{consent}", Needs(ManageOwnConsent)),
    ("GET", "/api/v1/me/caregivers", Needs(SeeOwnRecord)),
    ("POST", "/api/v1/me/caregivers", Needs(ManageOwnConsent)),
    ("DELETE", "/api/v1/me/caregivers/{caregiver}", Needs(ManageOwnConsent)),
    ("POST", "/api/v1/me/invitation", Needs(SeeOwnRecord)),
    ("GET", "/api/v1/me/export", Needs(SeeOwnRecord)),
    ("GET", "/api/v1/operations/beds", Needs(SeeMinimised)),
    ("GET", "/api/v1/research/{study}/subjects", Needs(SeeDeidentified)),
    ("GET", "/api/v1/research/{study}/subjects/{subject}", Needs(SeeDeidentified)),
    ("GET", "/api/v1/retention", Needs(ManageRetention)),
    ("PUT", "/api/v1/retention", Needs(ManageRetention)),
    ("GET", "/api/v1/trust/devices", Needs(SeeSecurity)),
    ("GET", "/api/v1/trust/devices/{id}", Needs(SeeSecurity)),
    ("POST", "/api/v1/trust/devices/{id}/announcement", Needs(ManageTrust)),
    ("POST", "/api/v1/trust/devices/{id}/claim", Needs(ManageTrust)),
    ("POST", "/api/v1/trust/devices/{id}/code", Needs(ManageTrust)),
    ("POST", "/api/v1/trust/devices/{id}/steps/{step}", Needs(ManageTrust)),
    ("PUT", "/api/v1/trust/devices/{id}/rights", Needs(ManageTrust)),
    ("GET", "/api/v1/trust/certificates", Needs(SeeSecurity)),
    ("POST", "/api/v1/trust/certificates/{serial}/revoke", Needs(ManageTrust)),
    ("GET", "/api/v1/trust/authority", Needs(SeeSecurity)),
    ("GET", "/api/v1/trust/zones", Needs(SeeSecurity)),
    ("GET", "/api/v1/trust/events", Needs(SeeSecurity)),
    ("GET", "/api/v1/trust/events/open", Needs(SeeSecurity)),
    ("POST", "/api/v1/trust/events/{number}/take", Needs(SeeSecurity)),
    // No account's: a device's certificate, or its one-time code, decides in the handler.
    ("POST", "/api/v1/device/measurements", Public),
    ("GET", "/.well-known/est/cacerts", Public),
    ("GET", "/.well-known/est/csrattrs", Public),
    ("POST", "/.well-known/est/simpleenroll", Public),
    ("POST", "/.well-known/est/simplereenroll", Public),
    ("POST", "/.well-known/est/serverkeygen", Public),
    ("GET", "/.well-known/vitalwire.crl", Public),
    ("GET", "/api/v1/fleet/inventory", Needs(SeeDevices)),
    ("PUT", "/api/v1/fleet/inventory/{id}", Needs(ManageFirmware)),
    ("DELETE", "/api/v1/fleet/inventory/{id}", Needs(ManageFirmware)),
    ("POST", "/api/v1/fleet/import", Needs(ManageFirmware)),
    ("GET", "/api/v1/fleet/minimums", Needs(SeeDevices)),
    ("PUT", "/api/v1/fleet/minimums", Needs(ManageFirmware)),
    ("POST", "/api/v1/fleet/sboms", Needs(ManageFirmware)),
    ("GET", "/api/v1/fleet/vulnerabilities", Needs(SeeSecurity)),
    ("POST", "/api/v1/fleet/vulnerabilities/acknowledge", Needs(ManageFirmware)),
    ("GET", "/api/v1/fleet/advisories", Needs(SeeSecurity)),
    ("POST", "/api/v1/fleet/advisories", Needs(ManageFirmware)),
    ("DELETE", "/api/v1/fleet/advisories/{name}", Needs(ManageFirmware)),
    ("GET", "/api/v1/fleet/findings", Needs(SeeSecurity)),
    ("GET", "/api/v1/fleet/images", Needs(SeeDevices)),
    ("GET", "/api/v1/fleet/campaigns", Needs(SeeDevices)),
    ("POST", "/api/v1/fleet/campaigns", Needs(ManageFirmware)),
    ("GET", "/api/v1/fleet/campaigns/{number}", Needs(SeeDevices)),
    ("POST", "/api/v1/fleet/campaigns/{number}/{action}", Needs(ManageFirmware)),
    ("GET", "/api/v1/edges", Needs(SeeDevices)),
    ("POST", "/api/v1/edges", Needs(ManageDevices)),
    ("GET", "/api/v1/edges/{id}", Needs(SeeDevices)),
    ("DELETE", "/api/v1/edges/{id}", Needs(ManageDevices)),
    ("PUT", "/api/v1/edges/{id}/rules", Needs(ManageDevices)),
    ("POST", "/api/v1/edges/{id}/code", Needs(ManageDevices)),
    ("POST", "/api/v1/edges/{id}/rotation", Needs(ManageDevices)),
    ("GET", "/api/v1/edge", Needs(SeeDevices)),
    // Edges show a code of their own once, and then their own token, which the handlers check.
    ("POST", "/api/v1/edges/{id}/enrolment", Public),
    ("POST", "/api/v1/edges/{id}/token", Public),
    ("GET", "/api/v1/edges/{id}/configuration", Public),
    ("POST", "/api/v1/edges/{id}/batch", Public),
    // Devices show their own certificate or password, which the handlers check.
    ("GET", "/api/v1/fleet/firmware/offer", Public),
    ("POST", "/api/v1/fleet/firmware/report", Public),
    ("GET", "/api/v1/fleet/firmware/metadata/{name}", Public),
    ("GET", "/api/v1/fleet/firmware/{sha256}", Public),
    // Apps, clouds and network servers show a device's certificate, password or digest, or a program's
    // token: the handlers ask, and decide by whose values are sent or read.
    ("GET", "/api/v1/entries", Public),
    ("POST", "/api/v1/entries", Public),
    ("GET", "/api/v1/entries.json", Public),
    ("POST", "/api/v1/entries.json", Public),
    ("GET", "/api/v1/entries/{kind}", Public),
    ("GET", "/api/v1/treatments", Public),
    ("POST", "/api/v1/treatments", Public),
    ("PUT", "/api/v1/treatments", Public),
    ("GET", "/api/v1/treatments.json", Public),
    ("POST", "/api/v1/treatments.json", Public),
    ("PUT", "/api/v1/treatments.json", Public),
    ("GET", "/api/v1/devicestatus", Public),
    ("POST", "/api/v1/devicestatus", Public),
    ("GET", "/api/v1/devicestatus.json", Public),
    ("POST", "/api/v1/devicestatus.json", Public),
    ("GET", "/api/v1/profile", Public),
    ("POST", "/api/v1/profile", Public),
    ("PUT", "/api/v1/profile", Public),
    ("GET", "/api/v1/profile.json", Public),
    ("POST", "/api/v1/profile.json", Public),
    ("PUT", "/api/v1/profile.json", Public),
    ("GET", "/api/v1/status", Public),
    ("GET", "/api/v1/status.json", Public),
    ("GET", "/api/v1/verifyauth", Public),
    ("GET", "/api/v2/authorization/request/{token}", Public),
    ("GET", "/api/v3/lastModified", Public),
    ("GET", "/api/v3/status", Public),
    ("GET", "/api/v3/version", Public),
    ("GET", "/api/v3/{collection}", Public),
    ("POST", "/api/v3/{collection}", Public),
    ("PUT", "/api/v3/{collection}/{identifier}", Public),
    ("GET", "/api/v3/{collection}/history/{since}", Public),
    ("GET", "/api/v1/experiments/test", Public),
    ("POST", "/api/v1/lorawan/{integration}", Public),
    ("POST", "/api/v1/device/health", Public),
];

/// What a request needs: `template` is the route that was found, if any. None when nobody has
/// said, which means: refused.
#[must_use]
pub fn rule(method: &Method, template: Option<&str>, path: &str) -> Option<Rule> {
    if path == "/fhir" || path.starts_with("/fhir/") {
        return Some(fhir(method, template, path));
    }
    let Some(template) = template else {
        // No route: a page, or the answer that there is nothing.
        return Some(Public);
    };
    // HEAD asks for what GET gives.
    let wanted = if *method == Method::HEAD { "GET" } else { method.as_str() };
    let of_path = || ROUTES.iter().filter(|(_, path, _)| *path == template);
    match of_path().find(|(method, _, _)| *method == wanted) {
        Some((_, _, rule)) => Some(*rule),
        None => of_path().next().map(|_| Rule::NoSuchMethod),
    }
}

fn fhir(method: &Method, template: Option<&str>, path: &str) -> Rule {
    // What the server can do is no secret. The whole path: an id may be `metadata`, too.
    if matches!(path, "/fhir/metadata" | "/fhir/.well-known/smart-configuration") {
        return Public;
    }
    if path == "/fhir/AuditEvent" || path.starts_with("/fhir/AuditEvent/") {
        return Needs(Permission::SeeAudit);
    }
    let searches = *method == Method::POST && template.is_some_and(|path| path.ends_with("/_search"));
    if matches!(*method, Method::GET | Method::HEAD) || searches {
        Needs(ReadFhir)
    } else {
        Needs(WriteFhir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_without_a_rule_is_refused() {
        let get = |template, path| rule(&Method::GET, template, path);
        assert_eq!(get(Some("/api/v1/new"), "/api/v1/new"), None);
        assert_eq!(get(None, "/ward"), Some(Public));
        assert_eq!(
            rule(&Method::DELETE, Some("/api/v1/ward"), "/api/v1/ward"),
            Some(Rule::NoSuchMethod)
        );
    }

    #[test]
    fn fhir_reads_and_writes_are_told_apart() {
        let search = Some("/fhir/{type}/_search");
        for (method, template, path, expected) in [
            ("GET", None, "/fhir/metadata", Public),
            ("GET", Some("/fhir/{type}/{id}"), "/fhir/Patient/metadata", Needs(ReadFhir)),
            ("PUT", Some("/fhir/{type}/{id}"), "/fhir/Patient/metadata", Needs(WriteFhir)),
            ("POST", search, "/fhir/Patient/_search", Needs(ReadFhir)),
            ("PUT", search, "/fhir/Patient/_search", Needs(WriteFhir)),
            ("POST", Some("/fhir/{type}"), "/fhir/_search", Needs(WriteFhir)),
            ("POST", Some("/fhir"), "/fhir", Needs(WriteFhir)),
            ("PATCH", Some("/fhir/{type}/{id}"), "/fhir/Patient/1", Needs(WriteFhir)),
            ("HEAD", Some("/fhir/{type}/{id}"), "/fhir/Patient/1", Needs(ReadFhir)),
        ] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            assert_eq!(rule(&method, template, path), Some(expected), "{method} {path}");
        }
    }
}
