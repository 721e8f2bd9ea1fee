//! PID, MRG and PV1: who a message is about and where they are.

use vitals::id::stable_hash;
use vitals::{Bed, EncounterId, HumanName, Identifier, Patient, PatientId, PatientRef, Sex};

use crate::dtm::iso_date;
use crate::implant;
use crate::syntax::{Field, Segment};

/// The system of an identifier whose assigning authority is not said.
pub const DEFAULT_SYSTEM: &str = "urn:mrn";

/// The identifiers of a CX field, the record numbers (`MR`, `PI`) first; empty ones left out.
pub(crate) fn identifiers(field: &Field<'_>) -> Vec<Identifier> {
    let mut found: Vec<Identifier> = field
        .repetitions()
        .filter_map(|cx| {
            let value = cx.component(1).trim().to_owned();
            let namespace = cx.subcomponent(4, 1);
            let authority = if namespace.is_empty() { cx.subcomponent(4, 2) } else { namespace };
            let system = if authority.is_empty() { DEFAULT_SYSTEM } else { authority.as_ref() };
            let kind = cx.component(5).into_owned();
            // An implant stands beside its patient here, too.
            let somebody_s = !value.is_empty() && !implant::is_number(&value);
            somebody_s.then(|| Identifier { system: system.to_owned(), value, kind })
        })
        .take(16)
        .collect();
    found.sort_by_key(|identifier| match identifier.kind.as_str() {
        "MR" => 0,
        "PI" => 1,
        "" => 2,
        // Said to be of no kind, as implants are: never before one that has a kind.
        "U" => 4,
        _ => 3,
    });
    found
}

/// The identifiers of PID-3, or of PID-2 where an old sender uses that instead.
pub(crate) fn patient_identifiers(pid: &Segment<'_>) -> Vec<Identifier> {
    let list = identifiers(&pid.field(3));
    if list.is_empty() { identifiers(&pid.field(2)) } else { list }
}

/// The logical id that the first identifier makes.
pub(crate) fn patient_id(identifiers: &[Identifier]) -> Option<PatientId> {
    identifiers.first().map(|i| PatientId::from_identifier(&i.system, &i.value))
}

/// Whom the message says it is about; none if PID carries no identifier.
pub(crate) fn reference(pid: &Segment<'_>) -> Option<PatientRef> {
    let identifiers = patient_identifiers(pid);
    let id = patient_id(&identifiers)?;
    Some(PatientRef { id, identifiers, name: name(&pid.field(5)) })
}

/// The patient with the details of PID; none if it carries no identifier.
pub(crate) fn patient(pid: &Segment<'_>) -> Option<Patient> {
    let identifiers = patient_identifiers(pid);
    let mut patient = Patient::unknown(patient_id(&identifiers)?);
    patient.identifiers = identifiers;
    patient.name = name(&pid.field(5)).unwrap_or_default();
    patient.birth_date = iso_date(&pid.field(7).component(1));
    patient.sex = match pid.field(8).component(1).as_ref() {
        "M" => Sex::Male,
        "F" => Sex::Female,
        "O" | "A" => Sex::Other,
        _ => Sex::Unknown,
    };
    patient.deceased = pid.field(30).text() == "Y";
    Some(patient)
}

/// A PL field as unit, room and bed; none if it names none of them.
pub(crate) fn bed(field: &Field<'_>) -> Option<Bed> {
    let part = |number| field.subcomponent(number, 1).trim().to_owned();
    let bed = Bed { unit: part(1), room: part(2), bed: part(3) };
    (bed != Bed::default()).then_some(bed)
}

/// The encounter that PV1-19 names; its number is hidden in a hash.
pub(crate) fn encounter(pv1: &Segment<'_>) -> Option<EncounterId> {
    let visit = identifiers(&pv1.field(19)).into_iter().next()?;
    let hash = stable_hash(format!("{}|{}", visit.system, visit.value).as_bytes());
    Some(EncounterId::sanitised(&format!("v-{hash:016x}")))
}

/// The ActCode class of PV1-2 (table 0004); empty if it is none of those.
pub(crate) fn class(pv1: &Segment<'_>) -> &'static str {
    match pv1.field(2).component(1).as_ref() {
        "I" | "B" => "IMP",
        "O" | "R" | "C" => "AMB",
        "E" => "EMER",
        "P" => "PRENC",
        "H" => "HH",
        _ => "",
    }
}

fn name(field: &Field<'_>) -> Option<HumanName> {
    let given: Vec<String> = [2, 3]
        .map(|n| field.component(n).trim().to_owned())
        .into_iter()
        .filter(|n| !n.is_empty())
        .collect();
    let name =
        HumanName { family: field.subcomponent(1, 1).trim().to_owned(), given: given.join(" ") };
    (name != HumanName::default()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Separators;

    fn segment(line: &str) -> Segment<'_> {
        Segment::parse(line, Separators::default()).expect("a segment")
    }

    #[test]
    fn identifiers_with_and_without_authority() {
        let pid = segment("PID|||77^^^SSA^SS~4711^^^HOSP&1.2.3&ISO^MR~~9^^^&1.2.4&ISO^XX");
        let found: Vec<_> =
            patient_identifiers(&pid).into_iter().map(|i| (i.system, i.value)).collect();
        let expected = [("HOSP", "4711"), ("SSA", "77"), ("1.2.4", "9")];
        assert_eq!(found, expected.map(|(s, v)| (s.to_owned(), v.to_owned())));
        let implant = segment("PID|||MODEL:A DR/SERIAL:P1^^^MDT^U~9^^^MDT^U~^^^^X~A1^^^^Own");
        let found: Vec<_> = patient_identifiers(&implant).into_iter().map(|i| i.value).collect();
        assert_eq!(found, ["A1", "9"]);
        let plain = segment("PID||4711");
        assert_eq!(
            reference(&plain).map(|r| r.id),
            Some(PatientId::from_identifier(DEFAULT_SYSTEM, "4711"))
        );
        assert_eq!(reference(&segment("PID|1||")), None);
    }

    #[test]
    fn details() {
        let pid = segment("PID|||1||O'Neil&van^Ann^Bo||198005|F||||||||||||||||||||||Y");
        let found = patient(&pid).expect("a patient");
        assert_eq!((found.name.family.as_str(), found.name.given.as_str()), ("O'Neil", "Ann Bo"));
        assert_eq!(found.birth_date.as_deref(), Some("1980-05"));
        assert_eq!((found.sex, found.deceased), (Sex::Female, true));
    }

    #[test]
    fn places_and_visits() {
        let pv1 = segment("PV1||I|ICU^2^23^HOSP|||^^");
        assert_eq!(
            bed(&pv1.field(3)),
            Some(Bed { unit: "ICU".into(), room: "2".into(), bed: "23".into() })
        );
        assert_eq!(bed(&pv1.field(6)), None);
        assert_eq!(class(&pv1), "IMP");
        assert_eq!(encounter(&pv1), None);
        let line = format!("PV1||E|{}V99", "|".repeat(16));
        let id = encounter(&segment(&line)).expect("a visit");
        assert!(!id.as_str().contains("V99"));
    }
}
