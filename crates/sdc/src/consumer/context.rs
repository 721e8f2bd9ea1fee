//! The device itself, its place and its patient.
//!
//! A device's word about its patient counts only where a site said which identifiers are its own
//! (`patient_roots`); it then goes the way of every message that names a patient: a person's
//! association stands against it, and readings that contradict it belong to nobody. Anything else
//! that a device says about its patient is told in quarantine and associates nobody.

use vitals::{
    ClockMethod, Component, Content, Device, DeviceId, DirectoryEvent, HumanName, Identifier, LocationId,
    MetricCode, PatientId, PatientRef, ProblemKind,
};
use wire_sdc::basic::{CodedValue, LocalizedText};
use wire_sdc::descriptor::MdsDescriptor;
use wire_sdc::state::{LocationContextState, PatientContextState};
use wire_sdc::words::ContextAssociation;
use wire_sdc::{DescriptorKind, Entry, Mdib, StateKind};

use super::map::{Mapper, Said};

/// The patient whom an MDS says it is on, where its word counts.
pub(super) fn patient(mapper: &mut Mapper<'_>, mdib: &Mdib, mds: &str, said: &mut Said) -> Option<PatientRef> {
    let associated: Vec<&PatientContextState> = contexts(mdib, mds)
        .filter_map(|kind| match kind {
            StateKind::PatientContext(state) => Some(state),
            _ => None,
        })
        .filter(|state| state.context.association == Some(ContextAssociation::Associated))
        .collect();
    let state = match associated.as_slice() {
        [] => return None,
        [state] => *state,
        several => {
            let path = several[0].context.handle.clone();
            let detail = "several patients at a time: none is taken, associate the device by hand";
            mapper.tell(said, ProblemKind::Unmatched, &path, detail);
            return None;
        }
    };
    let roots = &mapper.settings.patient_roots;
    let identifiers: Vec<Identifier> = state
        .context
        .identifications
        .iter()
        .filter_map(|id| {
            let value = id.extension.as_deref().map(str::trim).filter(|value| !value.is_empty())?;
            let system = roots.get(id.root.as_deref()?)?;
            Some(Identifier { system: system.clone(), value: value.to_owned(), kind: String::from("MR") })
        })
        .collect();
    let Some(first) = identifiers.first() else {
        let path = state.context.handle.clone();
        let detail = "a patient context without an identifier of this site (sdc.patient_roots): associate the device by hand";
        mapper.tell(said, ProblemKind::Unmatched, &path, detail);
        return None;
    };
    let id = PatientId::from_identifier(&first.system, &first.value);
    let name = state.data.as_ref().map(|data| HumanName {
        family: data.name.family.clone().unwrap_or_default(),
        given: data.name.given.clone().unwrap_or_default(),
    });
    Some(PatientRef { id, identifiers, name })
}

/// Says what each MDS is: maker, model, containment tree, clock, place.
pub(super) fn devices(mapper: &mut Mapper<'_>, mdib: &Mdib, endpoint: Option<&str>, said: &mut Said) {
    for (handle, id) in mapper.devices(mdib) {
        let device = device(mapper, mdib, (&handle, id), endpoint);
        said.content.push(Content::Directory(DirectoryEvent::Device(device)));
    }
}

fn device(mapper: &mut Mapper<'_>, mdib: &Mdib, (mds, id): (&str, DeviceId), endpoint: Option<&str>) -> Device {
    let language = mapper.settings.language.clone();
    let mut device = Device::announced(id);
    let Some(descriptor) = mdib.descriptor(mds) else { return device };
    let own = device.id == mapper.id;
    let code = descriptor.code.as_ref();
    if let Some(name) = code.and_then(|code| LocalizedText::pick(&code.descriptions, &language)) {
        name.clone_into(&mut device.name);
    }
    device.kind = mapper.code_of(descriptor);
    if let DescriptorKind::Mds(described) = &descriptor.kind {
        describe(&mut device, described, &language);
    }
    if own {
        let announced = &mapper.announced;
        for (field, said) in [
            (&mut device.manufacturer, &announced.manufacturer),
            (&mut device.model, &announced.model),
            (&mut device.serial, &announced.serial),
            (&mut device.version, &announced.version),
        ] {
            if field.is_empty() {
                field.clone_from(said);
            }
        }
    }
    device.identifiers.extend(endpoint.map(|endpoint| Identifier {
        system: String::from("urn:ietf:rfc:3986"),
        value: endpoint.to_owned(),
        kind: String::new(),
    }));
    let inside: Vec<&Entry> = mdib
        .descriptors
        .iter()
        .filter(|entry| entry.parent.is_some() && mdib.path(&entry.descriptor.handle).first().is_some_and(|top| top.handle == mds))
        .collect();
    for entry in inside {
        let part = &entry.descriptor;
        let shown = part.metric().is_some()
            || matches!(part.kind, DescriptorKind::Vmd(_) | DescriptorKind::Channel(_) | DescriptorKind::Battery(_));
        if shown {
            let kind = mapper.code_of(part).unwrap_or(MetricCode(0));
            let name = part.code.as_ref().map_or(part.handle.as_str(), |code| code.label(&language));
            let channel = mapper.channel(mdib, &part.handle);
            device.components.push(Component { channel, kind, name: name.to_owned() });
        }
        if let Some(StateKind::Clock(clock)) = mdib.state(&part.handle).map(|state| &state.kind) {
            device.clock = if clock.remote_sync { ClockMethod::Synchronised } else { ClockMethod::Manual };
        }
    }
    if mapper.settings.locations {
        device.location = place(mdib, mds);
    }
    device
}

fn describe(device: &mut Device, described: &MdsDescriptor, language: &str) {
    let Some(meta) = &described.meta else { return };
    let pick = |texts: &[LocalizedText]| LocalizedText::pick(texts, language).unwrap_or_default().to_owned();
    device.manufacturer = pick(&meta.manufacturer);
    device.model = meta.model_number.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| pick(&meta.model_name));
    device.serial = meta.serial_numbers.first().cloned().unwrap_or_default();
    for udi in &meta.udis {
        device.identifiers.push(Identifier {
            system: udi.issuer.root.clone().unwrap_or_default(),
            value: udi.device.clone(),
            kind: String::from("UDI"),
        });
    }
    // MDC_ID_PROD_SPEC_SW: the software's revision (IEEE 11073-10101, 1:531976).
    let software = |code: &CodedValue| code.mdc_code() == Some(531_976);
    if let Some(version) = described.specifications.iter().find(|spec| software(&spec.kind)) {
        device.version.clone_from(&version.value);
    }
}

/// The bed that the one associated location context names.
fn place(mdib: &Mdib, mds: &str) -> Option<LocationId> {
    let mut associated = contexts(mdib, mds)
        .filter_map(|kind| match kind {
            StateKind::LocationContext(state) => Some(state),
            _ => None,
        })
        .filter(|state: &&LocationContextState| state.context.association == Some(ContextAssociation::Associated));
    let detail = associated.next().filter(|_| associated.next().is_none())?.detail.as_ref()?;
    let part = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    let (unit, room, bed) = (part(&detail.point_of_care), part(&detail.room), part(&detail.bed));
    (!bed.is_empty()).then(|| LocationId::of_bed(&unit, &room, &bed))
}

/// Context states of one MDS.
fn contexts<'m>(mdib: &'m Mdib, mds: &'m str) -> impl Iterator<Item = &'m StateKind> {
    mdib.states
        .iter()
        .filter(move |state| {
            state.context().is_some() && mdib.path(&state.descriptor).first().is_some_and(|top| top.handle == mds)
        })
        .map(|state| &state.kind)
}
