//! Configuration: one TOML file, every value overridable by a `VITALWIRE_…` variable and some by
//! flags. An unknown key is an error that names the nearest known one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use alert::Priority;
use gateway::tls::TlsFiles;
use runtime::Webhook;
use serde::Deserialize;
use vitals::Role;

use crate::Misuse;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) http: Http,
    pub(crate) mqtt: Mqtt,
    pub(crate) mllp: Mllp,
    pub(crate) journal: Journal,
    pub(crate) store: Store,
    pub(crate) profiles: Profiles,
    pub(crate) webhook: Vec<Receiver>,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
}

/// `[mqtt]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Mqtt {
    pub(crate) listen: SocketAddr,
    pub(crate) tls_listen: SocketAddr,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_authority: Option<PathBuf>,
    pub(crate) clients_max: usize,
    pub(crate) packet_bytes_max: u32,
}

/// `[mllp]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Mllp {
    pub(crate) listen: SocketAddr,
    pub(crate) tls_listen: SocketAddr,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_authority: Option<PathBuf>,
    pub(crate) zone: String,
    pub(crate) peers: Vec<String>,
}

/// `[journal]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Journal {
    pub(crate) keep_hours: u32,
    pub(crate) keep_bytes_max: u64,
    pub(crate) queue_bytes: usize,
}

/// `[store]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Store {
    pub(crate) every_s: f64,
}

/// `[profiles]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Profiles {
    pub(crate) folder: Option<PathBuf>,
}

/// `[[webhook]]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Receiver {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    #[serde(default)]
    pub(crate) roles: Vec<String>,
    #[serde(default = "low")]
    pub(crate) priority: Priority,
}

fn low() -> Priority {
    Priority::Low
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: local(8080) }
    }
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            listen: local(1883),
            tls_listen: local(8883),
            certificate: None,
            key: None,
            client_authority: None,
            clients_max: 20_000,
            packet_bytes_max: 1 << 20,
        }
    }
}

impl Default for Mllp {
    fn default() -> Self {
        Self {
            listen: local(2575),
            tls_listen: local(2576),
            certificate: None,
            key: None,
            client_authority: None,
            zone: "UTC".to_owned(),
            peers: vec!["127.0.0.1".to_owned(), "::1".to_owned()],
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { keep_hours: 168, keep_bytes_max: 16 << 30, queue_bytes: 64 << 20 }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { every_s: 10.0 }
    }
}

/// Every key, as `section.key`.
const KEYS: [&str; 25] = [
    "http.listen",
    "mqtt.listen",
    "mqtt.tls_listen",
    "mqtt.certificate",
    "mqtt.key",
    "mqtt.client_authority",
    "mqtt.clients_max",
    "mqtt.packet_bytes_max",
    "mllp.listen",
    "mllp.tls_listen",
    "mllp.certificate",
    "mllp.key",
    "mllp.client_authority",
    "mllp.zone",
    "mllp.peers",
    "journal.keep_hours",
    "journal.keep_bytes_max",
    "journal.queue_bytes",
    "store.every_s",
    "profiles.folder",
    "webhook.name",
    "webhook.url",
    "webhook.secret",
    "webhook.roles",
    "webhook.priority",
];

impl Config {
    /// Reads the file, if one is given, and the environment.
    ///
    /// # Errors
    /// [`Misuse`] naming the file, the key and the remedy.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Misuse> {
        let mut table = match file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| Misuse(format!("cannot read {}: {error}", file.display())))?;
                let place = file.display().to_string();
                let table = text.parse::<toml::Table>();
                let table = table.map_err(|error| Misuse(format!("{place}: {error}")))?;
                check_keys(&table, &place)?;
                table
            }
            None => toml::Table::new(),
        };
        for (name, value) in environment {
            apply_variable(&mut table, &name, &value)?;
        }
        let config: Self = toml::Value::Table(table)
            .try_into()
            .map_err(|error| Misuse(format!("configuration: {error}")))?;
        config.webhooks()?;
        config.mllp_options()?;
        Ok(config)
    }

    /// The receivers of notifications.
    pub(crate) fn webhooks(&self) -> Result<Vec<Webhook>, Misuse> {
        self.webhook.iter().map(receiver).collect()
    }

    /// How HL7 messages are read.
    pub(crate) fn mllp_options(&self) -> Result<wire_hl7::Options, Misuse> {
        let zone = jiff::tz::TimeZone::get(&self.mllp.zone).map_err(|_| {
            Misuse("mllp.zone: not a known time zone; write one such as Europe/Berlin".to_owned())
        })?;
        Ok(wire_hl7::Options { zone, ..wire_hl7::Options::default() })
    }

    /// Certificate and key of the MQTT TLS listener, if both are given.
    pub(crate) fn mqtt_tls(&self) -> Option<TlsFiles> {
        let mqtt = &self.mqtt;
        tls(mqtt.certificate.as_ref(), mqtt.key.as_ref(), mqtt.client_authority.as_ref())
    }

    /// Certificate and key of the MLLP TLS listener, if both are given.
    pub(crate) fn mllp_tls(&self) -> Option<TlsFiles> {
        let mllp = &self.mllp;
        tls(mllp.certificate.as_ref(), mllp.key.as_ref(), mllp.client_authority.as_ref())
    }
}

