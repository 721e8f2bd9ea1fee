//! ORU^R40: alerts of devices and alarm managers, as IHE PCD-04 (ACM) reports them.
//!
//! An OBR is one alert. Its observations are facets of it, told apart by what they are: the event
//! (`MDC_EVT_…`), its source, the phase of the event, the state of the alarm, what the device does
//! to be heard, the priority. What else is observed is evidence, and read as in PCD-01.
//!
//! The state rules over the phase where both are told, and what is told badly is taken for the
//! worse: an alarm is over only if the device says so.
//!
//! Sources: IHE PCD Technical Framework volume 2, section 3.4 and appendix B; IEEE 11073-10201.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use vitals::{
    AlarmKind, AlarmPriority, AlarmSignal, AlarmState, Content, DeviceAlarm, DeviceId, DeviceTime,
    MetricCode, PatientRef, ProblemKind,
};

use crate::codes::{self, Aliases};
use crate::dtm::Dtm;
use crate::finding::{ErrorCode, Finding, Findings};
use crate::header::Header;
use crate::path::Path;
use crate::syntax::{Field, Place, Segment};
use crate::{oru, person};

/// Alerts beyond this many in one message are not read; the profile allows one.
const MAX_ALERTS: usize = 1_000;
/// Partition 3 of the nomenclature: events.
const EVENTS: std::ops::Range<u32> = 196_608..262_144;
/// `MDC_EVT_ALARM`: some alarm; the value says which.
const ANY_ALARM: u32 = 196_616;

/// What an observation tells of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Facet {
    Event,
    Source,
    Phase,
    State,
    Signal,
    Priority,
    Kind,
    Text,
}

