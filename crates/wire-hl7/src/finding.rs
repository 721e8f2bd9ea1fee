//! What was wrong with a message: for quarantine as [`vitals::Problem`], for its sender as ERR.

use vitals::{Problem, ProblemKind};

use crate::syntax::Place;

/// No more than this many findings are kept of one message; the last one says that there are more.
const MAX_FINDINGS: usize = 100;

/// HL7 table 0357.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// 100
    SegmentSequence,
    /// 101
    RequiredFieldMissing,
    /// 102
    DataType,
    /// 103
    TableValueNotFound,
    /// 104
    ValueTooLong,
    /// 200
    UnsupportedMessageType,
    /// 201
    UnsupportedEvent,
    /// 202
    UnsupportedProcessing,
    /// 203
    UnsupportedVersion,
    /// 207
    Internal,
}

impl ErrorCode {
    /// Number and text of the table.
    #[must_use]
    pub const fn row(self) -> (u16, &'static str) {
        match self {
            Self::SegmentSequence => (100, "Segment sequence error"),
            Self::RequiredFieldMissing => (101, "Required field missing"),
            Self::DataType => (102, "Data type error"),
            Self::TableValueNotFound => (103, "Table value not found"),
            Self::ValueTooLong => (104, "Value too long"),
            Self::UnsupportedMessageType => (200, "Unsupported message type"),
            Self::UnsupportedEvent => (201, "Unsupported event code"),
            Self::UnsupportedProcessing => (202, "Unsupported processing id"),
            Self::UnsupportedVersion => (203, "Unsupported version id"),
            Self::Internal => (207, "Application internal error"),
        }
    }
}

/// How bad it is for the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// One part is lost; the rest counts.
    Part,
    /// Nothing of the message can be used: AE.
    Error,
    /// The message is not for us: AR.
    Reject,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(crate) code: ErrorCode,
    pub(crate) kind: ProblemKind,
    pub(crate) place: Place,
    pub(crate) detail: String,
    pub(crate) weight: Weight,
}

impl Finding {
    pub(crate) fn part(code: ErrorCode, kind: ProblemKind, place: Place) -> Self {
        Self { code, kind, place, detail: String::new(), weight: Weight::Part }
    }

    pub(crate) fn error(code: ErrorCode, kind: ProblemKind, place: Place) -> Self {
        Self { weight: Weight::Error, ..Self::part(code, kind, place) }
    }

    pub(crate) fn reject(code: ErrorCode, kind: ProblemKind, place: Place) -> Self {
        Self { weight: Weight::Reject, ..Self::part(code, kind, place) }
    }

    /// Says what is wrong and what to do. Never the value: it may be a patient's.
    pub(crate) fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    pub(crate) fn problem(&self) -> Problem {
        Problem { kind: self.kind, path: self.place.to_string(), detail: self.detail.clone() }
    }
}

/// The findings of one message, bounded.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn add(&mut self, finding: Finding) {
        match self.0.len() {
            n if n < MAX_FINDINGS => self.0.push(finding),
            MAX_FINDINGS => self.0.push(
                Finding::part(ErrorCode::Internal, ProblemKind::Limit, finding.place)
                    .saying("more is wrong from here on than is listed"),
            ),
            _ => {}
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}