fn tls(
    certificate: Option<&PathBuf>,
    key: Option<&PathBuf>,
    authority: Option<&PathBuf>,
) -> Option<TlsFiles> {
    Some(TlsFiles {
        certificate: certificate?.clone(),
        key: key?.clone(),
        client_authority: authority.cloned(),
    })
}

fn receiver(text: &Receiver) -> Result<Webhook, Misuse> {
    let wrong = |problem: &str| Misuse(format!("webhook `{}`: {problem}", text.name));
    // What leaves this machine is for a proxy to encrypt; it is signed either way.
    let rest = text.url.strip_prefix("http://").ok_or_else(|| wrong("url must begin with http://"))?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let port = if authority.contains(':') { "" } else { ":80" };
    if text.secret.len() < 16 {
        return Err(wrong("secret must have at least 16 characters"));
    }
    let roles = text.roles.iter().map(|name| {
        Role::from_name(name).ok_or_else(|| wrong("a role is unknown; see `vitalwire user add --help`"))
    });
    Ok(Webhook {
        name: text.name.clone(),
        authority: format!("{authority}{port}"),
        path: format!("/{path}"),
        secret: text.secret.clone(),
        roles: roles.collect::<Result<_, _>>()?,
        priority: text.priority,
    })
}

fn check_keys(table: &toml::Table, place: &str) -> Result<(), Misuse> {
    for (section, value) in table {
        let known = KEYS.iter().any(|key| key.split('.').next() == Some(section));
        if !known {
            return Err(unknown(section, KEYS.iter().filter_map(|k| k.split('.').next()), place));
        }
        let tables: Vec<&toml::Table> = match value {
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

fn unknown<'a>(key: &str, known: impl Iterator<Item = &'a str>, place: &str) -> Misuse {
    let nearest = known.min_by_key(|other| strsim::levenshtein(key, other)).unwrap_or("");
    Misuse(format!("{place}: unknown key `{key}`; the nearest known one is `{nearest}`"))
}

/// Variables that say something else than a value of the configuration.
const OTHER_VARIABLES: [&str; 3] = ["VITALWIRE_DATA", "VITALWIRE_BIN", "VITALWIRE_PASSWORD"];

fn apply_variable(table: &mut toml::Table, name: &str, value: &str) -> Result<(), Misuse> {
    let Some(rest) = name.strip_prefix("VITALWIRE_") else { return Ok(()) };
    if OTHER_VARIABLES.contains(&name) {
        return Ok(());
    }
    let variable = |key: &str| key.replace('.', "_").to_uppercase();
    let settable = || KEYS.iter().filter(|key| !key.starts_with("webhook."));
    let Some(key) = settable().find(|key| variable(key) == rest) else {
        let names: Vec<String> = settable().map(|key| variable(key)).collect();
        return Err(unknown(rest, names.iter().map(String::as_str), "environment (VITALWIRE_…)"));
    };
    let (section, key) = key.split_once('.').unwrap_or((key, ""));
    // A value that is no TOML is a plain text: nobody quotes in a variable.
    let parsed = format!("v = {value}").parse::<toml::Table>().ok();
    let parsed = parsed.and_then(|mut table| table.remove("v"));
    let parsed = parsed.unwrap_or_else(|| toml::Value::String(value.to_owned()));
    let entry = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
    if let Some(section) = entry.as_table_mut() {
        section.insert(key.to_owned(), parsed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("c.toml");
        std::fs::write(&file, text).expect("written");
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::load(Some(&file), environment).map_err(|error| error.to_string())
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        for (text, expected) in [
            ("[http]\nlissten = 'x'", "`http.listen`"),
            ("[htttp]\nlisten = 'x'", "`http`"),
            ("[store]\nevery = 1", "`store.every_s`"),
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
        let hook = |url: &str, secret: &str| {
            load(&format!("[[webhook]]\nname='a'\nurl='{url}'\nsecret='{secret}'"), &[])
        };
        assert!(hook("http://pager:9/x", "0123456789abcdef").is_ok());
        assert!(hook("ftp://pager", "0123456789abcdef").is_err());
        assert!(hook("http://pager", "short").is_err());
    }

    #[test]
    fn defaults_stay_on_this_machine() {
        let config = Config::default();
        for address in [config.http.listen, config.mqtt.listen, config.mllp.listen] {
            assert!(address.ip().is_loopback());
        }
    }
}
