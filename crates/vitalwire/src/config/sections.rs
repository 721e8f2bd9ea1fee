//! The sections of the configuration and their defaults.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use vitals::Role;

/// `[tls]`: for every listener that has no certificate of its own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_authority: Option<PathBuf>,
    /// Lists of certificates that the site's authority revoked.
    pub(crate) revocation_lists: Vec<PathBuf>,
    /// The site's authority, to certify devices with in place of one of our own.
    pub(crate) authority: Option<PathBuf>,
    pub(crate) authority_key: Option<PathBuf>,
    /// How long certificates hold that are made here, days.
    pub(crate) device_days: u32,
    /// Make a certificate in the data folder when none is given.
    pub(crate) self_signed: bool,
}

/// `[burden]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct BurdenText {
    /// Units of higher care: whoever is moved there from another deteriorated.
    pub(crate) higher_care: Vec<String>,
}

impl Default for BurdenText {
    fn default() -> Self {
        Self { higher_care: vec!["ICU".to_owned()] }
    }
}

/// `[alarm_policy]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct AlarmPolicy {
    /// Whom it takes to change the alarm policy where there are accounts.
    pub(crate) review: api::laboratory::Review,
}

/// `[zone.NAME]`
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ZoneText {
    pub(crate) networks: Vec<String>,
    pub(crate) listeners: Vec<String>,
    pub(crate) roles: Vec<String>,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Http {
    pub(crate) listen: SocketAddr,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// Allow an address that others reach without TLS.
    pub(crate) insecure: bool,
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// The address under which people and programs reach this, such as `https://ehr.example`: what
    /// applications' requests and proofs have to name. Without it, whichever each request names.
    pub(crate) public_url: Option<String>,
    pub(crate) connections_max: usize,
    /// Scheme, host and port under which browsers know the pages: what passkeys are bound to.
    pub(crate) origin: Option<WebOrigin>,
}

/// `[login]`: how people log in.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Login {
    /// Roles that must show a second factor.
    #[serde(deserialize_with = "roles")]
    pub(crate) second_factor: Vec<Role>,
}

/// Roles by the names that people know them by.
fn roles<'de, D: serde::Deserializer<'de>>(names: D) -> Result<Vec<Role>, D::Error> {
    let role = |name: String| {
        let known = || format!("not a role; roles are {}", Role::ALL.map(Role::name).join(", "));
        Role::from_name(&name).ok_or_else(|| serde::de::Error::custom(known()))
    };
    Vec::<String>::deserialize(names)?.into_iter().map(role).collect()
}

/// `https://ward.example:8443`: no path, and a name that browsers can tell.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct WebOrigin(pub(crate) String);

impl TryFrom<String> for WebOrigin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let good = rest.is_some_and(|host| {
            !host.is_empty() && !host.contains(['/', '?', '#', '@']) && host == host.to_lowercase()
        });
        if good { Ok(Self(text)) } else { Err("write an origin such as https://ward.example:8443, in lower case, without a path") }
    }
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
    /// Allow an address that others reach without TLS.
    pub(crate) insecure: bool,
    pub(crate) clients_max: usize,
    pub(crate) packet_bytes_max: u32,
}

/// `[limits]`: how much one identity may send; whoever sends more is slowed, and nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Limits {
    /// Of a device with its own account.
    pub(crate) device_messages_per_s: u32,
    pub(crate) device_bytes_per_s: u32,
    /// Of a program that speaks for many devices, and of an HL7 peer.
    pub(crate) service_messages_per_s: u32,
    pub(crate) service_bytes_per_s: u32,
    /// Of an account over HTTP, and of an address before it is known who asks.
    pub(crate) http_account_per_s: u32,
    pub(crate) http_address_per_s: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            device_messages_per_s: 2_000,
            device_bytes_per_s: 16 << 20,
            service_messages_per_s: 1_000_000,
            service_bytes_per_s: 1 << 30,
            http_account_per_s: 2_000,
            http_address_per_s: 500,
        }
    }
}

impl Limits {
    /// What a device may send.
    pub(crate) fn device(&self) -> gateway::Allowance {
        allowance(self.device_messages_per_s, self.device_bytes_per_s)
    }

    /// What a program may send.
    pub(crate) fn service(&self) -> gateway::Allowance {
        allowance(self.service_messages_per_s, self.service_bytes_per_s)
    }

    /// Requests over HTTP.
    pub(crate) fn http(&self) -> api::fleet::HttpLimits {
        api::fleet::HttpLimits {
            account_per_s: f64::from(self.http_account_per_s.max(1)),
            address_per_s: f64::from(self.http_address_per_s.max(1)),
        }
    }
}

