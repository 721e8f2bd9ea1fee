//! ADT: patient movements and merges.

use jiff::tz::TimeZone;
use vitals::{Content, DirectoryEvent, EffectiveTime, Movement, PatientMovement, ProblemKind};

use crate::dtm::Dtm;
use crate::finding::{ErrorCode, Finding, Findings};
use crate::person;
use crate::syntax::{Place, Segment};

/// What an ADT trigger event asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Movement(Movement),
    Merge,
}

/// The event of a trigger; none for one that is not supported.
pub(crate) fn event(trigger: &str) -> Option<Event> {
    Some(Event::Movement(match trigger {
        "A01" => Movement::Admit,
        "A02" => Movement::Transfer,
        "A03" => Movement::Discharge,
        "A04" => Movement::Register,
        "A08" => Movement::Update,
        "A11" => Movement::CancelAdmit,
        "A12" => Movement::CancelTransfer,
        "A13" => Movement::CancelDischarge,
        "A40" => return Some(Event::Merge),
        _ => return None,
    }))
}

/// Reads the segments of an ADT message.
pub(crate) fn read(
    event: Event,
    segments: &[Segment<'_>],
    zone: &TimeZone,
    findings: &mut Findings,
) -> Vec<Content> {
    match event {
        Event::Movement(movement) => {
            self::movement(movement, segments, zone, findings).into_iter().collect()
        }
        Event::Merge => merges(segments, findings),
    }
    .into_iter()
    .map(Content::Directory)
    .collect()
}

fn movement(
    movement: Movement,
    segments: &[Segment<'_>],
    zone: &TimeZone,
    findings: &mut Findings,
) -> Option<DirectoryEvent> {
    let named = |name: &str| segments.iter().find(|s| s.name == name);
    let Some(pid) = named("PID") else {
        findings.add(missing_segment("PID"));
        return None;
    };
    let Some(patient) = person::patient(pid) else {
        findings.add(missing_field(pid, 3, "the patient has no identifier: send PID-3"));
        return None;
    };
    if !pid.field(7).is_empty() && patient.birth_date.is_none() {
        findings.add(bad_time(pid, 7));
    }
    let pv1 = named("PV1");
    let location = pv1.and_then(|s| person::bed(&s.field(3)));
    if movement == Movement::Transfer && location.is_none() {
        findings.add(match pv1 {
            Some(pv1) => missing_field(pv1, 3, "a transfer needs the new location: send PV1-3"),
            None => missing_segment("PV1"),
        });
        return None;
    }
    Some(DirectoryEvent::Movement(PatientMovement {
        movement,
        patient,
        encounter: pv1.and_then(person::encounter),
        class: pv1.map_or("", person::class).to_owned(),
        location,
        prior_location: pv1.and_then(|s| person::bed(&s.field(6))),
        at: when(movement, named("EVN"), pv1, zone, findings),
    }))
}

/// When it happened: EVN-6, else the admission or discharge time of PV1, else EVN-2.
fn when(
    movement: Movement,
    evn: Option<&Segment<'_>>,
    pv1: Option<&Segment<'_>>,
    zone: &TimeZone,
    findings: &mut Findings,
) -> Option<EffectiveTime> {
    let from_pv1 = match movement {
        Movement::Admit | Movement::Register => Some(44),
        Movement::Discharge => Some(45),
        _ => None,
    };
    let candidates = [(evn, Some(6)), (pv1, from_pv1), (evn, Some(2))];
    for (segment, field) in candidates {
        let (Some(segment), Some(number)) = (segment, field) else { continue };
        let field = segment.field(usize::from(number));
        if field.is_empty() {
            continue;
        }
        match Dtm::parse(&field.component(1)).and_then(|t| t.micros(zone)) {
            Some(micros) => return Some(EffectiveTime(micros)),
            None => findings.add(bad_time(segment, number)),
        }
    }
    None
}

/// Every pair of PID and MRG: the details of who remains, then the merge.
fn merges(segments: &[Segment<'_>], findings: &mut Findings) -> Vec<DirectoryEvent> {
    let mut events = Vec::new();
    let mut survivor = None;
    let (mut seen_patient, mut pairs) = (false, 0);
    for segment in segments {
        match segment.name {
            "PID" => {
                seen_patient = true;
                survivor = person::patient(segment);
                if survivor.is_none() {
                    findings.add(missing_field(
                        segment,
                        3,
                        "who remains has no identifier: send PID-3",
                    ));
                }
            }
            "MRG" => {
                pairs += 1;
                let retired = person::patient_id(&person::identifiers(&segment.field(1)));
                match (survivor.clone(), retired) {
                    (Some(patient), Some(retired)) if patient.id != retired => {
                        let survivor = patient.id.clone();
                        events.push(DirectoryEvent::Patient(patient));
                        events.push(DirectoryEvent::Merge { survivor, retired });
                    }
                    (Some(_), Some(_)) => findings.add(
                        Finding::part(ErrorCode::DataType, ProblemKind::BadValue, segment.at(1))
                            .saying("a patient cannot be merged into itself: MRG-1 equals PID-3"),
                    ),
                    (_, None) => findings.add(missing_field(
                        segment,
                        1,
                        "who was merged has no identifier: send MRG-1",
                    )),
                    // A PID without an identifier has been reported where it stands.
                    (None, _) if seen_patient => {}
                    (None, _) => findings.add(missing_segment("PID")),
                }
            }
            _ => {}
        }
    }
    if pairs == 0 {
        findings.add(missing_segment(if seen_patient { "MRG" } else { "PID" }));
    }
    events
}

fn missing_segment(name: &str) -> Finding {
    Finding::part(ErrorCode::SegmentSequence, ProblemKind::Missing, Place::new(name, 1, 0))
        .saying(format!("segment {name} is missing"))
}

fn missing_field(segment: &Segment<'_>, field: u16, detail: &str) -> Finding {
    Finding::part(ErrorCode::RequiredFieldMissing, ProblemKind::Missing, segment.at(field))
        .saying(detail)
}

fn bad_time(segment: &Segment<'_>, field: u16) -> Finding {
    Finding::part(ErrorCode::DataType, ProblemKind::BadTime, segment.at(field))
        .saying("not an HL7 time: send YYYYMMDDHHMMSS with an offset")
}
