//! Observations of device guides: what their senders said beyond the readings, and any reading in
//! the form of a guide for whoever searches for that guide's profile.

use std::collections::HashMap;

use serde_json::Value as Json;
use vitals::{Content, Device, DeviceId, DirectoryEvent, Offset};
use wire_fhir::device_metric::{self, Seen};
use wire_fhir::dress::{self, Link, Source};
use wire_fhir::guide::{self, Guide};
use wire_fhir::reference::{Target, parse};
use wire_fhir::{Issue, IssueCode, Kind, Record, Stored, bundle, directory, names, project};

use super::Fhir;
use super::backend::{BackendError, Hint};

/// Why a record can't be written.
pub(super) enum Unwritten {
    Issues(Vec<Issue>),
    Backend(BackendError),
}

impl From<BackendError> for Unwritten {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

/// What answering one request has looked up already.
#[derive(Default)]
pub(super) struct Seeking {
    payloads: HashMap<Offset, Option<Json>>,
    metrics: HashMap<DeviceId, Vec<Record>>,
}

impl Fhir {
    /// A resource of the directory as the event that writes it. A metric becomes a new version of
    /// its device, and a device keeps its metrics; `planned` is what the same message writes before.
    pub(super) async fn event(
        &self,
        kind: Kind,
        resource: &Json,
        id: &str,
        path: &str,
        planned: &[Content],
    ) -> Result<DirectoryEvent, Unwritten> {
        let read = directory::read(kind, resource, id, path).map_err(Unwritten::Issues)?;
        let (DirectoryEvent::Device(new), Kind::Device | Kind::DeviceMetric) = (&read, kind) else {
            return Ok(read);
        };
        let old = match planned_device(&new.id, planned) {
            Some(device) => Some(device.clone()),
            None => self.backend.record(Kind::Device, new.id.as_str()).await?.and_then(known_device),
        };
        if kind == Kind::Device {
            return Ok(match old {
                Some(old) => DirectoryEvent::Device(device_metric::carried(&old, new.clone())),
                None => read,
            });
        }
        if let Some(known) = self.backend.record(Kind::DeviceMetric, id).await?.and_then(known_device)
            && known.id != new.id
        {
            let detail = "Another device has a metric with this id.";
            let at = format!("{path}.source");
            return Err(Unwritten::Issues(vec![Issue::error(IssueCode::Conflict, at, detail)]));
        }
        let device = old.unwrap_or_else(|| Device::announced(new.id.clone()));
        let device = device_metric::within(&device, resource, id, path);
        device.map(DirectoryEvent::Device).map_err(|issue| Unwritten::Issues(vec![issue]))
    }

    /// An observation names its device, also where its sender named the metric that it is of.
    pub(super) async fn name_device(&self, resource: &mut Json, planned: &[Content]) -> Result<(), BackendError> {
        let named = resource["device"]["reference"].as_str().and_then(parse);
        let Some(Target::Literal { resource_type: "DeviceMetric", id, .. }) = named else { return Ok(()) };
        let of_plan = planned.iter().find_map(|content| match content {
            Content::Directory(DirectoryEvent::Device(device)) => {
                device_metric::of(device).iter().any(|json| json["id"] == id).then(|| device.id.clone())
            }
            _ => None,
        });
        let device = match of_plan {
            Some(device) => Some(device),
            None => self.backend.record(Kind::DeviceMetric, id).await?.and_then(known_device).map(|d| d.id),
        };
        if let Some(device) = device {
            resource["device"]["reference"] = format!("Device/{device}").into();
        }
        Ok(())
    }

    /// A projection with what its sender said beside, or in the form of a guide.
    pub(super) async fn guided(
        &self,
        json: Json,
        stored: &Stored,
        asked: Option<Guide>,
        seeking: &mut Seeking,
    ) -> Result<Json, BackendError> {
        let json = if names::is_guided(&stored.names) { self.dressed(json, stored, seeking).await? } else { json };
        let Some(guide) = asked.filter(|guide| guide::claimed(&json).all(|(own, _)| own != *guide)) else {
            return Ok(json);
        };
        let metric = match guide {
            Guide::Pocd => self.metric_of(stored, seeking).await?,
            Guide::Phd => String::new(),
        };
        Ok(guide::shown(json, guide, stored, &metric))
    }

    async fn dressed(&self, json: Json, stored: &Stored, seeking: &mut Seeking) -> Result<Json, BackendError> {
        let offset = stored.point.offset;
        if let std::collections::hash_map::Entry::Vacant(free) = seeking.payloads.entry(offset) {
            let payload = self.backend.payload(offset).await?;
            free.insert(payload.and_then(|bytes| serde_json::from_slice(&bytes).ok()));
        }
        let payload = seeking.payloads.get(&offset).and_then(Option::as_ref);
        let Some(source) = payload.and_then(|json| dress::source(json, stored.point.index)) else { return Ok(json) };
        let Source { mut told, indices, links } = source;
        let alone = told.get("component").is_none() && links.is_empty();
        let all = if alone { Vec::new() } else { self.backend.readings_of(offset).await? };
        let mut literal: HashMap<String, String> = HashMap::new();
        for (address, link) in links {
            literal.extend(self.followed(link, &all).await?.map(|text| (address, text)));
        }
        bundle::rewrite(&mut told, &mut |text| literal.get(text).cloned());
        let beside: Vec<Stored> =
            all.into_iter().filter(|(index, _)| indices.contains(index)).map(|(_, stored)| stored).collect();
        Ok(dress::dressed(json, &told, stored, &beside))
    }

    /// What a reference within a bundle means now.
    async fn followed(&self, link: Link, all: &[(u16, Stored)]) -> Result<Option<String>, BackendError> {
        Ok(match link {
            Link::Reading(index, panel) => {
                let found = all.iter().find(|(at, _)| *at == index);
                found.map(|(_, stored)| format!("Observation/{}", project::id(stored, panel)))
            }
            Link::Record(kind, id) => {
                let known = self.backend.record(kind, &id).await?;
                known.and_then(|record| record.name().map(|(kind, id)| format!("{}/{id}", kind.name())))
            }
        })
    }

    /// The id of the metric that a reading is of: a written one before the derived one.
    async fn metric_of(&self, stored: &Stored, seeking: &mut Seeking) -> Result<String, BackendError> {
        let key = &stored.key;
        if !seeking.metrics.contains_key(&key.device) {
            let hint = Hint::Devices(vec![key.device.to_string()]);
            let found = self.backend.records(Kind::DeviceMetric, hint).await?;
            seeking.metrics.insert(key.device.clone(), found);
        }
        let seen = Seen::of(key.metric, key.channel);
        let own = seen.id(&key.device);
        let known = seeking.metrics.get(&key.device).into_iter().flatten().filter_map(|record| record.metric.as_ref());
        let fits = |json: &&Json| json["id"] == own.as_str() || device_metric::metric(json) == Some(seen.metric);
        Ok(known.into_iter().find(fits).and_then(|json| json["id"].as_str()).map_or(own.clone(), str::to_owned))
    }
}

fn planned_device<'a>(id: &DeviceId, planned: &'a [Content]) -> Option<&'a Device> {
    planned.iter().rev().find_map(|content| match content {
        Content::Directory(DirectoryEvent::Device(device)) if device.id == *id => Some(device),
        _ => None,
    })
}

fn known_device(record: Record) -> Option<Device> {
    match record.event {
        DirectoryEvent::Device(device) => Some(device),
        _ => None,
    }
}
