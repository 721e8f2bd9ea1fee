//! What a configuration may say: every key with a value that it takes and one that it does not, misspelled
//! keys, variables.

use super::*;
use crate::config::Config;

fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("c.toml");
    std::fs::write(&file, text).expect("written");
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Config::load(Some(&file), environment).map_err(|error| error.to_string())
}

/// Each key with a value of its own, as it stands in a file, and something that is none.
const VALUES: &[(&str, &str, &str)] = &[
    ("tls.certificate", "'/c.pem'", "1"),
    ("tls.key", "'/k.pem'", "1"),
    ("tls.client_authority", "'/ca.pem'", "1"),
    ("tls.revocation_lists", "['/crl.pem']", "7"),
    ("tls.authority", "'/ca.pem'", "1"),
    ("tls.authority_key", "'/ca.key'", "1"),
    ("tls.device_days", "7", "'long'"),
    ("tls.self_signed", "true", "'perhaps'"),
    ("http.listen", "'127.0.0.1:1'", "'here'"),
    ("http.certificate", "'/c.pem'", "1"),
    ("http.key", "'/k.pem'", "1"),
    ("http.insecure", "true", "'perhaps'"),
    ("http.trusted_proxies", "['10.0.0.1', '::1']", "['proxy']"),
    ("http.public_url", "'https://ehr.example'", "7"),
    ("http.connections_max", "7", "-1"),
    ("http.origin", "'https://ward.example'", "'ward'"),
    ("login.second_factor", "['administrator', 'security-officer']", "['boss']"),
    ("mqtt.listen", "'127.0.0.1:1'", "'here'"),
    ("mqtt.tls_listen", "'127.0.0.1:1'", "'here'"),
    ("mqtt.certificate", "'/c.pem'", "1"),
    ("mqtt.key", "'/k.pem'", "1"),
    ("mqtt.client_authority", "'/ca.pem'", "1"),
    ("mqtt.insecure", "true", "'perhaps'"),
    ("mqtt.clients_max", "7", "'many'"),
    ("mqtt.packet_bytes_max", "7", "5000000000"),
    ("mllp.listen", "'127.0.0.1:1'", "'here'"),
    ("mllp.tls_listen", "'127.0.0.1:1'", "'here'"),
    ("mllp.certificate", "'/c.pem'", "1"),
    ("mllp.key", "'/k.pem'", "1"),
    ("mllp.client_authority", "'/ca.pem'", "1"),
    ("mllp.zone", "'Europe/Berlin'", "'Europe/Atlantis'"),
    ("mllp.peers", "['10.0.0.1']", "['peer']"),
    ("mllp.certificate_names", "['his.example']", "7"),
    ("mllp.insecure", "true", "'perhaps'"),
    ("phd.listen", "'127.0.0.1:1'", "'here'"),
    ("phd.tls_listen", "'127.0.0.1:1'", "'here'"),
    ("phd.certificate", "'/c.pem'", "7"),
    ("phd.key", "'/k.pem'", "7"),
    ("phd.client_authority", "'/a.pem'", "7"),
    ("phd.peers", "['10.0.0.1']", "['peer']"),
    ("phd.certificate_names", "['his.example']", "7"),
    ("phd.zone", "'Europe/Berlin'", "7"),
    ("phd.system_id", "'0123456789abcdef'", "7"),
    ("phd.set_time", "false", "'perhaps'"),
    ("phd.stores", "false", "'perhaps'"),
    ("phd.clear_stores", "true", "'perhaps'"),
    ("phd.insecure", "true", "'perhaps'"),
    ("coap.listen", "'127.0.0.1:1'", "'here'"),
    ("coap.plain_listen", "'127.0.0.1:1'", "'here'"),
    ("coap.sensors_max", "7", "-1"),
    ("limits.device_messages_per_s", "7", "'many'"),
    ("limits.device_bytes_per_s", "7", "'many'"),
    ("limits.service_messages_per_s", "7", "'many'"),
    ("limits.service_bytes_per_s", "7", "'many'"),
    ("limits.http_account_per_s", "7", "'many'"),
    ("limits.http_address_per_s", "7", "'many'"),
    ("journal.keep_hours", "7", "-7"),
    ("journal.keep_bytes_max", "7", "'much'"),
    ("journal.queue_bytes", "7", "'much'"),
    ("store.every_s", "7.5", "'often'"),
    ("retention.waveforms_days", "8", "-7"),
    ("retention.numerics_days", "8", "'long'"),
    ("retention.alerts_days", "8", "-1"),
    ("retention.quarantine_days", "8", "-1"),
    ("retention.directory_history_days", "8", "-1"),
    ("retention.audit_days", "8", "-1"),
    ("retention.security_events_days", "8", "-1"),
    ("privacy.treatment_without_consent", "false", "'no'"),
    ("privacy.research_without_consent", "true", "2"),
    ("privacy.emergency_overrides", "true", "'yes'"),
    ("burden.higher_care", "['ICU 2']", "7"),
    ("alarm_policy.review", "'one-person'", "'nobody'"),
    ("profiles.folder", "'/p'", "7"),
    ("audit.rotate_bytes", "7", "'much'"),
    ("audit.rotate_days", "7", "-7"),
    ("audit.journal_every_s", "7", "'often'"),
    ("audit.witness_file", "'/w'", "7"),
    ("audit.witness", "[{name = 'w', url = 'http://w', public_key = 'k'}]", "7"),
    ("audit.repository", "[{name = 'r', address = 'r:601'}]", "7"),
    ("keys.encrypt", "false", "'perhaps'"),
    ("keys.file", "'/k'", "7"),
    ("keys.environment", "'MASTER'", "7"),
    ("keys.credential", "'master'", "7"),
    ("keys.token_module", "'/k'", "7"),
    ("keys.token", "'ward'", "7"),
    ("keys.token_pin_file", "'/k'", "7"),
    ("keys.token_key", "'master'", "7"),
    ("keys.copy", "'/k'", "7"),
    ("outgoing.ca_file", "'/ca.pem'", "7"),
    ("outgoing.certificate_file", "'/me.pem'", "7"),
    ("outgoing.key_file", "'/me.key'", "7"),
    ("edge.id", "'ward-3'", "7"),
    ("edge.centre", "'https://centre.example'", "7"),
    ("edge.code", "'abc'", "7"),
    ("edge.certificate", "'edge.pem'", "7"),
    ("edge.key", "'edge.key'", "7"),
    ("edge.spool_bytes_max", "1000000", "'much'"),
    ("edge.insecure", "true", "'perhaps'"),
    ("oidc.issuer", "'https://id.example'", "7"),
    ("oidc.client_id", "'vitalwire'", "7"),
    ("oidc.client_secret_file", "'/secret'", "7"),
    ("oidc.scopes", "['groups']", "7"),
    ("oidc.label", "'Hospital'", "7"),
    ("oidc.name_claim", "'upn'", "7"),
    ("oidc.groups_claim", "'roles'", "7"),
    ("oidc.groups", "[{group = 'icu', role = 'nurse', units = ['ICU']}]", "[{group = 'icu', role = 'boss'}]"),
    ("oidc.second_factor", "['mfa']", "7"),
    ("oidc.new_people", "true", "'perhaps'"),
    ("oidc.link_claim", "'email'", "7"),
    ("oidc.ca_file", "'/ca.pem'", "7"),
    ("sdc.provider", "{listen = '127.0.0.1:1', certificate = '/c.pem', key = '/k.pem', client_authority = '/ca.pem', devices = ['m1'], peers = [{certificate = 'c', account = 'a'}], operations = ['limits']}", "7"),
    ("sdc.consumer", "{listen = '127.0.0.1:1', certificate = '/c.pem', key = '/k.pem', authority = '/ca.pem', devices = [{id = 'm1', address = 'https://h:1/x'}], metrics = [{code = 67108880, metric = 'MDC_ECG_HEART_RATE', unit = '/min'}]}", "7"),
    ("collect.nightscout", "[{name = 'anna', url = 'https://ns.example', device = 'cgm-1', token_file = '/t', every_s = 60, back_days = 7}]", "7"),
    ("collect.bluetooth", "{bus = '/b', adapter = 'hci0', devices = [{id = 'cuff-1', address = 'AA:BB:CC:DD:EE:FF', utc_offset = 60, user = 1}]}", "7"),
    ("models.shipped", "'shadow'", "'boss'"),
    ("models.owner", "'Dr Ada Test'", "7"),
    ("models.model", "[{shipped = 'sepsis', role = 'shadow', owner = 'Ada', events = ['death', 'pathway:sepsis-hour-1']}]", "[{shipped = 'sepsis', role = 'shadow', events = ['bad']}]"),
];

