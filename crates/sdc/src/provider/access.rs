//! Who a peer is, and what it may: certificates, accounts, the policy, the audit log.

use std::net::IpAddr;
use std::sync::Arc;

use engine::{DeviceLine, PatientView};
use guard::{Account, Asking, Category, Deed, Guard, Note, Outcome, Permission, Presented, Record, Target};
use vitals::{PatientId, ReceiveTime};

use super::settings::Peer;

/// Kinds of data that a host shows: who may not have all of them sees nothing of the patient.
const SHOWN: [Category; 5] = [
    Category::Demographics,
    Category::VitalSigns,
    Category::Waveforms,
    Category::Alerts,
    Category::DeviceData,
];

/// Somebody who came in.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    /// The account's name.
    pub(super) account: String,
    /// The certificate.
    pub(super) presented: Arc<Presented>,
    /// From where.
    pub(super) address: IpAddr,
}

/// Decides and records.
#[derive(Debug, Clone)]
pub(super) struct Access {
    /// The guard.
    pub(super) guard: Guard,
    /// Who may come.
    pub(super) peers: Arc<[Peer]>,
    /// Our clock.
    pub(super) clock: fn() -> ReceiveTime,
}

impl Access {
    /// Who shows this certificate, if it is one of the peers; its chain was proved before.
    pub(super) fn known(&self, der: &[u8], address: IpAddr) -> Option<Caller> {
        let presented = Presented::read(der)?;
        let peer = self.peers.iter().find(|peer| presented.names.contains(&peer.certificate));
        let caller = peer.map(|peer| Caller { account: peer.account.clone(), presented: Arc::new(presented), address });
        let caller = caller.filter(|caller| self.account(caller).is_some());
        let note = Note {
            action: "sdc-connect",
            route: "SDC",
            actor: caller.as_ref().map_or_else(|| "unknown".to_owned(), |caller| caller.account.clone()),
            source: Some(address),
            outcome: if caller.is_some() { Outcome::Allowed } else { Outcome::Denied },
            object: String::new(),
            factor: "certificate",
        };
        self.guard.note(note, (self.clock)());
        caller
    }

    /// The account, if it and its certificate still hold.
    pub(super) fn account(&self, caller: &Caller) -> Option<Account> {
        let now = (self.clock)();
        if self.guard.is_open() {
            return caller.presented.holds(now).then(Account::trial);
        }
        self.guard.judge(&caller.presented, now).ok()?;
        self.guard.service_named(&caller.account)
    }

    /// Whether an account may see a host as it is now.
    pub(super) fn sees(&self, account: &Account, line: &DeviceLine, patient: Option<&PatientView>) -> bool {
        let (asking, now) = (Asking::plainly(account), (self.clock)());
        match patient {
            Some(patient) => {
                let kinds = self.guard.kinds(asking, Permission::SeePatients, of(patient), now);
                SHOWN.iter().all(|category| kinds.has(*category))
            }
            None => {
                let target = Target::Device { id: &line.device.id, unit: None, zone: "" };
                self.guard.decide(asking, Permission::SeeDevices, target, Category::DeviceData, now).allowed
            }
        }
    }

    /// Whether an account may do something to a patient.
    pub(super) fn may(&self, account: &Account, permission: Permission, patient: &PatientView) -> bool {
        let category = if permission == Permission::Associate { Category::DeviceData } else { Category::Alerts };
        self.guard.decide(Asking::plainly(account), permission, of(patient), category, (self.clock)()).allowed
    }

    /// Records something; whether it is on the disk. No audit, no access.
    pub(super) async fn record(&self, account: &Account, caller: &Caller, deed: Deed, what: Recorded<'_>) -> bool {
        let record = Record {
            at: (self.clock)(),
            actor: account.name.clone(),
            role: Some(account.role),
            action: deed,
            route: format!("SDC {}", what.message),
            subject: what.patient.cloned(),
            outcome: what.outcome,
            object: what.device.to_owned(),
            source: Some(caller.address),
            factor: "certificate".to_owned(),
            ..Record::default()
        };
        match self.guard.audit(record).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "SDC: nothing is answered, for the audit log failed");
                false
            }
        }
    }
}

/// What a record is about.
pub(super) struct Recorded<'a> {
    /// Name of the message.
    pub(super) message: &'a str,
    /// Which device.
    pub(super) device: &'a str,
    /// Whose data.
    pub(super) patient: Option<&'a PatientId>,
    /// How it went.
    pub(super) outcome: Outcome,
}

fn of(patient: &PatientView) -> Target<'_> {
    Target::Patient {
        id: &patient.patient.id,
        unit: patient.location.as_ref().map(|place| place.bed.unit.as_str()),
        in_encounter: patient.encounter.is_some(),
    }
}
