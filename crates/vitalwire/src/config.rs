//! Configuration: one TOML file, every value overridable by a `VITALWIRE_…` variable and some by
//! flags. An unknown key is an error that names the nearest known one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gateway::tls::TlsFiles;
use guard::{LISTENERS, Network, TrustSettings, Zone, Zones};
use runtime::{AlertManager, Webhook};
use serde::Deserialize;
use vitals::Role;

use crate::Misuse;
use crate::keys::{apply_variable, check_keys};

mod coap;
mod collect;
mod keeping;
mod models;
mod phd;
mod receivers;
mod sdc_consumer;
mod sdc_provider;
mod sections;
pub(crate) mod sign_on;

pub(crate) use coap::Coap;
pub(crate) use collect::Collect;
pub(crate) use keeping::{Privacy, Retention};
pub(crate) use models::{ModelText, Models, Place};
pub(crate) use phd::Phd;
pub(crate) use receivers::*;
pub(crate) use sections::*;
pub(crate) use sign_on::Oidc;

/// Everything that can be configured.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Config {
    pub(crate) tls: Tls,
    pub(crate) http: Http,
    pub(crate) login: Login,
    pub(crate) mqtt: Mqtt,
    pub(crate) mllp: Mllp,
    pub(crate) phd: Phd,
    pub(crate) coap: Coap,
    pub(crate) limits: Limits,
    pub(crate) journal: Journal,
    pub(crate) store: Store,
    pub(crate) retention: Retention,
    pub(crate) privacy: Privacy,
    pub(crate) burden: BurdenText,
    pub(crate) alarm_policy: AlarmPolicy,
    pub(crate) profiles: Profiles,
    pub(crate) audit: Audit,
    pub(crate) keys: Keys,
    pub(crate) oidc: Oidc,
    pub(crate) outgoing: Outgoing,
    pub(crate) edge: Edge,
    pub(crate) sdc: Sdc,
    pub(crate) collect: Collect,
    pub(crate) models: Models,
    pub(crate) zone: BTreeMap<String, ZoneText>,
    pub(crate) webhook: Vec<Receiver>,
    pub(crate) alert_manager: Vec<Manager>,
    pub(crate) pump_server: Vec<PumpServerText>,
    /// What was said, as it was said: in the file, by variables, by flags.
    #[serde(skip)]
    pub(crate) said: toml::Table,
}

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
        check_values(&table)?;
        let config: Self = toml::Value::Table(table.clone())
            .try_into()
            .map_err(|error| Misuse(format!("configuration: {error}")))?;
        let config = Self { said: table, ..config };
        config.webhooks()?;
        config.alert_managers()?;
        config.pump_servers()?;
        config.mllp_options()?;
        config.check_tls()?;
        config.trust()?;
        config.sdc_provider()?;
        config.sdc_consumer()?;
        config.check_collect()?;
        config.phd_listener()?;
        Ok(config)
    }

    /// Scheme, host and port under which browsers know the pages, where that is configured: by
    /// itself, or by the address that applications know.
    pub(crate) fn origin(&self) -> Option<String> {
        let public = || {
            let (scheme, rest) = self.http.public_url.as_deref()?.split_once("://")?;
            Some(format!("{scheme}://{}", rest.split('/').next()?.to_lowercase()))
        };
        self.http.origin.as_ref().map(|origin| origin.0.clone()).or_else(public)
    }

    /// What requests go out with.
    ///
    /// # Errors
    /// [`Misuse`] when the site's authorities, or our own certificate and key, can't be read.
    pub(crate) fn outgoing(&self) -> Result<outgoing::Client, Misuse> {
        let trusted = self.outgoing.ca_file.as_deref();
        let client = match (&self.outgoing.certificate_file, &self.outgoing.key_file) {
            (Some(chain), Some(key)) => outgoing::Client::with_certificate(trusted, chain, key),
            (None, None) => outgoing::Client::new(trusted),
            _ => return Err(Misuse("outgoing.certificate_file and outgoing.key_file go together".to_owned())),
        };
        client.map_err(|error| Misuse(format!("[outgoing]: {error}")))
    }

    /// The receivers of notifications.
    pub(crate) fn webhooks(&self) -> Result<Vec<Webhook>, Misuse> {
        self.webhook.iter().map(receiver).collect()
    }

    /// The alert managers that are told of alerts over HL7.
    pub(crate) fn alert_managers(&self) -> Result<Vec<AlertManager>, Misuse> {
        self.alert_manager.iter().map(manager).collect()
    }

    /// Who programs pumps with the infusion orders that are asked for.
    pub(crate) fn pump_servers(&self) -> Result<Vec<crate::infusion::PumpServer>, Misuse> {
        self.pump_server.iter().map(PumpServerText::read).collect()
    }

    /// How HL7 messages are read.
    pub(crate) fn mllp_options(&self) -> Result<wire_hl7::Options, Misuse> {
        let zone = jiff::tz::TimeZone::get(&self.mllp.zone).map_err(|_| {
            Misuse("mllp.zone: not a known time zone; write one such as Europe/Berlin".to_owned())
        })?;
        Ok(wire_hl7::Options { zone, ..wire_hl7::Options::default() })
    }

    /// How devices are trusted: authority, zones.
    ///
    /// # Errors
    /// [`Misuse`] naming the key.
    pub(crate) fn trust(&self) -> Result<TrustSettings, Misuse> {
        let authority = self.tls.authority.clone().zip(self.tls.authority_key.clone());
        let zones = self.zone.iter().map(|(name, text)| zone(name, text)).collect::<Result<_, _>>()?;
        if !(1..=825).contains(&self.tls.device_days) {
            return Err(Misuse("tls.device_days: 1 to 825 days".to_owned()));
        }
        Ok(TrustSettings { authority, days: self.tls.device_days, zones: Zones(zones) })
    }

    /// Certificate and key of the HTTP listener, if it speaks TLS.
    pub(crate) fn http_tls(&self) -> Option<TlsFiles> {
        let http = &self.http;
        self.tls(http.certificate.as_ref(), http.key.as_ref(), None)
    }

    /// Certificate and key of the MQTT TLS listener, if there is one.
    pub(crate) fn mqtt_tls(&self) -> Option<TlsFiles> {
        let mqtt = &self.mqtt;
        let authority = mqtt.client_authority.as_ref().or(self.tls.client_authority.as_ref());
        self.tls(mqtt.certificate.as_ref(), mqtt.key.as_ref(), authority)
    }

    /// Certificate and key of the MLLP TLS listener, if there is one.
    pub(crate) fn mllp_tls(&self) -> Option<TlsFiles> {
        let mllp = &self.mllp;
        let authority = mllp.client_authority.as_ref().or(self.tls.client_authority.as_ref());
        self.tls(mllp.certificate.as_ref(), mllp.key.as_ref(), authority)
    }

    fn tls(
        &self,
        certificate: Option<&PathBuf>,
        key: Option<&PathBuf>,
        authority: Option<&PathBuf>,
    ) -> Option<TlsFiles> {
        let own = certificate.zip(key);
        let (certificate, key) =
            own.or(self.tls.certificate.as_ref().zip(self.tls.key.as_ref()))?;
        Some(TlsFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_authority: authority.cloned(),
            revocation_lists: self.tls.revocation_lists.clone(),
        })
    }

    /// A certificate without its key, or the other way round, is nothing.
    fn check_tls(&self) -> Result<(), Misuse> {
        for (section, certificate, key) in [
            ("tls", &self.tls.certificate, &self.tls.key),
            ("http", &self.http.certificate, &self.http.key),
            ("mqtt", &self.mqtt.certificate, &self.mqtt.key),
            ("mllp", &self.mllp.certificate, &self.mllp.key),
            ("phd", &self.phd.certificate, &self.phd.key),
        ] {
            let missing = match (certificate, key) {
                (Some(_), None) => "key",
                (None, Some(_)) => "certificate",
                _ => continue,
            };
            return Err(Misuse(format!("{section}.{missing}: certificate and key go together")));
        }
        if self.tls.authority.is_some() != self.tls.authority_key.is_some() {
            return Err(Misuse("tls.authority: authority and authority_key go together; to trust an authority without its key, use tls.client_authority".to_owned()));
        }
        Ok(())
    }
}