/// Reads the segments of an ORU^R40.
pub(crate) fn read(
    header: &Header,
    segments: &[Segment<'_>],
    zone: &TimeZone,
    aliases: &Aliases,
    findings: &mut Findings,
) -> Vec<Content> {
    let mut alarms = Vec::new();
    let mut about = About { sender: &header.sender, zone, aliases, patient: None, bed: None, sent: None };
    about.sent = Dtm::parse(&header.time).and_then(|t| t.micros(zone)).map(DeviceTime);
    let mut at = 0;
    while at < segments.len() {
        let segment = &segments[at];
        at += 1;
        match segment.name {
            "PID" => (about.patient, about.bed) = (person::reference(segment), None),
            "PV1" => about.bed = oru::bed_name(segment),
            "OBR" if alarms.len() >= MAX_ALERTS => {
                findings.add(lost(segment, 0, ProblemKind::Limit, "more alerts than one message may have"));
                break;
            }
            "OBR" => {
                let end = segments[at..].iter().position(|s| matches!(s.name, "OBR" | "PID"));
                let end = end.map_or(segments.len(), |more| at + more);
                about.alert(segment, &segments[at..end], findings, &mut alarms);
                at = end;
            }
            _ => {}
        }
    }
    if alarms.is_empty() {
        findings.add(
            Finding::part(ErrorCode::SegmentSequence, ProblemKind::Missing, Place::new("OBR", 1, 0))
                .saying("no alert could be read: send an OBR with an MDC_EVT observation and its state"),
        );
    }
    let mut content = evidence(header, segments, zone, aliases, findings);
    content.extend(alarms.into_iter().map(Content::Alarm));
    content
}

/// What was observed beside the alerts; the rows of an alert stay without value, for the devices
/// that they name.
fn evidence(
    header: &Header,
    segments: &[Segment<'_>],
    zone: &TimeZone,
    aliases: &Aliases,
    findings: &mut Findings,
) -> Vec<Content> {
    let of_alert = |s: &Segment<'_>| s.name == "OBX" && facet(s).is_some();
    if !segments.iter().any(|s| s.name == "OBX" && !of_alert(s) && !s.field(5).is_empty()) {
        return Vec::new();
    }
    let rest: Vec<Segment<'_>> = segments
        .iter()
        .map(|s| if of_alert(s) { s.without(&[2, 3, 5]) } else { s.clone() })
        .collect();
    oru::read(header, &rest, zone, aliases, findings)
}

/// What surrounds an alert.
struct About<'a> {
    sender: &'a str,
    zone: &'a TimeZone,
    aliases: &'a Aliases,
    patient: Option<PatientRef>,
    bed: Option<String>,
    /// MSH-7.
    sent: Option<DeviceTime>,
}

impl About<'_> {
    fn alert(
        &self,
        obr: &Segment<'_>,
        rows: &[Segment<'_>],
        findings: &mut Findings,
        alarms: &mut Vec<DeviceAlarm>,
    ) {
        let mut facets: Vec<(Facet, &Segment<'_>)> = Vec::new();
        for row in rows.iter().filter(|row| row.name == "OBX") {
            if let Some(facet) = facet(row)
                && facets.iter().all(|(known, _)| *known != facet)
            {
                facets.push((facet, row));
            }
        }
        let find = |wanted| facets.iter().find(|(facet, _)| *facet == wanted).map(|(_, row)| *row);
        let Some(event) = find(Facet::Event) else {
            findings.add(lost(obr, 4, ProblemKind::Missing, "the alert has no MDC_EVT observation"));
            return;
        };
        let Some((state, moment)) = state(find(Facet::Phase), find(Facet::State), findings) else {
            findings.add(lost(event, 5, ProblemKind::Missing, "neither phase nor state of the alert is told"));
            return;
        };
        let path = Path::parse(&event.field(4).text()).unwrap_or_default();
        let source = self.source(find(Facet::Source), rows);
        let said = Event::of(event);
        let (flagged_priority, flagged_kind) = flags(event);
        let stated = find(Facet::Priority).and_then(|row| priority(&word(&row.field(5))));
        let kind = find(Facet::Kind).and_then(|row| kind(&word(&row.field(5)))).or(flagged_kind);
        let time = self.time(obr, event, findings);
        let alarm = DeviceAlarm {
            device: self.device(path, event, rows),
            patient: self.patient.clone(),
            id: id(obr, &said, &event.field(4)),
            kind: kind.unwrap_or(if source.is_some() { AlarmKind::Physiological } else { AlarmKind::Technical }),
            priority: stated.or(flagged_priority).unwrap_or(AlarmPriority::Low),
            state,
            signal: signal(find(Facet::Signal), findings),
            code: said.code.map(MetricCode),
            text: text(find(Facet::Text), &said, source),
            source,
            channel: path.channel(),
            device_time: time,
        };
        if moment {
            alarms.push(alarm.clone());
            alarms.push(DeviceAlarm { state: AlarmState::Inactive, ..alarm });
        } else {
            alarms.push(alarm);
        }
    }

    /// The metric that the alert is about: its source, or the first value beside it.
    fn source(&self, source: Option<&Segment<'_>>, rows: &[Segment<'_>]) -> Option<MetricCode> {
        let metric = |field: &Field<'_>| codes::metric(field, self.aliases).map(|metric| metric.code);
        source.and_then(|row| metric(&row.field(5))).or_else(|| {
            let values = rows.iter().filter(|row| row.name == "OBX" && facet(row).is_none());
            values.filter(|row| !row.field(5).is_empty()).find_map(|row| metric(&row.field(3)))
        })
    }

    /// OBX-14 of the event, else OBR-7, else MSH-7.
    fn time(&self, obr: &Segment<'_>, event: &Segment<'_>, findings: &mut Findings) -> Option<DeviceTime> {
        for (segment, number) in [(event, 14), (obr, 7)] {
            let field = segment.field(usize::from(number));
            if field.is_empty() {
                continue;
            }
            match Dtm::parse(&field.component(1)).and_then(|t| t.micros(self.zone)) {
                Some(micros) => return Some(DeviceTime(micros)),
                None => findings.add(oru::bad_time(segment, number)),
            }
        }
        self.sent
    }

    /// As for observations: the MDS of the containment tree, else the event's own, else the only
    /// one, else one that stands for the sender.
    fn device(&self, path: Path, event: &Segment<'_>, rows: &[Segment<'_>]) -> DeviceId {
        let mut systems: HashMap<u32, String> = HashMap::new();
        let (mut own, mut first, mut last) = (None, None, Path::default());
        let mut in_event = false;
        for row in rows {
            let named = match row.name {
                "OBX" => {
                    last = Path::parse(&row.field(4).text()).unwrap_or_default();
                    in_event = row.sequence == event.sequence;
                    oru::entity(&row.field(18))
                }
                "PRT" => oru::entity(&row.field(10)),
                _ => None,
            };
            let Some(named) = named else { continue };
            if last.is_mds() {
                systems.entry(last.mds()).or_insert_with(|| named.clone());
            }
            if in_event && own.is_none() {
                own = Some(named.clone());
            }
            first.get_or_insert(named);
        }
        let system = Some(path).filter(|path| path.is_contained()).and_then(|path| systems.remove(&path.mds()));
        match system.or(own).or(first) {
            Some(name) => DeviceId::sanitised(&name),
            None => oru::stand_in(self.sender, self.bed.as_deref(), self.patient.as_ref()),
        }
    }
}