/// What goes together with a key for it to be complete.
fn rest(key: &str) -> Option<(String, &'static str)> {
    let (section, key) = key.split_once('.')?;
    match key {
        "certificate" => Some((format!("{section}.key"), "'/k.pem'")),
        "authority" => Some((format!("{section}.authority_key"), "'/ca.key'")),
        "authority_key" => Some((format!("{section}.authority"), "'/ca.pem'")),
        "key" => Some((format!("{section}.certificate"), "'/c.pem'")),
        _ => None,
    }
}

#[test]
fn every_key_by_file_and_by_variable() {
    let told: Vec<&str> = VALUES.iter().map(|(key, _, _)| *key).collect();
    let known: Vec<&str> =
        KEYS.iter().copied().filter(|key| !listed(key)).collect();
    assert_eq!(told, known, "each key is tried");
    for &(key, good, bad) in VALUES {
        let mut text = format!("{key} = {good}\n");
        let mut variables = vec![(variable(key), plain(good))];
        if let Some((key, value)) = rest(key) {
            text.push_str(&format!("{key} = {value}\n"));
            variables.push((variable(&key), plain(value)));
        }
        let pairs: Vec<(&str, &str)> =
            variables.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let by_file = load(&text, &[]).expect(key);
        assert_ne!(by_file, Config::default(), "{key} changes something");
        assert_eq!(load("", &pairs).expect(key), by_file, "{key}");
        for error in [
            load(&format!("{key} = {bad}"), &[]).expect_err(key),
            load("", &[(&variable(key), &plain(bad))]).err().unwrap_or_else(|| key.to_owned()),
        ] {
            assert!(error.contains(key), "{key}: {error}");
        }
    }
}

