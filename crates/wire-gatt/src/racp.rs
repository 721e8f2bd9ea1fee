//! Record Access Control Point (0x2A52): asking a glucose meter or a CGM sensor for its records,
//! and what it answers. Glucose Service 1.0 §3.4, CGM Service 1.0 §3.9.

use crate::Characteristic;
use crate::bytes::{Fault, GattError, Reader, Writer, codes};
use crate::time::DateTime;

/// A request or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordAccess {
    /// Report, delete or count the records that a filter picks.
    Ask(Request, Filter),
    /// Stop what goes on.
    Abort,
    /// There are so many records.
    Count(u16),
    /// How a request ended.
    Answer {
        /// The number of the request.
        request: u8,
        /// How it ended.
        outcome: Outcome,
    },
}

/// What to do with records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Send them.
    Report,
    /// Delete them.
    Delete,
    /// Say how many there are.
    Count,
}

/// Which records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// All.
    All,
    /// Up to a limit, inclusive.
    UpTo(Limit),
    /// From a limit, inclusive.
    From(Limit),
    /// Between two, both inclusive.
    Within(Limit, Limit),
    /// The oldest.
    First,
    /// The newest.
    Last,
}

/// A limit of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A glucose meter's sequence number, or a CGM sensor's time offset in minutes: both are filter
    /// type 1.
    Number(u16),
    /// Filter type 2: the time that the user sees.
    Time(DateTime),
}

codes! {
    /// How a request ended.
    Outcome: u8 {
        /// Done.
        Success = 1,
        /// The device does not know the request.
        OpCodeNotSupported = 2,
        /// The operator does not fit the request.
        InvalidOperator = 3,
        /// The device does not know the operator.
        OperatorNotSupported = 4,
        /// The operand does not fit.
        InvalidOperand = 5,
        /// The filter picks none.
        NoRecords = 6,
        /// Could not be stopped.
        AbortUnsuccessful = 7,
        /// Could not be finished.
        NotCompleted = 8,
        /// The device does not know the operand.
        OperandNotSupported = 9,
        /// The device is busy (later editions of the services).
        ServerBusy = 10,
    }
}

const ABORT: u8 = 3;
const COUNT_ANSWER: u8 = 5;
const ANSWER: u8 = 6;

impl Request {
    const ALL: [(u8, Self); 3] = [(1, Self::Report), (2, Self::Delete), (4, Self::Count)];

    /// Its op code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Report => 1,
            Self::Delete => 2,
            Self::Count => 4,
        }
    }
}

impl Characteristic for RecordAccess {
    const UUID: u16 = 0x2a52;
    const NAME: &'static str = "record access control point";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let code = reader.u8("op code")?;
        if let Some((_, request)) = Request::ALL.iter().find(|(known, _)| *known == code) {
            return Ok(Self::Ask(*request, Filter::read(reader)?));
        }
        match code {
            ABORT | COUNT_ANSWER | ANSWER => {
                let at = reader.clone();
                if reader.u8("operator")? != 0 {
                    return Err(at.error("operator", Fault::Code { code: u32::from(code) }));
                }
                Ok(match code {
                    ABORT => Self::Abort,
                    COUNT_ANSWER => Self::Count(reader.u16("number of records")?),
                    _ => Self::Answer {
                        request: reader.u8("request op code")?,
                        outcome: Outcome::from_code(reader.u8("response code value")?),
                    },
                })
            }
            _ => Err(GattError {
                field: "op code",
                offset: 0,
                fault: Fault::Code { code: u32::from(code) },
            }),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Ask(request, filter) => {
                writer.put([request.code()]);
                filter.write(writer);
            }
            Self::Abort => writer.put([ABORT, 0]),
            Self::Count(number) => {
                writer.put([COUNT_ANSWER, 0]);
                writer.put(number.to_le_bytes());
            }
            Self::Answer { request, outcome } => {
                writer.put([ANSWER, 0, *request, outcome.code()]);
            }
        }
    }
}

impl Filter {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let at = reader.clone();
        let operator = reader.u8("operator")?;
        Ok(match operator {
            1 => Self::All,
            2 => Self::UpTo(Limit::read(reader)?),
            3 => Self::From(Limit::read(reader)?),
            4 => {
                let kind = reader.u8("filter type")?;
                Self::Within(Limit::read_as(kind, reader)?, Limit::read_as(kind, reader)?)
            }
            5 => Self::First,
            6 => Self::Last,
            code => return Err(at.error("operator", Fault::Code { code: u32::from(code) })),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::All => writer.put([1]),
            Self::UpTo(limit) => {
                writer.put([2, limit.kind()]);
                limit.write(writer);
            }
            Self::From(limit) => {
                writer.put([3, limit.kind()]);
                limit.write(writer);
            }
            // Both limits are of one kind: the first one's, which is the one written.
            Self::Within(from, to) => {
                writer.put([4, from.kind()]);
                from.write(writer);
                to.write(writer);
            }
            Self::First => writer.put([5]),
            Self::Last => writer.put([6]),
        }
    }
}

impl Limit {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let kind = reader.u8("filter type")?;
        Self::read_as(kind, reader)
    }

    fn read_as(kind: u8, reader: &mut Reader<'_>) -> Result<Self, GattError> {
        match kind {
            1 => reader.u16("filter value").map(Self::Number),
            2 => DateTime::read(reader).map(Self::Time),
            code => Err(reader.error("filter type", Fault::Code { code: u32::from(code) })),
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Number(_) => 1,
            Self::Time(_) => 2,
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Number(number) => writer.put(number.to_le_bytes()),
            Self::Time(time) => writer.put(time.bytes()),
        }
    }
}