/// Ten seconds' worth may come at once: a device that was away has stored some.
fn allowance(messages_per_s: u32, bytes_per_s: u32) -> gateway::Allowance {
    let rate = |per_s: u32| {
        let per_s = f64::from(per_s.max(1));
        fleet::limit::Rate { per_s, burst: per_s * 10.0 }
    };
    gateway::Allowance { messages: rate(messages_per_s), bytes: rate(bytes_per_s) }
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
    pub(crate) peers: Vec<IpAddr>,
    /// Names in clients' certificates that are let in from any address.
    pub(crate) certificate_names: Vec<String>,
    /// Allow an address that others reach without TLS.
    pub(crate) insecure: bool,
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

/// `[keys]`: where the key is that all others are wrapped with. Nothing of it is secret itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Keys {
    /// Encrypt what is kept. Only a data folder that never was may go without.
    pub(crate) encrypt: bool,
    pub(crate) file: Option<PathBuf>,
    /// Name of a variable that holds the key.
    pub(crate) environment: Option<String>,
    /// Name of a systemd credential.
    pub(crate) credential: Option<String>,
    /// The library of a PKCS#11 token, and what in it.
    pub(crate) token_module: Option<PathBuf>,
    pub(crate) token: Option<String>,
    pub(crate) token_pin_file: Option<PathBuf>,
    pub(crate) token_key: Option<String>,
    /// A copy of the keyring, overwritten at each backup and each erasure.
    pub(crate) copy: Option<PathBuf>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            encrypt: true,
            file: None,
            environment: None,
            credential: None,
            token_module: None,
            token: None,
            token_pin_file: None,
            token_key: None,
            copy: None,
        }
    }
}

/// `[audit]`
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Audit {
    /// The log goes on to another file at this size; 0: never.
    pub(crate) rotate_bytes: u64,
    /// …and at this age of its first record; 0: never.
    pub(crate) rotate_days: u32,
    /// The journal's end is noted in the log this often.
    pub(crate) journal_every_s: u32,
    /// A file on another disk that keeps the last signed head.
    pub(crate) witness_file: Option<PathBuf>,
    /// Machines that sign our heads.
    pub(crate) witness: Vec<Witness>,
    /// Audit repositories (IHE ATNA) that get every record.
    pub(crate) repository: Vec<Repository>,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            rotate_bytes: 256 << 20,
            rotate_days: 30,
            journal_every_s: 60,
            witness_file: None,
            witness: Vec::new(),
            repository: Vec::new(),
        }
    }
}

/// One of `audit.witness` (C2SP tlog-witness).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Witness {
    pub(crate) name: String,
    pub(crate) url: String,
    /// `name+hash+base64`, as the witness prints it.
    pub(crate) public_key: String,
    /// The authority that signs its certificate, for https.
    #[serde(default)]
    pub(crate) authority: Option<PathBuf>,
}

/// One of `audit.repository`: syslog over TLS (RFC 5425), or plain where there is no authority.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Repository {
    pub(crate) name: String,
    /// `host:port`
    pub(crate) address: String,
    /// The authority that signs its certificate.
    #[serde(default)]
    pub(crate) authority: Option<PathBuf>,
    /// Our own certificate, where it wants one.
    #[serde(default)]
    pub(crate) certificate: Option<PathBuf>,
    #[serde(default)]
    pub(crate) key: Option<PathBuf>,
    /// Send without encryption: only within one machine, or where something else encrypts.
    #[serde(default)]
    pub(crate) insecure: bool,
}

/// `[sdc]`: IEEE 11073 SDC.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Sdc {
    /// Devices of ours for other systems; none: nothing listens.
    pub(crate) provider: Option<super::sdc_provider::SdcProvider>,
    /// Devices of others that are taken in; none: nobody is asked.
    pub(crate) consumer: Option<super::sdc_consumer::SdcConsumer>,
}

/// `[edge]`: of `vitalwire edge`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Edge {
    /// Under which id the centre knows it.
    pub(crate) id: Option<String>,
    /// Address of the centre.
    pub(crate) centre: Option<String>,
    /// The code that the centre gave; needed once.
    pub(crate) code: Option<String>,
    /// PEM file of the certificate that the edge shows its centre.
    pub(crate) certificate: Option<PathBuf>,
    /// PEM file of its key.
    pub(crate) key: Option<PathBuf>,
    /// What may wait to be sent, bytes.
    pub(crate) spool_bytes_max: u64,
    /// Allow a centre's address without TLS.
    pub(crate) insecure: bool,
}

impl Default for Edge {
    fn default() -> Self {
        Self {
            id: None,
            centre: None,
            code: None,
            certificate: None,
            key: None,
            spool_bytes_max: 1 << 30,
            insecure: false,
        }
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: None,
            key: None,
            client_authority: None,
            revocation_lists: Vec::new(),
            authority: None,
            authority_key: None,
            device_days: 90,
            self_signed: false,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: local(8080),
            certificate: None,
            key: None,
            insecure: false,
            trusted_proxies: Vec::new(),
            public_url: None,
            connections_max: 4_096,
            origin: None,
        }
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
            insecure: false,
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
            peers: vec![IpAddr::from([127, 0, 0, 1]), IpAddr::V6(Ipv6Addr::LOCALHOST)],
            certificate_names: Vec::new(),
            insecure: false,
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self { keep_hours: 168, keep_bytes_max: 16 << 30, queue_bytes: 8 << 20 }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self { every_s: 10.0 }
    }
}