fn variable(key: &str) -> String {
    format!("VITALWIRE_{}", key.replace('.', "_").to_uppercase())
}

/// As a person writes it into a variable: texts without quotes, lists with commas.
fn plain(value: &str) -> String {
    if value.contains('{') {
        return value.to_owned();
    }
    value.replace(['\'', '[', ']'], "")
}

#[test]
fn an_unknown_key_names_the_nearest() {
    for (text, expected) in [
        ("[http]\nlissten = 'x'", "`http.listen`"),
        ("[htttp]\nlisten = 'x'", "`http`"),
        ("[store]\nevery = 1", "`store.every_s`"),
        ("http = 1", "`http` must be a table"),
    ] {
        let error = load(text, &[]).expect_err("refused");
        assert!(error.contains(expected), "{error}");
    }
    let error = load("", &[("VITALWIRE_HTTP_LISTN", "x")]).expect_err("refused");
    assert!(error.contains("HTTP_LISTEN"), "{error}");
}

#[test]
fn variables_override_the_file() {
    let config = load(
        "[http]\nlisten = '127.0.0.1:1'\n[store]\nevery_s = 5",
        &[("VITALWIRE_HTTP_LISTEN", "127.0.0.1:2"), ("VITALWIRE_STORE_EVERY_S", "7.0")],
    )
    .expect("accepted");
    assert_eq!(config.http.listen.port(), 2);
    assert!((config.store.every_s - 7.0).abs() < f64::EPSILON);
}