/// What happened, by number and name.
struct Event {
    code: Option<u32>,
    refid: Option<String>,
    /// For people, as sent; may be empty.
    text: String,
}

impl Event {
    /// Of OBX-5 where OBX-3 only says that there is an alarm, else of OBX-3 itself.
    fn of(obx: &Segment<'_>) -> Self {
        let (name, value) = (obx.field(3), obx.field(5));
        let general = is_event(codes::number(&value)) || names_event(&value);
        let plain = |text: std::borrow::Cow<'_, str>| Some(text.into_owned()).filter(|t| !is_code(t));
        if general {
            let text = plain(value.component(9)).or_else(|| plain(value.component(2)));
            return Self {
                code: codes::number(&value).filter(|code| is_event(Some(*code))),
                refid: codes::refid(&value),
                text: text.unwrap_or_default(),
            };
        }
        let code = codes::number(&name).filter(|code| *code != ANY_ALARM);
        let told = [9, 2, 1].into_iter().find_map(|at| plain(value.component(at)));
        let metric = codes::refid(&value).is_some();
        let text = told.filter(|_| !metric || code.is_none()).unwrap_or_default();
        Self { code, refid: code.and_then(|_| codes::refid(&name)), text }
    }
}

fn is_code(text: &str) -> bool {
    text.is_empty() || text.starts_with("MDC") || text.bytes().all(|b| b.is_ascii_digit())
}

fn is_event(code: Option<u32>) -> bool {
    code.is_some_and(|code| EVENTS.contains(&code))
}

fn names_event(field: &Field<'_>) -> bool {
    codes::refid(field).is_some_and(|refid| refid.starts_with("MDC_EVT_"))
}

/// Which facet of an alert an observation is, if it is one.
fn facet(obx: &Segment<'_>) -> Option<Facet> {
    let field = obx.field(3);
    match codes::refid(&field).as_deref() {
        Some("MDC_ATTR_ALERT_SOURCE") => return Some(Facet::Source),
        Some("MDC_ATTR_EVENT_PHASE") => return Some(Facet::Phase),
        Some("MDC_ATTR_ALARM_STATE") => return Some(Facet::State),
        Some("MDC_ATTR_ALARM_INACTIVATION_STATE") => return Some(Facet::Signal),
        Some("MDC_ATTR_ALARM_PRIORITY") => return Some(Facet::Priority),
        Some("MDC_ATTR_ALERT_TYPE") => return Some(Facet::Kind),
        Some("MDC_ATTR_ALERT_TEXT" | "MDC_ATTR_ALARM_TEXT") => return Some(Facet::Text),
        Some(refid) if refid.starts_with("MDC_EVT_") => return Some(Facet::Event),
        Some(_) => return None,
        None => {}
    }
    Some(match codes::number(&field)? {
        68_480 => Facet::Source,
        68_481 => Facet::Phase,
        68_482 => Facet::State,
        68_483 => Facet::Signal,
        68_484 => Facet::Priority,
        code if EVENTS.contains(&code) => Facet::Event,
        _ => return None,
    })
}

/// The state that phase and state make, and whether the event is over as soon as it is told.
fn state(
    phase: Option<&Segment<'_>>,
    state: Option<&Segment<'_>>,
    findings: &mut Findings,
) -> Option<(AlarmState, bool)> {
    let mut told = |row: &Segment<'_>| {
        findings.add(lost(row, 5, ProblemKind::BadValue, "not a phase or state of an alert; taken as active"));
        Some(AlarmState::Active)
    };
    let by_phase = phase.filter(|row| !row.field(5).is_empty()).and_then(|row| {
        match word(&row.field(5)).as_str() {
            "end" | "reset" => Some(AlarmState::Inactive),
            "start" | "continue" | "present" | "update" | "escalate" | "deescalate" | "de-escalate"
            | "tpoint" => Some(AlarmState::Active),
            _ => told(row),
        }
    });
    let by_state = state.filter(|row| !row.field(5).is_empty()).and_then(|row| {
        match word(&row.field(5)).as_str() {
            "active" => Some(AlarmState::Active),
            "latched" => Some(AlarmState::Latched),
            "inactive" | "off" => Some(AlarmState::Inactive),
            _ => told(row),
        }
    });
    if let (Some(AlarmState::Inactive), Some(AlarmState::Active), Some(row)) = (by_phase, by_state, state) {
        findings.add(lost(row, 5, ProblemKind::BadValue, "the event ended and the alarm is active; taken as active"));
    }
    let moment = phase.is_some_and(|row| word(&row.field(5)) == "tpoint");
    by_state.or(by_phase).map(|state| (state, moment && state == AlarmState::Active))
}

