//! Asking a pump for its history (IDD Record Access Control Point 0x2B27), and what it answers. Insulin
//! Delivery Service 1.0.1 §3.9. Its codes are not those of [`crate::racp`]: one wrong bit makes no other.

use crate::Characteristic;
use crate::bytes::{Fault, GattError, Reader, Writer, codes};
use crate::crc::{put_protection, take_protection};

codes! {
    /// What to do with records, or what is answered.
    HistoryCode: u8 {
        /// How a request ended.
        Answer = 0x0f,
        /// Send them.
        Report = 0x33,
        /// Delete them.
        Delete = 0x3c,
        /// Stop what goes on.
        Abort = 0x55,
        /// Say how many there are.
        Count = 0x5a,
        /// So many.
        Number = 0x66,
    }
}

codes! {
    /// How a request for records ended.
    HistoryOutcome: u8 {
        /// The pump does not know the request.
        OpCodeNotSupported = 2,
        /// The operator does not fit the request.
        InvalidOperator = 3,
        /// The pump does not know the operator.
        OperatorNotSupported = 4,
        /// The operand does not fit.
        InvalidOperand = 5,
        /// The filter picks none.
        NoRecords = 6,
        /// Could not be stopped.
        AbortUnsuccessful = 7,
        /// Could not be finished.
        NotCompleted = 8,
        /// The pump does not know the operand.
        OperandNotSupported = 9,
        /// Not now.
        NotApplicable = 10,
        /// Done.
        Success = 0xf0,
    }
}

codes! {
    /// Which numbers are compared.
    HistoryFilter: u8 {
        /// Of all events.
        Sequence = 0x0f,
        /// Of those that tell the time.
        ReferenceTimes = 0x33,
        /// Of all others.
        Others = 0x3c,
    }
}

/// Which events of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryRange {
    /// All.
    All,
    /// Up to a number, inclusive.
    UpTo(HistoryFilter, u32),
    /// From a number, inclusive.
    From(HistoryFilter, u32),
    /// Between two, both inclusive.
    Within(HistoryFilter, u32, u32),
    /// The oldest.
    First,
    /// The newest.
    Last,
}

/// Asking for a pump's history, or what is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryRequest {
    /// Report, delete or count events.
    Ask(HistoryCode, HistoryRange),
    /// Stop what goes on.
    Abort,
    /// There are so many events.
    Number(u32),
    /// How a request ended.
    Answer(HistoryCode, HistoryOutcome),
}

/// A request for a pump's history, or an answer, with what protects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryAccess {
    /// What is asked or answered.
    pub request: HistoryRequest,
    /// The E2E-counter, if the value is protected.
    pub counter: Option<u8>,
}

/// The operator of an answer.
const NULL: u8 = 0x0f;

impl HistoryRange {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let at = reader.clone();
        let operator = reader.u8("operator")?;
        let filter = |r: &mut Reader<'_>| r.u8("filter type").map(HistoryFilter::from_code);
        let number = |r: &mut Reader<'_>| r.u32("filter value");
        Ok(match operator {
            0x33 => Self::All,
            0x3c => Self::UpTo(filter(reader)?, number(reader)?),
            0x55 => Self::From(filter(reader)?, number(reader)?),
            0x5a => Self::Within(filter(reader)?, number(reader)?, number(reader)?),
            0x66 => Self::First,
            0x69 => Self::Last,
            code => return Err(at.error("operator", Fault::Code { code: u32::from(code) })),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::All => writer.put([0x33]),
            Self::First => writer.put([0x66]),
            Self::Last => writer.put([0x69]),
            Self::UpTo(filter, number) | Self::From(filter, number) => {
                writer.put([if matches!(self, Self::UpTo(..)) { 0x3c } else { 0x55 }, filter.code()]);
                writer.put(number.to_le_bytes());
            }
            Self::Within(filter, from, to) => {
                writer.put([0x5a, filter.code()]);
                writer.put(from.to_le_bytes());
                writer.put(to.to_le_bytes());
            }
        }
    }
}

impl Characteristic for HistoryAccess {
    const UUID: u16 = 0x2b27;
    const NAME: &'static str = "idd record access control point";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let at = reader.clone();
        let code = HistoryCode::from_code(reader.u8("op code")?);
        let request = match code {
            HistoryCode::Report | HistoryCode::Delete | HistoryCode::Count => {
                HistoryRequest::Ask(code, HistoryRange::read(reader)?)
            }
            HistoryCode::Abort | HistoryCode::Number | HistoryCode::Answer => {
                let at = reader.clone();
                let operator = reader.u8("operator")?;
                if operator != NULL {
                    return Err(at.error("operator", Fault::Code { code: u32::from(operator) }));
                }
                match code {
                    HistoryCode::Abort => HistoryRequest::Abort,
                    HistoryCode::Number => HistoryRequest::Number(reader.u32("number of records")?),
                    _ => HistoryRequest::Answer(
                        HistoryCode::from_code(reader.u8("request op code")?),
                        HistoryOutcome::from_code(reader.u8("response code value")?),
                    ),
                }
            }
            HistoryCode::Other(code) => return Err(at.error("op code", Fault::Code { code: u32::from(code) })),
        };
        Ok(Self { request, counter: take_protection(reader)? })
    }

    fn write(&self, writer: &mut Writer) {
        match self.request {
            HistoryRequest::Ask(code, range) => {
                writer.put([code.code()]);
                range.write(writer);
            }
            HistoryRequest::Abort => writer.put([HistoryCode::Abort.code(), NULL]),
            HistoryRequest::Number(number) => {
                writer.put([HistoryCode::Number.code(), NULL]);
                writer.put(number.to_le_bytes());
            }
            HistoryRequest::Answer(request, outcome) => {
                writer.put([HistoryCode::Answer.code(), NULL, request.code(), outcome.code()]);
            }
        }
        put_protection(writer, self.counter);
    }
}
