//! ORU^R01: observations, as IHE PCD-01 sends them and as plain monitors do.
//!
//! PCD-01 tells in OBX-4 where a value belongs: `mds.vmd.channel.metric`, with a fifth number for
//! an attribute of the metric, such as the sampling rate of a waveform. Rows of the MDS, VMD and
//! channel carry no value; the MDS row names the device. Plain monitors send a flat list.
//!
//! One observation that can't be read is reported and left out; the others count.
//!
//! Sources: IHE PCD Technical Framework volume 2, appendix B; HL7 v2.5.1 chapter 7.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use vitals::{
    Content, Device, DeviceId, DeviceTime, DirectoryEvent, Measurement, PatientRef, ProblemKind, Quality, Reading,
};

use crate::codes::Aliases;
use crate::dtm::Dtm;
use crate::finding::{ErrorCode, Finding, Findings};
use crate::header::Header;
use crate::implant::{self, FollowUp};
use crate::measure::{self, Attributes};
use crate::path::Path;
use crate::person;
use crate::syntax::{Place, Segment};
use crate::value::{self, Sent};

/// More observations than this in one message are not read: a reading's index has 16 bits.
const MAX_OBSERVATIONS: usize = 60_000;
/// How far back the same place of the same device is looked for.
const PLACES_BACK: usize = 64;
/// More samples than this in one message are not read.
pub(crate) const MAX_SAMPLES: usize = 1_000_000;

/// Reads the segments of an ORU^R01.
pub(crate) fn read(
    header: &Header,
    segments: &[Segment<'_>],
    zone: &TimeZone,
    aliases: &Aliases,
    findings: &mut Findings,
) -> Vec<Content> {
    let mut reader = Reader::new(header, zone, aliases, findings);
    for segment in segments {
        reader.take(segment);
    }
    reader.end_group();
    if reader.seen == 0 && reader.out.is_empty() {
        reader.findings.add(
            Finding::part(
                ErrorCode::SegmentSequence,
                ProblemKind::Missing,
                Place::new("OBX", 1, 0),
            )
            .saying("the message has no observation: send at least one OBX"),
        );
    }
    let told = reader.implants.into_iter().map(|implant| Content::Directory(DirectoryEvent::Device(implant)));
    told.chain(gather(reader.out)).collect()
}

/// An OBX with what belongs to it.
struct Row<'a, 's> {
    obx: &'s Segment<'a>,
    path: Option<Path>,
    /// From OBX-18 or a PRT segment behind it.
    device: Option<String>,
}

/// A measurement on its way out.
struct Measured {
    device: DeviceId,
    patient: Option<PatientRef>,
    path: Option<Path>,
    /// The channel, if it is more than a running number in this message.
    channel: Option<u32>,
    measurement: Measurement,
}

struct Reader<'a, 's, 'r> {
    zone: &'r TimeZone,
    aliases: &'r Aliases,
    findings: &'r mut Findings,
    test: Quality,
    /// Whether it tells an event of an infusion pump (PCD-10).
    of_pump: bool,
    sender: String,
    message_time: Option<DeviceTime>,
    patient: Option<PatientRef>,
    bed: Option<String>,
    /// `model:…/serial:…`, where PID-3 has it.
    implant: Option<String>,
    /// What implants say they are.
    implants: Vec<Device>,
    obr: Option<&'s Segment<'a>>,
    rows: Vec<Row<'a, 's>>,
    /// Devices that PRT segments locate (IHE PCD-15), with where.
    places: Vec<(String, String)>,
    /// Device of each MDS by its number in OBX-4.
    systems: HashMap<u32, String>,
    seen: usize,
    samples_left: usize,
    out: Vec<Measured>,
}

