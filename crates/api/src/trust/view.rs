//! The shapes of trust in the application API. Times are milliseconds since 1970, UTC.

use guard::{Code, DeviceTrust, Issued, LifeStep, SecurityLine, Zone};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vitals::{ReceiveTime, Role};

/// A device as it is trusted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TrustedDevice {
    /// Device id.
    pub id: String,
    /// `announced`, `claimed`, `verified`, `active`, `suspended` or `retired`.
    pub state: String,
    /// Since when.
    pub since_ms: i64,
    /// Who brought it there.
    pub who: String,
    /// Why.
    pub why: String,
    /// Steps that are legal now: `claim`, `verify`, `activate`, `suspend`, `retire`.
    pub steps: Vec<String>,
    /// The zone that it belongs to; empty: any.
    pub zone: String,
    /// What kind of device it is, which says what it may send; empty: everything.
    pub kind: String,
    /// Metrics that it may send beside its kind's: reference ids, their beginnings with `*`, groups.
    pub metrics: Vec<String>,
    /// How it proves who it is: `none`, `password`, `key` or `certificate`.
    pub credential: String,
    /// Whether it is let in with less than a certificate.
    pub weak: bool,
    /// Its newest certificate that was not revoked.
    pub certificate: Option<CertificateView>,
    /// Until when its enrolment code holds, if it has one.
    pub code_until_ms: Option<i64>,
    /// Where and how often it was refused for not being known or in service.
    pub heard: Option<HeardView>,
}

/// Where and how often a device was refused.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct HeardView {
    /// For the first time.
    pub first_ms: i64,
    /// For the last time.
    pub last_ms: i64,
    /// How often.
    pub count: u64,
    /// From which address last.
    pub source: String,
    /// At which listener last.
    pub door: String,
}

/// A certificate of a device.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct CertificateView {
    /// Whose.
    pub device: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// SHA-256, hexadecimal.
    pub fingerprint: String,
    /// Whether our authority issued it; if not, the device showed it.
    pub ours: bool,
    /// From when it holds.
    pub from_ms: i64,
    /// Until when.
    pub until_ms: i64,
    /// How it came about.
    pub how: String,
    /// When it was revoked, if it was.
    pub revoked_ms: Option<i64>,
    /// Why it was revoked; empty when it was not.
    pub reason: String,
    /// By whom; empty when it was not.
    pub revoked_by: String,
}

/// One step of a device's life.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LifeStepView {
    /// When.
    pub at_ms: i64,
    /// Where it was; empty when it was not known.
    pub was: String,
    /// Where it came.
    pub became: String,
    /// Who did it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// One device with its life and certificates.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TrustedDetail {
    pub device: TrustedDevice,
    /// Newest first.
    pub life: Vec<LifeStepView>,
    pub certificates: Vec<CertificateView>,
}

/// What a person says of a device that they claim.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimRequest {
    /// The zone that it belongs to; empty: any.
    #[serde(default)]
    pub zone: String,
    /// What kind of device it is; empty: it may send everything.
    #[serde(default)]
    pub kind: String,
    /// Metrics beside its kind's.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// Whether it goes into service as soon as it has proved its key.
    #[serde(default = "yes")]
    pub activate: bool,
    /// Why.
    pub why: String,
}

fn yes() -> bool {
    true
}

/// A one-time enrolment code, shown once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EnrolmentCode {
    /// The device.
    pub device: String,
    /// The code: five groups of four characters.
    pub code: String,
    /// Until when it holds.
    pub until_ms: i64,
    /// What the QR code says.
    pub link: String,
    /// The QR code, as SVG.
    pub qr_svg: String,
    /// SHA-256 of the authority's certificate, hexadecimal, for the device to compare.
    pub authority_sha256: String,
}

/// Why something is done.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    /// For people; kept.
    pub why: String,
}

/// Where a device belongs and what it may send.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RightsRequest {
    /// The zone; empty: any.
    pub zone: String,
    /// The kind; empty: everything may be sent.
    pub kind: String,
    /// Metrics beside the kind's.
    pub metrics: Vec<String>,
}

/// Why a certificate is revoked.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeRequest {
    /// `unspecified`, `key-compromise`, `superseded`, `cessation-of-operation` or `privilege-withdrawn`.
    pub reason: String,
}

/// The authority that certifies devices.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AuthorityView {
    /// Its certificate (PEM); empty as long as nothing was certified.
    pub pem: String,
    /// SHA-256 of its certificate, hexadecimal.
    pub sha256: String,
    /// Until when it holds.
    pub until_ms: Option<i64>,
    /// How long certificates of devices hold, days.
    pub days: u32,
    /// The kinds of devices that are known.
    pub kinds: Vec<String>,
}

