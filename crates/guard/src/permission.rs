//! What an account may be allowed to do: one name for each capability. Who is allowed which is said
//! by the access policy alone; the table here is what it answers.

use std::collections::HashSet;
use std::sync::LazyLock;

use policy::{Asker, Question, Subject, Target};
use vitals::Role;

use crate::decide::{self, QUIET};

/// Something that an account may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See the ward, patients, their trends, alerts and readings.
    SeePatients,
    /// Acknowledge, snooze, escalate and reset alerts.
    ActOnAlerts,
    /// Set a patient's own alarm limits and SpO2 scale.
    SetLimits,
    /// Put devices on patients and take them off.
    Associate,
    /// See the devices, where they are and how they do.
    SeeDevices,
    /// Mount devices, give and take their credentials.
    ManageDevices,
    /// See messages that could not be understood: raw, so with whatever patient data is in them.
    SeeQuarantine,
    /// Release or discard such messages.
    ReleaseQuarantine,
    /// See, change and test device profiles.
    ManageProfiles,
    /// See the alert policy.
    SeePolicy,
    /// Change the alert policy.
    ManagePolicy,
    /// Read and search over FHIR.
    ReadFhir,
    /// Create and change over FHIR.
    WriteFhir,
    /// Send readings of any device over MQTT. A device's own account sends its own without.
    SendReadings,
    /// Follow what all devices send over MQTT. A device's own account follows its own without.
    FollowReadings,
    /// See the program's own metrics.
    SeeMetrics,
    /// Add and remove accounts, give tokens.
    ManageUsers,
    /// Open a patient that is not one's own in an emergency, with a reason and for a time.
    UseBreakGlass,
    /// Review emergency accesses.
    ReviewAccess,
    /// Search and prove the audit trail.
    SeeAudit,
    /// See one's own record, who saw it, one's consents: a patient's own, and a caregiver's of whoever invited them.
    SeeOwnRecord,
    /// Give and withdraw one's own consents, invite and dismiss caregivers.
    ManageOwnConsent,
    /// See patients' consents and care teams.
    SeeConsents,
    /// Record patients' consents on their behalf, put staff into care teams.
    ManageConsents,
    /// See who lies where and how busy the wards are, without names and values.
    SeeMinimised,
    /// See measurements without whatever tells whose they are.
    SeeDeidentified,
    /// Export everything that is known about one person.
    ExportPerson,
    /// Erase one person, and prove it.
    ErasePerson,
    /// Set how long kinds of data are kept, place and release legal holds.
    ManageRetention,
    /// Claim, verify, suspend and retire devices; issue and revoke certificates; zones.
    ManageTrust,
    /// See security events and their evidence.
    SeeSecurity,
    /// Set minimum firmware, run update campaigns, load the vulnerability feed.
    ManageFirmware,
    /// Register applications that may ask for access (SMART on FHIR).
    ManageClients,
    /// Ask why the access policy decides as it does.
    SeePolicyDecisions,
    /// Let devices show themselves and measure; see what became of commands.
    CommandDevices,
    /// Change how devices measure and alarm.
    CommandSettings,
    /// Change what devices do to a patient.
    CommandTherapy,
    /// See what alarms cost: rates, floods, nuisances, by unit, bed and device, without names.
    SeeBurden,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 38] = [
        Self::SeePatients,
        Self::ActOnAlerts,
        Self::SetLimits,
        Self::Associate,
        Self::SeeDevices,
        Self::ManageDevices,
        Self::SeeQuarantine,
        Self::ReleaseQuarantine,
        Self::ManageProfiles,
        Self::SeePolicy,
        Self::ManagePolicy,
        Self::ReadFhir,
        Self::WriteFhir,
        Self::SendReadings,
        Self::FollowReadings,
        Self::SeeMetrics,
        Self::ManageUsers,
        Self::UseBreakGlass,
        Self::ReviewAccess,
        Self::SeeAudit,
        Self::SeeOwnRecord,
        Self::ManageOwnConsent,
        Self::SeeConsents,
        Self::ManageConsents,
        Self::SeeMinimised,
        Self::SeeDeidentified,
        Self::ExportPerson,
        Self::ErasePerson,
        Self::ManageRetention,
        Self::ManageTrust,
        Self::SeeSecurity,
        Self::ManageFirmware,
        Self::ManageClients,
        Self::SeePolicyDecisions,
        Self::CommandDevices,
        Self::CommandSettings,
        Self::CommandTherapy,
        Self::SeeBurden,
    ];

    /// Who is allowed this of a patient of theirs: what the built-in policy says
    /// (`crates/policy/src/default.cedar`).
    #[must_use]
    pub fn roles(self) -> Vec<Role> {
        Role::ALL.into_iter().filter(|role| self.granted_to(*role)).collect()
    }

    /// Whether the built-in policy allows a role this of a patient of theirs.
    #[must_use]
    pub fn granted_to(self, role: Role) -> bool {
        static TABLE: LazyLock<HashSet<(Permission, Role)>> = LazyLock::new(|| {
            let cells = Permission::ALL.into_iter().flat_map(|p| Role::ALL.map(|role| (p, role)));
            cells.filter(|(permission, role)| own(*permission, *role)).collect()
        });
        TABLE.contains(&(self, role))
    }

    /// Lower kebab-case name, as in the audit log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SeePatients => "see-patients",
            Self::ActOnAlerts => "act-on-alerts",
            Self::SetLimits => "set-limits",
            Self::Associate => "associate",
            Self::SeeDevices => "see-devices",
            Self::ManageDevices => "manage-devices",
            Self::SeeQuarantine => "see-quarantine",
            Self::ReleaseQuarantine => "release-quarantine",
            Self::ManageProfiles => "manage-profiles",
            Self::SeePolicy => "see-policy",
            Self::ManagePolicy => "manage-policy",
            Self::ReadFhir => "read-fhir",
            Self::WriteFhir => "write-fhir",
            Self::SendReadings => "send-readings",
            Self::FollowReadings => "follow-readings",
            Self::SeeMetrics => "see-metrics",
            Self::ManageUsers => "manage-users",
            Self::UseBreakGlass => "use-break-glass",
            Self::ReviewAccess => "review-access",
            Self::SeeAudit => "see-audit",
            Self::SeeOwnRecord => "see-own-record",
            Self::ManageOwnConsent => "manage-own-consent",
            Self::SeeConsents => "see-consents",
            Self::ManageConsents => "manage-consents",
            Self::SeeMinimised => "see-minimised",
            Self::SeeDeidentified => "see-deidentified",
            Self::ExportPerson => "export-person",
            Self::ErasePerson => "erase-person",
            Self::ManageRetention => "manage-retention",
            Self::ManageTrust => "manage-trust",
            Self::SeeSecurity => "see-security",
            Self::ManageFirmware => "manage-firmware",
            Self::ManageClients => "manage-clients",
            Self::SeePolicyDecisions => "see-policy-decisions",
            Self::CommandDevices => "command-devices",
            Self::CommandSettings => "command-settings",
            Self::CommandTherapy => "command-therapy",
            Self::SeeBurden => "see-burden",
        }
    }

    /// Whether it can be about a patient; whose patient that is then matters.
    #[must_use]
    pub const fn about_patients(self) -> bool {
        matches!(
            self,
            Self::SeePatients
                | Self::ActOnAlerts
                | Self::SetLimits
                | Self::Associate
                | Self::ReadFhir
                | Self::WriteFhir
                | Self::SendReadings
                | Self::FollowReadings
                | Self::UseBreakGlass
                | Self::ReviewAccess
                | Self::SeeOwnRecord
                | Self::ManageOwnConsent
                | Self::SeeConsents
                | Self::ManageConsents
                | Self::SeeMinimised
                | Self::SeeDeidentified
                | Self::ExportPerson
                | Self::ErasePerson
                | Self::ManageRetention
                | Self::CommandDevices
                | Self::CommandSettings
                | Self::CommandTherapy
        )
    }

    /// The permission of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.name() == name)
    }

    /// The whole policy as a Markdown table: a line a permission, a column a role.
    #[must_use]
    pub fn table() -> String {
        let row = |first: &str, cells: &[&str]| format!("| {first} | {} |\n", cells.join(" | "));
        let mut table = row("permission", &Role::ALL.map(Role::name));
        table.push_str(&row("---", &[":-:"; Role::ALL.len()]));
        for permission in Self::ALL {
            let cells = Role::ALL.map(|role| if permission.granted_to(role) { "yes" } else { "–" });
            table.push_str(&row(permission.name(), &cells));
        }
        table
    }
}

/// Whether the built-in policy allows a role this: of the house, and of a patient of theirs where it
/// can be about one.
fn own(permission: Permission, role: Role) -> bool {
    let patient = Subject { caregivers: &["x"], ..Subject::unknown("p-1") };
    let ask = |target| {
        let asker = Asker { name: "x", role, kind: "person", units: None, patient: Some("p-1") };
        decide::built_in().decide(&Question {
            asker,
            action: permission.name(),
            target,
            circumstances: QUIET,
        })
    };
    ask(Target::House).allowed && (!permission.about_patients() || ask(Target::Patient(patient)).allowed)
}