impl<'a, 's, 'r> Reader<'a, 's, 'r> {
    fn new(
        header: &Header,
        zone: &'r TimeZone,
        aliases: &'r Aliases,
        findings: &'r mut Findings,
    ) -> Self {
        // MSH-7 may stand in for a missing observation time, but not if it is rounded to minutes.
        let message_time = Dtm::parse(&header.time)
            .filter(Dtm::has_seconds)
            .and_then(|t| t.micros(zone))
            .map(DeviceTime);
        Self {
            zone,
            aliases,
            findings,
            test: if header.is_test() { Quality::TEST } else { Quality::empty() },
            of_pump: header.trigger == "R42",
            sender: header.sender.clone(),
            message_time,
            patient: None,
            bed: None,
            implant: None,
            implants: Vec::new(),
            obr: None,
            rows: Vec::new(),
            places: Vec::new(),
            systems: HashMap::new(),
            seen: 0,
            samples_left: MAX_SAMPLES,
            out: Vec::new(),
        }
    }

    fn take(&mut self, segment: &'s Segment<'a>) {
        match segment.name {
            "PID" => {
                self.end_group();
                self.patient = person::reference(segment);
                self.implant = implant::named(&segment.field(3));
                self.bed = None;
                self.obr = None;
                self.systems.clear();
            }
            "PV1" => self.bed = bed_name(segment),
            "OBR" => {
                self.end_group();
                self.obr = Some(segment);
            }
            "OBX" => self.observation(segment),
            "PRT" => {
                let device = entity(&segment.field(10));
                let place = value::place(&segment.field(9));
                if let (Some(device), Some(place)) = (&device, place) {
                    self.places.push((device.clone(), place));
                }
                if let Some(row) = self.rows.last_mut().filter(|row| row.device.is_none()) {
                    row.device = device;
                }
            }
            _ => {}
        }
    }

    fn observation(&mut self, obx: &'s Segment<'a>) {
        self.seen += 1;
        if self.seen > MAX_OBSERVATIONS {
            if self.seen == MAX_OBSERVATIONS + 1 {
                self.findings.add(
                    Finding::part(ErrorCode::ValueTooLong, ProblemKind::Limit, obx.at(0)).saying(
                        "more observations than one message may carry: send several messages",
                    ),
                );
            }
            return;
        }
        let path = Path::parse(&obx.field(4).text());
        self.rows.push(Row { obx, path, device: entity(&obx.field(18)) });
    }

    /// Everything under one OBR is known: attributes find their metrics, values their devices.
    fn end_group(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        for row in &rows {
            if let (Some(device), Some(path)) = (&row.device, row.path)
                && path.is_mds()
            {
                self.systems.insert(path.mds(), device.clone());
            }
        }
        let attributes = measure::attributes(rows.iter().filter_map(|r| Some((r.path?, r.obx))));
        let shared = rows.iter().find_map(|row| row.device.clone());
        let group_time = self.group_time();
        let follow_up = FollowUp::of(rows.iter().map(|row| (row.path, row.obx)), self.zone);
        if self.implant.is_none() {
            self.implant = follow_up.implant();
        }
        if let Some(implant) = &self.implant {
            self.implants.extend(follow_up.details(DeviceId::sanitised(implant)));
        }
        for row in &rows {
            let before = self.out.len();
            self.row(row, &attributes, shared.as_deref(), group_time);
            for m in &mut self.out[before..] {
                let metric = m.measurement.metric;
                m.measurement.device_time = follow_up.time(metric, row.path).or(m.measurement.device_time);
                m.channel = follow_up.channel(metric, row.path);
            }
        }
        self.located(group_time);
        if self.of_pump && let (Some(obr), Some(first)) = (self.obr, rows.first()) {
            self.drug(obr, first, shared.as_deref(), group_time);
        }
    }

