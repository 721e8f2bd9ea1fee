//! MSH: who speaks, of what, and which answer is wanted.

use jiff::tz::TimeZone;
use vitals::{ProblemKind, TimeBase};

use crate::dtm::Dtm;
use crate::finding::{ErrorCode, Finding};
use crate::syntax::{Segment, Separators};

/// The header of one message, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// MSH-3, as sent.
    pub sending_application: String,
    /// MSH-4, as sent.
    pub sending_facility: String,
    /// MSH-5, as sent.
    pub receiving_application: String,
    /// MSH-6, as sent.
    pub receiving_facility: String,
    /// MSH-7, as sent.
    pub time: String,
    /// MSH-9.1: `ORU`.
    pub message_type: String,
    /// MSH-9.2: `R01`.
    pub trigger: String,
    /// MSH-10.
    pub control_id: String,
    /// MSH-11.1: `P`, `T` or `D`.
    pub processing_id: String,
    /// MSH-11.2.
    pub processing_mode: String,
    /// MSH-12.1: `2.6`.
    pub version: String,
    /// MSH-15: when an accept acknowledgement is wanted.
    pub accept_ack: String,
    /// MSH-16: when an application acknowledgement is wanted.
    pub application_ack: String,
    /// MSH-18, first repetition.
    pub charset: String,
    /// MSH-21.1: the profile that the message claims.
    pub profile: String,
    /// What stands for a sender's name: MSH-3.1 (or its universal id), else MSH-4.1.
    pub sender: String,
    /// The separators that the message uses.
    pub separators: Separators,
}

impl Header {
    pub(crate) fn read(msh: &Segment<'_>) -> Self {
        let component =
            |field: usize, number: usize| msh.field(field).component(number).into_owned();
        let name = |field: usize| {
            let namespace = msh.field(field).component(1);
            if namespace.is_empty() { component(field, 2) } else { namespace.into_owned() }
        };
        let application = name(3);
        Self {
            sending_application: msh.field(3).raw.to_owned(),
            sending_facility: msh.field(4).raw.to_owned(),
            receiving_application: msh.field(5).raw.to_owned(),
            receiving_facility: msh.field(6).raw.to_owned(),
            time: component(7, 1),
            message_type: component(9, 1).to_uppercase(),
            trigger: component(9, 2).to_uppercase(),
            control_id: msh.field(10).text().into_owned(),
            processing_id: component(11, 1).to_uppercase(),
            processing_mode: component(11, 2).to_uppercase(),
            version: component(12, 1),
            accept_ack: component(15, 1).to_uppercase(),
            application_ack: component(16, 1).to_uppercase(),
            charset: msh.field(18).component(1).into_owned(),
            profile: component(21, 1),
            sender: if application.is_empty() { name(4) } else { application },
            separators: msh.separators(),
        }
    }

    /// `ORU^R01`; the type alone if it comes without a trigger.
    #[must_use]
    pub fn kind(&self) -> String {
        match self.trigger.as_str() {
            "" => self.message_type.clone(),
            trigger => format!("{}^{trigger}", self.message_type),
        }
    }

    /// Sending application and facility for people: `MONITOR/ICU`.
    pub(crate) fn sent_by(&self) -> String {
        [&self.sending_application, &self.sending_facility]
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("/")
    }

    /// MSH-11.2: archive, restore from archive and initial load are not live.
    pub(crate) fn time_base(&self) -> TimeBase {
        match self.processing_mode.as_str() {
            "A" | "R" | "I" => TimeBase::Recorded,
            _ => TimeBase::Live,
        }
    }

    /// MSH-11.1: training and debugging data.
    pub(crate) fn is_test(&self) -> bool {
        matches!(self.processing_id.as_str(), "T" | "D")
    }

    /// The zone of times without an offset.
    pub(crate) fn zone(&self, configured: &TimeZone) -> TimeZone {
        Dtm::parse(&self.time).and_then(|t| t.zone()).unwrap_or_else(|| configured.clone())
    }

    /// Whether the sender asked for enhanced acknowledgement (v2.5.1 section 2.9.3).
    pub(crate) fn is_enhanced(&self) -> bool {
        !self.accept_ack.is_empty() || !self.application_ack.is_empty()
    }

    /// The version as major and minor number; none if MSH-12 is empty or not a version.
    pub(crate) fn version_number(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.split('.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next().map_or(Some(0), |p| p.parse().ok())?;
        parts.next().map_or(Some(0_u32), |p| p.parse().ok())?;
        Some((major, minor))
    }

    /// Why a message with this header can't be taken, whatever else is in it.
    pub(crate) fn refusal(&self, msh: &Segment<'_>) -> Option<Finding> {
        let missing = |field| {
            Finding::error(ErrorCode::RequiredFieldMissing, ProblemKind::Missing, msh.at(field))
        };
        if self.message_type.is_empty() {
            return Some(
                missing(9).saying("the message type is missing: send MSH-9, such as ORU^R01"),
            );
        }
        if self.control_id.is_empty() {
            return Some(
                missing(10).saying("the message control id is missing: send a unique MSH-10"),
            );
        }
        if !self.version.is_empty() && !matches!(self.version_number(), Some((2, 1..=9))) {
            return Some(
                Finding::reject(ErrorCode::UnsupportedVersion, ProblemKind::Unmatched, msh.at(12))
                    .saying("unsupported HL7 version: send v2.3 to v2.8"),
            );
        }
        if !matches!(self.processing_id.as_str(), "" | "P" | "T" | "D") {
            return Some(
                Finding::reject(
                    ErrorCode::UnsupportedProcessing,
                    ProblemKind::Unmatched,
                    msh.at(11),
                )
                .saying("unsupported processing id: send P, T or D in MSH-11"),
            );
        }
        None
    }
}