fn signal(row: Option<&Segment<'_>>, findings: &mut Findings) -> AlarmSignal {
    let Some(row) = row.filter(|row| !row.field(5).is_empty()) else { return AlarmSignal::On };
    let mut found = AlarmSignal::On;
    for one in row.field(5).repetitions() {
        found = match word(&one).as_str() {
            "alert-acknowledged" => return AlarmSignal::Acknowledged,
            "enabled" => found,
            "audio-paused" => AlarmSignal::AudioPaused,
            "audio-off" => AlarmSignal::AudioOff,
            "alarm-paused" => AlarmSignal::Paused,
            "alarm-off" => AlarmSignal::Off,
            _ => {
                findings.add(lost(row, 5, ProblemKind::BadValue, "not an inactivation state; taken as enabled"));
                found
            }
        };
    }
    found
}

/// Priority and kind among the flags of OBX-8, whichever separator stands between them.
fn flags(event: &Segment<'_>) -> (Option<AlarmPriority>, Option<AlarmKind>) {
    let separators = event.separators();
    let flags = event.field(8).raw.split([separators.repetition, separators.component]).map(str::to_lowercase);
    flags.fold((None, None), |(p, k), flag| (p.or(priority(&flag)), k.or(kind(&flag))))
}

fn priority(word: &str) -> Option<AlarmPriority> {
    Some(match word {
        "ph" | "high" => AlarmPriority::High,
        "pm" | "medium" => AlarmPriority::Medium,
        "pl" | "low" => AlarmPriority::Low,
        "pn" | "pi" | "none" => AlarmPriority::None,
        _ => return None,
    })
}

fn kind(word: &str) -> Option<AlarmKind> {
    Some(match word {
        "sp" => AlarmKind::Physiological,
        "st" => AlarmKind::Technical,
        "sa" => AlarmKind::Advisory,
        _ => return None,
    })
}

/// A coded word: the first component, or the second behind an empty one or a number.
fn word(field: &Field<'_>) -> String {
    let first = field.component(1);
    let code = first.bytes().all(|b| b.is_ascii_digit());
    let word = if code { field.component(2) } else { first };
    word.trim().to_lowercase()
}

/// The same from the start of an alert to its end: the parent that updates name in OBR-29, else
/// the filler's number, else the placer's, else what it is and where.
fn id(obr: &Segment<'_>, event: &Event, path: &Field<'_>) -> String {
    let parent = [(2, 1), (1, 1)].map(|(c, s)| obr.field(29).subcomponent(c, s).into_owned());
    let numbers = [3, 2].map(|n| obr.field(n).component(1).into_owned());
    let named = parent.into_iter().chain(numbers).find(|name| !name.is_empty());
    named.unwrap_or_else(|| format!("{}@{}", event.code.unwrap_or(ANY_ALARM), path.text()))
}

/// What people read: the device's own words, else the event's name made readable.
fn text(row: Option<&Segment<'_>>, event: &Event, source: Option<MetricCode>) -> String {
    let own = row.map(|row| row.field(5).text().into_owned()).filter(|text| !text.is_empty());
    if let Some(text) = own.or_else(|| Some(event.text.clone()).filter(|text| !text.is_empty())) {
        return text;
    }
    let name = event.refid.as_deref().unwrap_or_default();
    let name = name.strip_prefix("MDC_EVT_").unwrap_or(name).replace('_', " ").to_lowercase();
    let label = source.and_then(MetricCode::metric).map(|metric| metric.label);
    match (label, name.as_str()) {
        (Some(label), "hi") => format!("{label} high"),
        (Some(label), "lo") => format!("{label} low"),
        (Some(label), "") => format!("{label} alarm"),
        (Some(label), name) => format!("{label}: {name}"),
        (None, name) => name.to_owned(),
    }
}

fn lost(segment: &Segment<'_>, field: u16, kind: ProblemKind, why: &str) -> Finding {
    let code = match kind {
        ProblemKind::Missing => ErrorCode::RequiredFieldMissing,
        ProblemKind::Limit => ErrorCode::ValueTooLong,
        _ => ErrorCode::TableValueNotFound,
    };
    Finding::part(code, kind, segment.at(field)).saying(why)
}
