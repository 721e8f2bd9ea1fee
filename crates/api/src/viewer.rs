//! Whom somebody may see: asked of the access policy for each patient, wherever many are listed or
//! streamed. Answers are as of the moment they are asked for, so a list follows a patient who is
//! moved, opened in an emergency, or who withdraws a consent.

use std::sync::Arc;

use engine::PatientView;
use guard::{Asking, Categories, Category, Decision, Guard, Permission, Target, Units};
use live::Live;
use vitals::{DeviceId, PatientId, ReceiveTime};

use crate::access::Caller;
use crate::dto;
use crate::state::Api;
use crate::view;

/// Somebody who looks at many patients.
#[derive(Clone)]
pub struct Viewer {
    guard: Guard,
    live: Live,
    clock: fn() -> ReceiveTime,
    caller: Arc<Caller>,
}

/// Where a patient lies, as far as decisions look at it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whereabouts {
    unit: Option<String>,
    in_encounter: bool,
}

impl Whereabouts {
    fn of(seen: &PatientView) -> Self {
        Self {
            unit: seen.location.as_ref().map(|place| place.bed.unit.clone()),
            in_encounter: seen.encounter.is_some(),
        }
    }

    /// Of a patient by id.
    pub(crate) fn at(live: &Live, id: &PatientId) -> Self {
        survivor(live, id).map(|seen| Self::of(&seen)).unwrap_or_default()
    }

    pub(crate) fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    pub(crate) fn target<'a>(&'a self, id: &'a PatientId) -> Target<'a> {
        Target::Patient { id, unit: self.unit.as_deref(), in_encounter: self.in_encounter }
    }
}

/// The patient of that id; for a record that was merged, the one that lives on.
pub(crate) fn survivor(live: &Live, id: &PatientId) -> Option<Arc<PatientView>> {
    live.patient(id)
        .or_else(|| live.patients().into_iter().find(|seen| seen.merged.contains(id)))
}

impl Viewer {
    pub(crate) fn new(api: &Api, caller: Caller) -> Self {
        Self {
            guard: api.guard.clone(),
            live: api.live.clone(),
            clock: api.clock,
            caller: Arc::new(caller),
        }
    }

    /// Who it is.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    fn asking(&self) -> Asking<'_> {
        self.caller.asking()
    }

    /// Whether the viewer may do something, nobody in particular in mind.
    #[must_use]
    pub fn at_all(&self, permission: Permission) -> bool {
        let (asking, kind) = (self.asking(), Category::Demographics);
        self.guard.decide(asking, permission, Target::House, kind, (self.clock)()).allowed
    }

    /// Whether the viewer may see that there is such a patient, and who that is.
    #[must_use]
    pub fn may_see(&self, id: &PatientId) -> bool {
        self.kinds(Permission::SeePatients, id).has(Category::Demographics)
    }

    /// Which kinds of data of a patient a permission opens.
    #[must_use]
    pub fn kinds(&self, permission: Permission, id: &PatientId) -> Categories {
        match survivor(&self.live, id) {
            Some(seen) => self.kinds_of(permission, &seen),
            None => {
                let target = Whereabouts::default();
                self.guard.kinds(self.asking(), permission, target.target(id), (self.clock)())
            }
        }
    }

    /// The same of a patient at hand.
    #[must_use]
    pub fn kinds_of(&self, permission: Permission, seen: &PatientView) -> Categories {
        let place = Whereabouts::of(seen);
        let target = place.target(&seen.patient.id);
        self.guard.kinds(self.asking(), permission, target, (self.clock)())
    }

    /// Decides one thing about one patient.
    #[must_use]
    pub fn decide(&self, permission: Permission, id: &PatientId, kind: Category) -> Decision {
        let seen = survivor(&self.live, id);
        let place = seen.as_ref().map(|seen| Whereabouts::of(seen)).unwrap_or_default();
        let id = seen.as_ref().map_or(id, |seen| &seen.patient.id);
        self.guard.decide(self.asking(), permission, place.target(id), kind, (self.clock)())
    }

    /// Decides one thing about a patient as if they lay in a unit: for whoever is about to be put there.
    #[must_use]
    pub(crate) fn decide_in(&self, permission: Permission, id: &PatientId, unit: &str, kind: Category) -> Decision {
        let target = Target::Patient { id, unit: Some(unit), in_encounter: true };
        self.guard.decide(self.asking(), permission, target, kind, (self.clock)())
    }

    /// Whether a denied patient could be opened in an emergency.
    #[must_use]
    pub(crate) fn would_open(&self, permission: Permission, id: &PatientId, kind: Category) -> bool {
        let seen = survivor(&self.live, id);
        let place = seen.as_ref().map(|seen| Whereabouts::of(seen)).unwrap_or_default();
        let id = seen.as_ref().map_or(id, |seen| &seen.patient.id);
        self.guard.would_open(self.asking(), permission, place.target(id), kind, (self.clock)())
    }

    /// Decides one thing about a device.
    #[must_use]
    pub fn decide_device(&self, permission: Permission, id: &DeviceId) -> Decision {
        let line = self.live.device(id);
        let locations = self.live.locations();
        let unit = line
            .as_ref()
            .and_then(|line| line.device.location.as_ref())
            .and_then(|at| locations.iter().find(|place| place.id == *at))
            .map(|place| place.bed.unit.as_str());
        let target = Target::Device { id, unit, zone: "" };
        self.guard.decide(self.asking(), permission, target, Category::DeviceData, (self.clock)())
    }

    /// A patient's tile with what the viewer may see of it; none when that is nothing.
    #[must_use]
    pub fn tile(&self, seen: &PatientView, now_us: i64) -> Option<dto::Tile> {
        let kinds = self.kinds_of(Permission::SeePatients, seen);
        kinds.has(Category::Demographics).then(|| redacted(view::tile(seen, now_us), kinds))
    }

    /// Whether the account works with all units.
    #[must_use]
    pub fn whole_house(&self) -> bool {
        self.caller.account.units == Units::All
    }

    /// Whether an account of some units works with one.
    #[must_use]
    pub fn works_with(&self, unit: &str) -> bool {
        self.caller.account.units.hold(Some(unit))
    }

    /// A device with its patient's name only if the viewer may see that patient.
    #[must_use]
    pub fn device(&self, line: &engine::DeviceLine) -> dto::DeviceView {
        let mut device = view::device(line, &self.live);
        if line.patient.as_ref().is_some_and(|id| !self.may_see(id)) {
            device.patient = None;
        }
        device
    }
}

/// A tile without the kinds of data that are withheld.
pub(crate) fn redacted(mut tile: dto::Tile, kinds: Categories) -> dto::Tile {
    if !kinds.has(Category::VitalSigns) {
        tile.values.clear();
        tile.score = None;
        tile.risk = None;
    }
    if !kinds.has(Category::Waveforms) {
        tile.waves = false;
        tile.rhythm = None;
    }
    if !kinds.has(Category::Alerts) {
        tile.alarm = dto::AlarmSummary {
            priority: "none".to_owned(),
            count: 0,
            title: String::new(),
            episode: String::new(),
            since_ms: None,
            acknowledged: false,
            sounding: false,
        };
    }
    if !kinds.has(Category::DeviceData) {
        tile.devices.clear();
    }
    tile
}
