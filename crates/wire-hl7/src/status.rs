//! ORA^R41: what became of an alert of ours at an alert manager (IHE PCD-05, Report Alert Status).
//!
//! The alert is named by OBR-3 (its number), by OBR-29 (its parent), or by MSA-2, the control id of
//! the message that reported it: all of them begin with the alert's own name. What became of it
//! stands in an OBX or in PRT-3, as the words that IHE ACM uses for dissemination; who did it in
//! PRT-5. Without any such word it is MSA-1 that answers: `AA` that the alert arrived.
//!
//! Sources: IHE PCD Technical Framework volume 2, sections 3.5 and 3.7; HL7 v2.9 chapter 7 (PRT).

use vitals::{EpisodeId, ProblemKind};

use crate::finding::{ErrorCode, Finding, Findings};
use crate::syntax::{Place, Segment};

/// What somebody or something did with an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// The alert manager has it, or a device showed it.
    Delivered,
    /// It reached nobody.
    Undeliverable,
    /// Somebody saw it.
    Read,
    /// Somebody takes care of it.
    Accepted,
    /// Somebody can't take care of it.
    Rejected,
    /// Somebody calls back.
    CallBack,
    /// It was withdrawn there.
    Cancelled,
}

impl Response {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Undeliverable => "undeliverable",
            Self::Read => "read",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::CallBack => "callback",
            Self::Cancelled => "cancelled",
        }
    }

    /// The response of that name, as IHE ACM writes it: `AcceptedPositive`, `CallbackStart` …
    fn from_word(word: &str) -> Option<Self> {
        let plain: String =
            word.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
        Some(match plain.as_str() {
            "received" | "delivered" | "queued" => Self::Delivered,
            "undeliverable" => Self::Undeliverable,
            "read" => Self::Read,
            "accepted" | "accept" | "acceptedpositive" | "acceptednotrelevant" | "acceptedfalse"
            | "acknowledged" | "alertacknowledged" => Self::Accepted,
            "rejected" | "reject" => Self::Rejected,
            "callback" | "callbackstart" | "callbackend" => Self::CallBack,
            "cancelled" | "canceled" | "cancelledother" => Self::Cancelled,
            _ => return None,
        })
    }
}

/// A report of what became of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertStatus {
    /// Which alert of ours.
    pub episode: EpisodeId,
    /// What became of it.
    pub response: Response,
    /// The word that was sent.
    pub said: String,
    /// Who: id or name; empty where nobody is named.
    pub who: String,
}

/// Reads the segments of an ORA^R41.
pub(crate) fn read(segments: &[Segment<'_>], findings: &mut Findings) -> Option<AlertStatus> {
    let find = |name: &str| segments.iter().find(|segment| segment.name == name);
    let named = find("OBR")
        .into_iter()
        .flat_map(|obr| {
            [
                obr.field(29).subcomponent(2, 1).into_owned(),
                obr.field(3).component(1).into_owned(),
                obr.field(2).component(1).into_owned(),
            ]
        })
        .chain(find("MSA").map(|msa| msa.field(2).text().into_owned()));
    let Some(episode) = named.into_iter().find_map(|name| episode_of(&name)) else {
        findings.add(
            Finding::error(ErrorCode::RequiredFieldMissing, ProblemKind::Missing, Place::new("OBR", 1, 3))
                .saying("the status names no alert of ours: send OBR-3 or MSA-2 as we sent them"),
        );
        return None;
    };
    let words = segments.iter().flat_map(|segment| {
        let fields: &[usize] = match segment.name {
            "OBX" => &[5],
            "PRT" => &[3, 4],
            _ => &[],
        };
        fields.iter().flat_map(|number| {
            let field = segment.field(*number);
            [1, 2, 9].map(|part| field.component(part).into_owned())
        })
    });
    let found = words.filter_map(|word| Response::from_word(&word).map(|response| (response, word)));
    // Of several words, the one that says most: who accepted has read it, too.
    let strongest = found.max_by_key(|(response, _)| strength(*response));
    let code = find("MSA").map(|msa| msa.field(1).text().into_owned()).unwrap_or_default();
    let (response, said) = match (strongest, code.as_str()) {
        (Some(found), _) => found,
        (None, "AA" | "CA") => (Response::Delivered, code),
        (None, "AE" | "AR" | "CE" | "CR") => (Response::Undeliverable, code),
        (None, _) => {
            findings.add(
                Finding::error(ErrorCode::RequiredFieldMissing, ProblemKind::Missing, Place::new("MSA", 1, 1))
                    .saying("the status says nothing that we understand: send MSA-1, or an OBX such as Accepted"),
            );
            return None;
        }
    };
    let who = segments.iter().filter(|s| s.name == "PRT").find_map(person).unwrap_or_default();
    Some(AlertStatus { episode, response, said, who })
}

/// The alert whose name a control id or order number begins with.
fn episode_of(name: &str) -> Option<EpisodeId> {
    let own = name.split('.').next().unwrap_or(name);
    own.parse().ok()
}

/// PRT-5: the id, else family and given name.
fn person(prt: &Segment<'_>) -> Option<String> {
    let field = prt.field(5);
    let id = field.component(1);
    let name = [field.subcomponent(2, 1), field.component(3)].join(" ");
    let who = if id.is_empty() { name.trim().to_owned() } else { id.into_owned() };
    let who: String = who.chars().filter(|c| !c.is_control()).take(64).collect();
    (!who.is_empty()).then_some(who)
}

const fn strength(response: Response) -> u8 {
    match response {
        Response::Delivered => 0,
        Response::Undeliverable => 1,
        Response::Cancelled => 2,
        Response::Read => 3,
        Response::CallBack => 4,
        Response::Rejected => 5,
        Response::Accepted => 6,
    }
}