    /// Where PRT segments say that devices are.
    fn located(&mut self, time: Option<DeviceTime>) {
        let Some(metric) = vitals::Metric::by_refid("VW_DEVICE_PLACE") else { return };
        for (device, place) in std::mem::take(&mut self.places) {
            let measurement = Measurement {
                metric: metric.code,
                value: vitals::Value::Text(place),
                unit: metric.unit,
                device_time: time,
                quality: self.test,
                channel: 0,
            };
            let (device, patient) = (DeviceId::sanitised(&device), self.patient.clone());
            let repeated = |m: &Measured| m.device == device && m.measurement == measurement;
            if !self.out.iter().rev().take(PLACES_BACK).any(repeated) {
                self.out.push(Measured { device, patient, path: None, channel: None, measurement });
            }
        }
    }

    /// The drug that an infusion's order names (OBR-4), unless the pump said it itself.
    fn drug(&mut self, obr: &Segment<'_>, row: &Row<'_, '_>, shared: Option<&str>, time: Option<DeviceTime>) {
        let Some(metric) = vitals::Metric::by_refid("MDC_DRUG_NAME_TYPE") else { return };
        let field = obr.field(4);
        let name = [2, 1].map(|at| field.component(at)).into_iter().find(|name| !name.is_empty());
        let Some(name) = name.filter(|name| !name.starts_with("MDC")) else { return };
        if self.out.iter().any(|m| m.measurement.metric == metric.code) {
            return;
        }
        let measurement = Measurement {
            metric: metric.code,
            value: vitals::Value::Text(name.into_owned()),
            unit: metric.unit,
            device_time: time,
            quality: self.test,
            channel: 0,
        };
        let (device, patient) = (self.device_of(row, shared), self.patient.clone());
        self.out.push(Measured { device, patient, path: None, channel: None, measurement });
    }

    fn row(
        &mut self,
        row: &Row<'_, '_>,
        attributes: &HashMap<Path, Attributes>,
        shared: Option<&str>,
        group_time: Option<DeviceTime>,
    ) {
        let obx = row.obx;
        if row.path.is_some_and(|p| p.is_attribute()) && measure::is_attribute(obx) {
            return;
        }
        let sent = value::read(obx, self.samples_left);
        let said = value::said(obx);
        if sent == Sent::Nothing {
            let container = row.path.is_some_and(|p| p.is_container()) || obx.field(2).is_empty();
            if !container && !said.unavailable && !measure::is_compound(obx, self.aliases) {
                self.findings.add(
                    Finding::part(ErrorCode::RequiredFieldMissing, ProblemKind::Missing, obx.at(5))
                        .saying("no value, and OBX-11 does not say that there is none: send X"),
                );
            }
            return;
        }
        let time = match self.time_of(obx, group_time) {
            Ok(time) => time,
            Err(finding) => return self.findings.add(finding),
        };
        if let Sent::Samples(samples, _) = &sent {
            self.samples_left = self.samples_left.saturating_sub(samples.len());
        }
        let attributes = row.path.and_then(|p| attributes.get(&p));
        let (measurements, findings) = measure::measurements(obx, sent, attributes, self.aliases);
        findings.into_iter().for_each(|finding| self.findings.add(finding));
        let device = self.device_of(row, shared);
        for mut measurement in measurements {
            measurement.device_time = time;
            measurement.quality |= said.quality | self.test;
            self.out.push(Measured {
                device: device.clone(),
                patient: self.patient.clone(),
                path: row.path,
                channel: None,
                measurement,
            });
        }
    }

    /// OBX-14, else the group's time.
    fn time_of(
        &self,
        obx: &Segment<'_>,
        group: Option<DeviceTime>,
    ) -> Result<Option<DeviceTime>, Finding> {
        let field = obx.field(14);
        if field.is_empty() {
            return Ok(group);
        }
        match Dtm::parse(&field.component(1)).and_then(|t| t.micros(self.zone)) {
            Some(micros) => Ok(Some(DeviceTime(micros))),
            None => Err(bad_time(obx, 14)),
        }
    }