fn zone(name: &str, text: &ZoneText) -> Result<Zone, Misuse> {
    let wrong = |key: &str, why: String| Misuse(format!("zone.{name}.{key}: {why}"));
    if !vitals::id::is_logical_id(name) {
        return Err(Misuse("zone: a name has 1 to 64 characters of A-Z a-z 0-9 - .".to_owned()));
    }
    let network = |text: &String| {
        Network::parse(text).ok_or_else(|| wrong("networks", "a network is written 10.1.0.0/16 or fd00::/8".to_owned()))
    };
    let role = |text: &String| {
        let known = || Role::ALL.map(Role::name).join(", ");
        Role::from_name(text).ok_or_else(|| wrong("roles", format!("a role is one of {}", known())))
    };
    if let Some(_unknown) = text.listeners.iter().find(|text| !LISTENERS.contains(&text.as_str())) {
        return Err(wrong("listeners", format!("a listener is one of {}", LISTENERS.join(", "))));
    }
    if text.networks.is_empty() {
        return Err(wrong("networks", "a zone has at least one network".to_owned()));
    }
    Ok(Zone {
        name: name.to_owned(),
        networks: text.networks.iter().map(network).collect::<Result<_, _>>()?,
        listeners: text.listeners.clone(),
        roles: text.roles.iter().map(role).collect::<Result<_, _>>()?,
    })
}

