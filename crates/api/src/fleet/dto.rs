//! Shapes of `/api/v1/fleet`.

use std::collections::BTreeMap;

use fleet::campaign::{Campaign, Member};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Milliseconds of a time in microseconds.
pub(super) const fn ms(us: i64) -> i64 {
    us.div_euclid(1_000)
}

/// A device of the inventory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FleetDevice {
    pub(super) device: String,
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) serial: String,
    /// As on the label.
    pub(super) udi: String,
    /// The device identifier within the UDI: manufacturer and model.
    pub(super) udi_di: Option<String>,
    pub(super) firmware: String,
    pub(super) asset: String,
    /// SHA-256 or name of its bill of materials.
    pub(super) sbom: String,
    /// `heard`, `list` or `hand`.
    pub(super) source: String,
    /// When it came into the inventory.
    pub(super) first_ms: i64,
    /// When its entry changed last.
    pub(super) changed_ms: i64,
    /// When it was heard last.
    pub(super) heard_ms: Option<i64>,
    /// Whether it is on a patient.
    pub(super) on_patient: bool,
    /// `ok`, `below` or `unknown`.
    pub(super) verdict: String,
    /// Why.
    pub(super) why: String,
    /// Habits that it breaks now.
    pub(super) breaks: Vec<String>,
}

/// The inventory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InventoryPage {
    pub(super) devices: Vec<FleetDevice>,
    /// How many fit, shown or not.
    pub(super) total: usize,
    /// Devices by verdict, of all that fit.
    pub(super) verdicts: BTreeMap<String, usize>,
    pub(super) now_ms: i64,
}

/// What a person writes of a device; what is left out stays as it was.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ItemRequest {
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) udi: String,
    pub(super) firmware: String,
    pub(super) asset: String,
}

/// A file as text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FleetFile {
    /// Its name.
    #[serde(default)]
    pub(super) name: String,
    /// What is in it.
    pub(super) text: String,
}

/// A bill of materials for devices.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SbomRequest {
    pub(super) devices: Vec<String>,
    /// CycloneDX JSON, as text.
    pub(super) text: String,
}

/// How many.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FleetCount {
    pub(super) count: usize,
}

/// The oldest version that is good enough for a model.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MinimumVersion {
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) version: String,
}

/// A vulnerability of a device.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VulnerabilityLine {
    pub(super) device: String,
    pub(super) id: String,
    pub(super) advisory: String,
    pub(super) title: String,
    /// `model`, or the component's name.
    pub(super) via: String,
    pub(super) version: String,
    /// `affected`, `under-investigation`, `fixed` or `not-affected`.
    pub(super) status: String,
    /// False when the version is not known: it may be affected.
    pub(super) certain: bool,
    pub(super) cvss: Option<f64>,
    pub(super) severity: String,
    pub(super) remediation: String,
    pub(super) acknowledged: Option<AcknowledgedBy>,
}

/// What a person said to a vulnerability.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AcknowledgedBy {
    pub(super) by: String,
    pub(super) at_ms: i64,
    pub(super) reason: String,
}

/// Why a vulnerability may stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgeRequest {
    pub(super) id: String,
    /// On which device; empty: on all.
    #[serde(default)]
    pub(super) device: String,
    pub(super) reason: String,
}

/// An imported advisory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AdvisoryLine {
    pub(super) name: String,
    pub(super) at_ms: i64,
    pub(super) by: String,
    pub(super) vulnerabilities: usize,
}

/// A habit that a device broke.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HabitFinding {
    pub(super) number: i64,
    pub(super) device: String,
    /// `rate`, `kind`, `clock`, `stuck`, `jumps`, `copy` or `address`.
    pub(super) kind: String,
    pub(super) at_ms: i64,
    pub(super) usual: String,
    pub(super) seen: String,
}

/// A signed firmware image.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ImageLine {
    pub(super) path: String,
    pub(super) length: u64,
    pub(super) sha256: String,
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) version: String,
    /// Whether the image itself is here.
    pub(super) here: bool,
}

/// A campaign to be made. What is left out is as in a careful plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignRequest {
    pub(super) name: String,
    /// SHA-256 of a signed image.
    pub(super) sha256: String,
    /// Percent of all devices, a number a ring: `[5, 25, 100]`. Each may be a list of ids instead.
    pub(super) rings: Option<Vec<RingRequest>>,
    /// Minutes of the day, UTC: from, to.
    pub(super) hours: Option<(u16, u16)>,
    pub(super) battery_min_percent: Option<u8>,
    pub(super) at_once: Option<u16>,
    pub(super) failures_max_percent: Option<u8>,
    pub(super) confirmed_min_percent: Option<u8>,
    pub(super) soak_min: Option<u32>,
    pub(super) patience_min: Option<u32>,
}

/// One ring.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum RingRequest {
    /// Percent of all devices.
    Percent(u8),
    /// These.
    Devices(Vec<String>),
}

/// Why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CampaignWhy {
    pub(super) why: String,
}

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignView {
    pub(super) number: i64,
    pub(super) name: String,
    pub(super) manufacturer: String,
    pub(super) model: String,
    pub(super) version: String,
    /// `draft`, `running`, `paused`, `halted`, `rolling-back` or `finished`.
    pub(super) state: String,
    pub(super) why: String,
    /// The ring whose turn it is, from 1.
    pub(super) ring: usize,
    pub(super) rings: usize,
    /// Devices by step.
    pub(super) steps: BTreeMap<String, usize>,
    pub(super) devices: usize,
}

/// A campaign with its devices.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignDetail {
    pub(super) campaign: CampaignView,
    pub(super) members: Vec<CampaignMember>,
}

/// A device in a campaign.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CampaignMember {
    pub(super) device: String,
    /// From 1.
    pub(super) ring: usize,
    pub(super) step: String,
    pub(super) since_ms: i64,
    pub(super) before: String,
    pub(super) note: String,
}

impl CampaignView {
    pub(super) fn of(number: i64, campaign: &Campaign) -> Self {
        let target = &campaign.plan.target;
        Self {
            number,
            name: campaign.plan.name.clone(),
            manufacturer: target.manufacturer.clone(),
            model: target.model.clone(),
            version: target.version.clone(),
            state: campaign.state.name().to_owned(),
            why: campaign.why.clone(),
            ring: campaign.ring + 1,
            rings: campaign.plan.rings.len(),
            steps: campaign.counts().into_iter().map(|(step, n)| (step.name().to_owned(), n)).collect(),
            devices: campaign.members.len(),
        }
    }
}

impl CampaignMember {
    pub(super) fn of(device: &str, member: &Member) -> Self {
        Self {
            device: device.to_owned(),
            ring: member.ring + 1,
            step: member.step.name().to_owned(),
            since_ms: ms(member.since_us),
            before: member.before.clone(),
            note: member.note.clone(),
        }
    }
}

/// What a device is to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceCommand {
    /// `update`, `rollback` or `none`.
    pub(super) command: String,
    pub(super) campaign: Option<i64>,
    pub(super) version: Option<String>,
    pub(super) target: Option<String>,
    pub(super) url: Option<String>,
    pub(super) length: Option<u64>,
    pub(super) sha256: Option<String>,
}

/// What a device says of an update.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct DeviceReport {
    /// `downloading`, `installed`, `running`, `failed` or `rolled-back`.
    pub(super) state: String,
    /// With `running`: which version.
    #[serde(default)]
    pub(super) version: String,
    /// With `failed`: why.
    #[serde(default)]
    pub(super) reason: String,
}