    /// OBR-7, else OBR-8, else MSH-7.
    fn group_time(&mut self) -> Option<DeviceTime> {
        let Some(obr) = self.obr else { return self.message_time };
        for number in [7, 8] {
            let field = obr.field(usize::from(number));
            if field.is_empty() {
                continue;
            }
            match Dtm::parse(&field.component(1)).and_then(|t| t.micros(self.zone)) {
                Some(micros) => return Some(DeviceTime(micros)),
                None => self.findings.add(bad_time(obr, number)),
            }
        }
        self.message_time
    }

    /// The MDS of the containment tree, else the row's own device, else the only one of its group,
    /// else one that stands for the sender at this bed or patient.
    fn device_of(&self, row: &Row<'_, '_>, shared: Option<&str>) -> DeviceId {
        let system = row.path.filter(|p| p.is_contained()).and_then(|p| self.systems.get(&p.mds()));
        if let Some(name) = system.or(row.device.as_ref()).map(String::as_str).or(shared) {
            return DeviceId::sanitised(name);
        }
        // An implant's follow-up names it beside the patient (IHE PCD-09, PID-3).
        if let Some(implant) = &self.implant {
            return DeviceId::sanitised(implant);
        }
        stand_in(&self.sender, self.bed.as_deref(), self.patient.as_ref())
    }
}

/// The device that stands for a sender at a bed or patient, where nothing names one.
pub(crate) fn stand_in(sender: &str, bed: Option<&str>, patient: Option<&PatientRef>) -> DeviceId {
    let sender = if sender.is_empty() { "hl7" } else { sender };
    match (bed, patient) {
        (Some(bed), _) => DeviceId::sanitised(&format!("{sender}-{bed}")),
        (None, Some(patient)) => DeviceId::sanitised(&format!("{sender}-{}", patient.id)),
        (None, None) => DeviceId::sanitised(sender),
    }
}

/// PV1-3 as one name.
pub(crate) fn bed_name(pv1: &Segment<'_>) -> Option<String> {
    let bed = person::bed(&pv1.field(3))?;
    let parts = [bed.unit, bed.room, bed.bed].into_iter().filter(|part| !part.is_empty());
    Some(parts.collect::<Vec<_>>().join("-"))
}

/// Numbers the channels and puts neighbours of one device and patient into one reading. A metric
/// that comes from one place only has channel 0.
fn gather(out: Vec<Measured>) -> Vec<Content> {
    let mut places: HashMap<_, (Path, bool)> = HashMap::new();
    for m in &out {
        let path = m.path.unwrap_or_default();
        places
            .entry((m.device.clone(), m.measurement.metric))
            .and_modify(|(first, several)| *several |= *first != path)
            .or_insert((path, false));
    }
    let mut readings: Vec<Reading> = Vec::new();
    for mut m in out {
        let several = places.get(&(m.device.clone(), m.measurement.metric)).is_some_and(|p| p.1);
        if let Some(channel) = m.channel {
            m.measurement.channel = channel;
        } else if several {
            m.measurement.channel = m.path.unwrap_or_default().channel();
        }
        match readings.last_mut() {
            Some(last) if last.device == m.device && last.patient == m.patient => {
                last.measurements.push(m.measurement);
            }
            _ => readings.push(Reading {
                device: m.device,
                patient: m.patient,
                measurements: vec![m.measurement],
            }),
        }
    }
    readings.into_iter().map(Content::Reading).collect()
}

/// The name in an EI field: the entity, else the universal id (an EUI-64), else the namespace.
pub(crate) fn entity(field: &crate::syntax::Field<'_>) -> Option<String> {
    [1, 3, 2]
        .into_iter()
        .map(|n| field.component(n))
        .find(|n| !n.is_empty())
        .map(|n| n.into_owned())
}

pub(crate) fn bad_time(segment: &Segment<'_>, field: u16) -> Finding {
    Finding::part(ErrorCode::DataType, ProblemKind::BadTime, segment.at(field))
        .saying("not an HL7 time: send YYYYMMDDHHMMSS with an offset")
}
