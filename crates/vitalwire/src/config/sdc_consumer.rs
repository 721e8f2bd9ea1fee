//! `[sdc.consumer]`: which medical devices that speak IEEE 11073 SDC are taken in, and how.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use sdc::consumer::{Discovery, Known, Peer, Settings};
use serde::Deserialize;
use vitals::{DeviceId, Metric, Unit};

use super::{Config, Misuse};

/// `[sdc.consumer]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SdcConsumer {
    listen: SocketAddr,
    address: Option<String>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    authority: Option<PathBuf>,
    #[serde(default)]
    devices: Vec<SdcDevice>,
    discovery: Option<String>,
    #[serde(default)]
    allowed: Vec<String>,
    #[serde(default)]
    metrics: Vec<SdcMetric>,
    #[serde(default)]
    patient_roots: BTreeMap<String, String>,
    #[serde(default)]
    locations: bool,
    #[serde(default = "expires")]
    subscription_s: u32,
    #[serde(default = "language")]
    language: String,
}

/// One device with a known address.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SdcDevice {
    id: String,
    address: String,
    endpoint: Option<String>,
}

/// What a device's private code is here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SdcMetric {
    code: u32,
    metric: String,
    unit: Option<String>,
}

const fn expires() -> u32 {
    30
}

fn language() -> String {
    String::from("en")
}

impl Config {
    /// The SDC consumer, if there is one.
    ///
    /// # Errors
    /// [`Misuse`] naming what is missing or can't be.
    pub(crate) fn sdc_consumer(&self) -> Result<Option<Settings>, Misuse> {
        let Some(sdc) = &self.sdc.consumer else { return Ok(None) };
        let wrong = |what: &str| Misuse(format!("sdc.consumer: {what}"));
        let missing = |what: &str| wrong(&format!("{what} is needed, here or in [tls]"));
        let own = sdc.certificate.as_ref().zip(sdc.key.as_ref());
        let (certificate, key) = own
            .or(self.tls.certificate.as_ref().zip(self.tls.key.as_ref()))
            .ok_or_else(|| missing("certificate with key"))?;
        let authority = sdc.authority.as_ref().or(self.tls.client_authority.as_ref());
        let authority = authority.ok_or_else(|| wrong("authority is needed: who signs the devices' certificates"))?;
        if sdc.address.is_none() && sdc.listen.ip().is_unspecified() {
            return Err(wrong("address: write host:port that devices reach this machine by"));
        }
        let device = |device: &SdcDevice| {
            let id = DeviceId::new(&device.id).map_err(|_| wrong("devices: one id is no device id"))?;
            if !device.address.starts_with("https://") {
                return Err(wrong("devices: an address begins with https://"));
            }
            Ok(Peer { id, address: device.address.clone(), endpoint: device.endpoint.clone() })
        };
        let metric = |known: &SdcMetric| {
            let metric = Metric::by_refid(&known.metric).ok_or_else(|| wrong("metrics: a metric is unknown"))?;
            let unit = match &known.unit {
                Some(unit) => Some(Unit::from_ucum(unit).ok_or_else(|| wrong("metrics: a unit is unknown"))?),
                None => None,
            };
            Ok((known.code, Known { metric: metric.code, unit }))
        };
        let discovery = match sdc.discovery.as_deref() {
            None => None,
            Some("multicast") => Some(Discovery::AdHoc),
            Some(proxy) if proxy.starts_with("https://") => Some(Discovery::Proxy(proxy.to_owned())),
            Some(_) => return Err(wrong("discovery is `multicast` or the https:// address of a proxy")),
        };
        if !(3..=3_600).contains(&sdc.subscription_s) {
            return Err(wrong("subscription_s is 3 to 3600"));
        }
        Ok(Some(Settings {
            listen: sdc.listen,
            address: sdc.address.clone(),
            certificate: certificate.clone(),
            key: key.clone(),
            authority: authority.clone(),
            devices: sdc.devices.iter().map(device).collect::<Result<_, _>>()?,
            discovery,
            allowed: sdc.allowed.clone(),
            metrics: sdc.metrics.iter().map(metric).collect::<Result<HashMap<_, _>, _>>()?,
            patient_roots: sdc.patient_roots.clone().into_iter().collect(),
            locations: sdc.locations,
            expires: Duration::from_secs(u64::from(sdc.subscription_s)),
            language: sdc.language.clone(),
        }))
    }
}