/// A zone.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ZoneView {
    /// Its name.
    pub name: String,
    /// Its networks.
    pub networks: Vec<String>,
    /// Listeners that answer there; empty: all.
    pub listeners: Vec<String>,
    /// Roles that work from there; empty: all.
    pub roles: Vec<String>,
    /// Devices that belong to it.
    pub devices: usize,
}

/// A security event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SecurityEventView {
    /// Its number.
    pub number: i64,
    /// What: `wrong-zone`, `forbidden-metric`, `revoked-certificate`, …
    pub kind: String,
    /// Which device; may be empty.
    pub device: String,
    /// In which zone; may be empty.
    pub zone: String,
    /// For the first time.
    pub first_ms: i64,
    /// For the last time.
    pub last_ms: i64,
    /// How often.
    pub count: u64,
    /// What was seen the last time.
    pub evidence: String,
    /// Who took it; empty when nobody did.
    pub taken_by: String,
    /// When it was taken.
    pub taken_ms: Option<i64>,
    /// Their note.
    pub note: String,
}

/// A note of whoever takes an event.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TakeRequest {
    /// For people; kept.
    pub note: String,
}

/// How many security events nobody has taken yet.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct OpenEvents {
    /// How many.
    pub open: u64,
}

impl From<Issued> for CertificateView {
    fn from(one: Issued) -> Self {
        let (revoked_ms, reason, revoked_by) = match one.revoked {
            None => (None, String::new(), String::new()),
            Some((at, reason, by)) => (Some(at.millis()), reason, by),
        };
        Self {
            device: one.device.to_string(),
            serial: one.serial,
            fingerprint: one.fingerprint,
            ours: one.ours,
            from_ms: one.from.millis(),
            until_ms: one.until.millis(),
            how: one.how,
            revoked_ms,
            reason,
            revoked_by,
        }
    }
}

impl From<DeviceTrust> for TrustedDevice {
    fn from(found: DeviceTrust) -> Self {
        Self {
            id: found.id.to_string(),
            state: found.state.name().to_owned(),
            since_ms: found.since.millis(),
            who: found.who,
            why: found.why,
            steps: found.state.steps().map(|step| step.name().to_owned()).collect(),
            zone: found.zone,
            kind: found.kind,
            metrics: found.metrics,
            credential: found.credential.name().to_owned(),
            weak: found.credential == guard::Credential::Password,
            certificate: found.certificate.map(CertificateView::from),
            code_until_ms: found.code_until.map(ReceiveTime::millis),
            heard: found.heard.map(|heard| HeardView {
                first_ms: heard.first.millis(),
                last_ms: heard.last.millis(),
                count: heard.count,
                source: heard.source,
                door: heard.door,
            }),
        }
    }
}

impl From<LifeStep> for LifeStepView {
    fn from(step: LifeStep) -> Self {
        let LifeStep { at, was, became, who, why } = step;
        Self { at_ms: at.millis(), was, became, who, why }
    }
}

impl From<SecurityLine> for SecurityEventView {
    fn from(line: SecurityLine) -> Self {
        let (taken_by, taken_ms, note) = match line.taken {
            None => (String::new(), None, String::new()),
            Some((by, at, note)) => (by, Some(at.millis()), note),
        };
        Self {
            number: line.number,
            kind: line.kind,
            device: line.device,
            zone: line.zone,
            first_ms: line.first.millis(),
            last_ms: line.last.millis(),
            count: line.count,
            evidence: line.evidence,
            taken_by,
            taken_ms,
            note,
        }
    }
}

impl ZoneView {
    pub(crate) fn of(zone: &Zone, devices: usize) -> Self {
        Self {
            name: zone.name.clone(),
            networks: zone.networks.iter().map(ToString::to_string).collect(),
            listeners: zone.listeners.clone(),
            roles: zone.roles.iter().copied().map(Role::name).map(str::to_owned).collect(),
            devices,
        }
    }
}

impl EnrolmentCode {
    /// What a device, or the person who sets it up, needs: as text and as QR code. The code stands
    /// behind `#`, so that a browser that opens the link sends it to nobody.
    pub(crate) fn of(device: &str, code: &Code, host: &str, authority_sha256: String) -> Self {
        let link = format!(
            "https://{host}/.well-known/est#device={device}&code={}&ca={authority_sha256}",
            code.text
        );
        let qr_svg = QrCode::new(link.as_bytes()).map_or_else(
            |_| String::new(),
            |made| made.render::<svg::Color<'_>>().min_dimensions(240, 240).build(),
        );
        Self {
            device: device.to_owned(),
            code: code.text.clone(),
            until_ms: code.until.millis(),
            link,
            qr_svg,
            authority_sha256,
        }
    }
}
