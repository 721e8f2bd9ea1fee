//! The names of the configuration: in the file, and as variables. An unknown one is an error that
//! names the nearest known one.

use crate::Misuse;

/// Every key, as `section.key`.
pub(crate) const KEYS: &[&str] = &[
    "tls.certificate",
    "tls.key",
    "tls.client_authority",
    "tls.revocation_lists",
    "tls.authority",
    "tls.authority_key",
    "tls.device_days",
    "tls.self_signed",
    "http.listen",
    "http.certificate",
    "http.key",
    "http.insecure",
    "http.trusted_proxies",
    "http.public_url",
    "http.connections_max",
    "http.origin",
    "login.second_factor",
    "mqtt.listen",
    "mqtt.tls_listen",
    "mqtt.certificate",
    "mqtt.key",
    "mqtt.client_authority",
    "mqtt.insecure",
    "mqtt.clients_max",
    "mqtt.packet_bytes_max",
    "mllp.listen",
    "mllp.tls_listen",
    "mllp.certificate",
    "mllp.key",
    "mllp.client_authority",
    "mllp.zone",
    "mllp.peers",
    "mllp.certificate_names",
    "mllp.insecure",
    "phd.listen",
    "phd.tls_listen",
    "phd.certificate",
    "phd.key",
    "phd.client_authority",
    "phd.peers",
    "phd.certificate_names",
    "phd.zone",
    "phd.system_id",
    "phd.set_time",
    "phd.stores",
    "phd.clear_stores",
    "phd.insecure",
    "coap.listen",
    "coap.plain_listen",
    "coap.sensors_max",
    "limits.device_messages_per_s",
    "limits.device_bytes_per_s",
    "limits.service_messages_per_s",
    "limits.service_bytes_per_s",
    "limits.http_account_per_s",
    "limits.http_address_per_s",
    "journal.keep_hours",
    "journal.keep_bytes_max",
    "journal.queue_bytes",
    "store.every_s",
    "retention.waveforms_days",
    "retention.numerics_days",
    "retention.alerts_days",
    "retention.quarantine_days",
    "retention.directory_history_days",
    "retention.audit_days",
    "retention.security_events_days",
    "privacy.treatment_without_consent",
    "privacy.research_without_consent",
    "privacy.emergency_overrides",
    "burden.higher_care",
    "alarm_policy.review",
    "profiles.folder",
    "audit.rotate_bytes",
    "audit.rotate_days",
    "audit.journal_every_s",
    "audit.witness_file",
    "audit.witness",
    "audit.repository",
    "keys.encrypt",
    "keys.file",
    "keys.environment",
    "keys.credential",
    "keys.token_module",
    "keys.token",
    "keys.token_pin_file",
    "keys.token_key",
    "keys.copy",
    "outgoing.ca_file",
    "outgoing.certificate_file",
    "outgoing.key_file",
    "edge.id",
    "edge.centre",
    "edge.code",
    "edge.certificate",
    "edge.key",
    "edge.spool_bytes_max",
    "edge.insecure",
    "oidc.issuer",
    "oidc.client_id",
    "oidc.client_secret_file",
    "oidc.scopes",
    "oidc.label",
    "oidc.name_claim",
    "oidc.groups_claim",
    "oidc.groups",
    "oidc.second_factor",
    "oidc.new_people",
    "oidc.link_claim",
    "oidc.ca_file",
    "sdc.provider",
    "sdc.consumer",
    "collect.nightscout",
    "collect.bluetooth",
    "models.shipped",
    "models.owner",
    "models.model",
    "zone.networks",
    "zone.listeners",
    "zone.roles",
    "webhook.name",
    "webhook.url",
    "webhook.secret",
    "webhook.roles",
    "webhook.priority",
    "alert_manager.name",
    "alert_manager.address",
    "alert_manager.insecure",
    "alert_manager.priority",
    "pump_server.name",
    "pump_server.address",
    "pump_server.devices",
    "pump_server.insecure",
];

/// Keys whose value is a list: a variable may give it with commas.
const LISTS: &[&str] = &["burden.higher_care", "login.second_factor", "tls.revocation_lists", "http.trusted_proxies", "mllp.peers", "mllp.certificate_names", "phd.peers", "phd.certificate_names", "oidc.scopes", "oidc.second_factor"];