/// Tries each value by itself, so that what is wrong is told with its key.
fn check_values(table: &toml::Table) -> Result<(), Misuse> {
    for (section, value) in table {
        // Zones have names of their own, and are checked by name.
        if section == "zone" {
            continue;
        }
        for (key, value) in value.as_table().into_iter().flatten() {
            let one = toml::Table::from_iter([(key.clone(), value.clone())]);
            let alone = toml::Table::from_iter([(section.clone(), toml::Value::Table(one))]);
            let read: Result<Config, _> = toml::Value::Table(alone).try_into();
            if let Err(error) = read {
                let why = error.message().to_owned();
                return Err(Misuse(format!("configuration: {section}.{key}: {why}")));
            }
        }
    }
    Ok(())
}

fn manager(text: &Manager) -> Result<AlertManager, Misuse> {
    let wrong = |problem: &str| Misuse(format!("alert_manager `{}`: {problem}", text.name));
    let peer = outgoing::Peer::parse(&text.address)
        .ok_or_else(|| wrong("address: write mllps://host:port, or mllp://host:port without encryption"))?;
    if text.name.is_empty() || text.name.len() > 64 {
        return Err(wrong("name: what it calls itself in MSH-3"));
    }
    if !peer.encrypted && !peer.is_loopback() && !text.insecure {
        return Err(wrong("names of patients would go out unencrypted: write mllps://, or insecure = true"));
    }
    Ok(AlertManager { name: text.name.clone(), peer, priority: text.priority })
}

fn receiver(text: &Receiver) -> Result<Webhook, Misuse> {
    let wrong = |problem: &str| Misuse(format!("webhook `{}`: {problem}", text.name));
    let address = outgoing::Address::parse(&text.url).map_err(|error| wrong(&format!("url: {error}")))?;
    if text.secret.len() < 16 {
        return Err(wrong("secret must have at least 16 characters"));
    }
    let roles = text.roles.iter().map(|name| {
        Role::from_name(name).ok_or_else(|| wrong("a role is unknown; see `vitalwire user add --help`"))
    });
    Ok(Webhook {
        name: text.name.clone(),
        address,
        secret: text.secret.clone(),
        roles: roles.collect::<Result<_, _>>()?,
        priority: text.priority,
    })
}