#[test]
fn webhooks_are_checked() {
    let fields = |url: &str, secret: &str| format!("name='a', url='{url}', secret='{secret}'");
    let hook = |url: &str, secret: &str| {
        let fields = fields(url, secret);
        let by_file = load(&format!("webhook = [{{{fields}}}]"), &[]);
        let by_variable = load("", &[("VITALWIRE_WEBHOOK", &format!("[{{{fields}}}]"))]);
        assert_eq!(by_file, by_variable);
        by_file
    };
    assert!(hook("http://pager:9/x", "0123456789abcdef").is_ok());
    assert!(hook("https://pager.example:9/x?y=z", "0123456789abcdef").is_ok());
    assert!(hook("https://me:word@pager.example/", "0123456789abcdef").is_err());
    assert!(hook("ftp://pager", "0123456789abcdef").is_err());
    assert!(hook("http://pager", "short").is_err());
    assert!(load("", &[("VITALWIRE_WEBHOOK", "pager")]).is_err());
    assert!(load("", &[("VITALWIRE_WEBHOOK", "[{nam='a'}]")]).is_err_and(|e| e.contains("webhook.name")));
}

#[test]
fn pump_servers_are_checked() {
    let server = |fields: &str| {
        let by_file = load(&format!("pump_server = [{{{fields}}}]"), &[]);
        let by_variable = load("", &[("VITALWIRE_PUMP_SERVER", &format!("[{{{fields}}}]"))]);
        assert_eq!(by_file, by_variable);
        by_file.map(|config| config.pump_server.len())
    };
    let good = "name='gateway', devices=['P60*'], address=";
    assert_eq!(server(&format!("{good}'mllps://pumps.example:2580'")), Ok(1));
    assert_eq!(server(&format!("{good}'mllp://127.0.0.1:2580'")), Ok(1));
    assert_eq!(server(&format!("{good}'mllp://pumps.example:2580', insecure=true")), Ok(1));
    assert!(server(&format!("{good}'mllp://pumps.example:2580'")).is_err_and(|e| e.contains("unencrypted")));
    assert!(server(&format!("{good}'https://pumps.example'")).is_err_and(|e| e.contains("address")));
    assert!(server("name='g', devices=[], address='mllps://p:1'").is_err_and(|e| e.contains("devices")));
    assert!(load("", &[("VITALWIRE_PUMP_SERVER", "[{nam='a'}]")]).is_err_and(|e| e.contains("pump_server.name")));
}

#[test]
fn zones_are_checked() {
    let zone = "networks = ['10.1.0.0/16'], listeners = ['mqtt-tls'], roles = ['nurse']";
    let by_file = load(&format!("zone = {{wards = {{{zone}}}}}"), &[]).expect("taken");
    assert_eq!(by_file.trust().map(|t| t.zones.0.len()).ok(), Some(1));
    assert_eq!(load("", &[("VITALWIRE_ZONE", &format!("{{wards = {{{zone}}}}}"))]), Ok(by_file));
    for (text, expected) in [
        ("[zone.wards]\nnetwork = ['10.1.0.0/16']", "`zone.networks`"),
        ("[zone.wards]\nnetworks = ['10.1/16']", "zone.wards.networks"),
        ("[zone.wards]\nlisteners = ['mqtt']", "zone.wards.networks"),
        ("[zone.wards]\nnetworks = ['::/0']\nlisteners = ['telnet']", "zone.wards.listeners"),
        ("[zone.wards]\nnetworks = ['::/0']\nroles = ['chef']", "zone.wards.roles"),
        ("[zone]\nwards = 1", "[zone.NAME]"),
    ] {
        let error = load(text, &[]).expect_err("refused");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn a_certificate_needs_its_key() {
    let error = load("[mqtt]\ncertificate = '/c.pem'", &[]).expect_err("refused");
    assert!(error.contains("mqtt.key"), "{error}");
}

#[test]
fn defaults_stay_on_this_machine() {
    let config = Config::default();
    for address in [config.http.listen, config.mqtt.listen, config.mllp.listen] {
        assert!(address.ip().is_loopback());
    }
}