/// Whether every key of a file is known.
pub(crate) fn check_keys(table: &toml::Table, place: &str) -> Result<(), Misuse> {
    for (section, value) in table {
        let known = KEYS.iter().any(|key| key.split('.').next() == Some(section));
        if !known {
            return Err(unknown(section, KEYS.iter().filter_map(|k| k.split('.').next()), place));
        }
        let tables: Vec<&toml::Table> = match value {
            // Zones are named by those who run the house.
            toml::Value::Table(zones) if section == "zone" => named(zones, place)?,
            toml::Value::Table(table) => vec![table],
            toml::Value::Array(list) => list.iter().filter_map(toml::Value::as_table).collect(),
            _ => return Err(Misuse(format!("{place}: `{section}` must be a table"))),
        };
        for key in tables.into_iter().flat_map(toml::Table::keys) {
            let full = format!("{section}.{key}");
            if !KEYS.contains(&full.as_str()) {
                return Err(unknown(&full, KEYS.iter().copied(), place));
            }
        }
    }
    Ok(())
}

fn named<'a>(tables: &'a toml::Table, place: &str) -> Result<Vec<&'a toml::Table>, Misuse> {
    let table = |value: &'a toml::Value| {
        value.as_table().ok_or_else(|| Misuse(format!("{place}: a zone is a table: [zone.NAME]")))
    };
    tables.values().map(table).collect()
}

fn unknown<'a>(key: &str, known: impl Iterator<Item = &'a str>, place: &str) -> Misuse {
    let nearest = known.min_by_key(|other| strsim::levenshtein(key, other)).unwrap_or("");
    Misuse(format!("{place}: unknown key `{key}`; the nearest known one is `{nearest}`"))
}

/// Whether a key stands in a list of tables, which no variable sets one by one.
fn listed(key: &str) -> bool {
    ["webhook.", "alert_manager.", "pump_server.", "zone."].iter().any(|list| key.starts_with(list))
}

/// Variables that say something else than a value of the configuration.
const OTHER_VARIABLES: [&str; 4] = ["VITALWIRE_MASTER_KEY", "VITALWIRE_DATA", "VITALWIRE_BIN", "VITALWIRE_PASSWORD"];

/// Puts the value of a variable in the place of the file's. Receivers of notifications come as a
/// whole: `VITALWIRE_WEBHOOK=[{name = "…", url = "…", secret = "…"}]`.
pub(crate) fn apply_variable(
    table: &mut toml::Table,
    name: &str,
    value: &str,
) -> Result<(), Misuse> {
    let Some(rest) = name.strip_prefix("VITALWIRE_") else { return Ok(()) };
    if OTHER_VARIABLES.contains(&name) {
        return Ok(());
    }
    // A value that is no TOML is a plain text: nobody quotes in a variable.
    let parsed = format!("v = {value}").parse::<toml::Table>().ok();
    let parsed = parsed.and_then(|mut table| table.remove("v"));
    if rest == "WEBHOOK" {
        let list = parsed.filter(toml::Value::is_array).ok_or_else(|| {
            Misuse(format!("{name}: write [{{name = \"…\", url = \"…\", secret = \"…\"}}]"))
        })?;
        table.insert("webhook".to_owned(), list);
        return check_keys(table, name);
    }
    if rest == "ALERT_MANAGER" {
        let list = parsed.filter(toml::Value::is_array).ok_or_else(|| {
            Misuse(format!("{name}: write [{{name = \"…\", address = \"mllps://…\"}}]"))
        })?;
        table.insert("alert_manager".to_owned(), list);
        return check_keys(table, name);
    }
    if rest == "PUMP_SERVER" {
        let list = parsed.filter(toml::Value::is_array).ok_or_else(|| {
            Misuse(format!("{name}: write [{{name = \"…\", address = \"mllps://…\", devices = [\"…\"]}}]"))
        })?;
        table.insert("pump_server".to_owned(), list);
        return check_keys(table, name);
    }
    if rest == "ZONE" {
        let zones = parsed.filter(toml::Value::is_table).ok_or_else(|| {
            Misuse(format!("{name}: write {{wards = {{networks = [\"10.1.0.0/16\"]}}}}"))
        })?;
        table.insert("zone".to_owned(), zones);
        return check_keys(table, name);
    }
    let variable = |key: &str| key.replace('.', "_").to_uppercase();
    let settable = || KEYS.iter().filter(|key| !listed(key));
    let Some(key) = settable().find(|key| variable(key) == rest) else {
        let names: Vec<String> = settable().map(|key| variable(key)).collect();
        return Err(unknown(rest, names.iter().map(String::as_str), "environment (VITALWIRE_…)"));
    };
    let text = |text: &str| toml::Value::String(text.trim().to_owned());
    let parsed = match parsed {
        Some(list @ toml::Value::Array(_)) => list,
        _ if LISTS.contains(key) => value.split(',').filter(|t| !t.trim().is_empty()).map(text).collect::<Vec<_>>().into(),
        Some(parsed) => parsed,
        None => toml::Value::String(value.to_owned()),
    };
    let (section, key) = key.split_once('.').unwrap_or((key, ""));
    let entry = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(section) = entry.as_table_mut() {
        section.insert(key.to_owned(), parsed);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
