//! What an association carries (`DataApdu`, IEEE 11073-20601 annex A.10): services invoked,
//! answered, refused.

use crate::apdu::{attributes, put_attributes};
use crate::bytes::{Fault, PhdError, Reader, Writer};

/// A service invoked or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// Ties an answer to what it answers.
    pub invoke: u16,
    /// The service.
    pub message: Message,
}

/// A service. Numbers of events, actions and attributes are codes of the nomenclature's partition
/// 1; their bytes are read by those who know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// An event happened; `confirmed` asks for an answer.
    Event {
        /// It must be answered.
        confirmed: bool,
        /// The event.
        event: Event,
    },
    /// The attributes of an object are wanted: all, or these.
    Get {
        /// The object.
        object: u16,
        /// These; none: all.
        attributes: Vec<u16>,
    },
    /// Attributes are to be changed.
    Set {
        /// It must be answered.
        confirmed: bool,
        /// The object.
        object: u16,
        /// How (0 replace, 1 add, 2 remove, 3 default), which, to what.
        changes: Vec<(u16, u16, Vec<u8>)>,
    },
    /// An action is to be done.
    Action {
        /// It must be answered.
        confirmed: bool,
        /// The action.
        action: Action,
    },
    /// An event was taken in; its time is the manager's.
    EventTaken(Event),
    /// The attributes asked for.
    Attributes {
        /// The object.
        object: u16,
        /// The attributes.
        attributes: Vec<(u16, Vec<u8>)>,
    },
    /// Attributes were changed.
    Changed {
        /// The object.
        object: u16,
        /// Their values now.
        attributes: Vec<(u16, Vec<u8>)>,
    },
    /// An action was done.
    Done(Action),
    /// The service failed: why, and more about it.
    Error(u16, Vec<u8>),
    /// The APDU was refused: why.
    Reject(u16),
}

/// An event of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The object; 0: the device.
    pub object: u16,
    /// When, in 1/8 ms of the device's relative time.
    pub time: u32,
    /// Which.
    pub kind: u16,
    /// What is told of it.
    pub info: Vec<u8>,
}

/// An action of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The object.
    pub object: u16,
    /// Which.
    pub kind: u16,
    /// What is told of it.
    pub info: Vec<u8>,
}

impl Event {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PhdError> {
        Ok(Self {
            object: reader.u16("obj-handle")?,
            time: reader.u32("event-time")?,
            kind: reader.u16("event-type")?,
            info: reader.counted("event-info")?.rest().to_vec(),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.shorts([self.object]);
        writer.long(self.time);
        writer.shorts([self.kind]);
        writer.counted(|w| w.put(&self.info));
    }
}

impl Action {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PhdError> {
        Ok(Self {
            object: reader.u16("obj-handle")?,
            kind: reader.u16("action-type")?,
            info: reader.counted("action-info-args")?.rest().to_vec(),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.shorts([self.object, self.kind]);
        writer.counted(|w| w.put(&self.info));
    }
}

impl Message {
    const fn choice(&self) -> u16 {
        match self {
            Self::Event { confirmed, .. } => 0x0100 + *confirmed as u16,
            Self::Get { .. } => 0x0103,
            Self::Set { confirmed, .. } => 0x0104 + *confirmed as u16,
            Self::Action { confirmed, .. } => 0x0106 + *confirmed as u16,
            Self::EventTaken(_) => 0x0201,
            Self::Attributes { .. } => 0x0203,
            Self::Changed { .. } => 0x0205,
            Self::Done(_) => 0x0207,
            Self::Error(..) => 0x0300,
            Self::Reject(_) => 0x0400,
        }
    }

    fn read(choice: u16, reader: &mut Reader<'_>) -> Result<Self, PhdError> {
        Ok(match choice {
            0x0100 | 0x0101 => {
                Self::Event { confirmed: choice == 0x0101, event: Event::read(reader)? }
            }
            0x0103 => Self::Get {
                object: reader.u16("obj-handle")?,
                attributes: reader.list("attribute-id-list", |r| r.u16("attribute-id"))?,
            },
            0x0104 | 0x0105 => Self::Set {
                confirmed: choice == 0x0105,
                object: reader.u16("obj-handle")?,
                changes: reader.list("modification-list", |r| {
                    let how = r.u16("modify-operator")?;
                    let id = r.u16("attribute-id")?;
                    Ok((how, id, r.counted("attribute-value")?.rest().to_vec()))
                })?,
            },
            0x0106 | 0x0107 => {
                Self::Action { confirmed: choice == 0x0107, action: Action::read(reader)? }
            }
            0x0201 => Self::EventTaken(Event::read(reader)?),
            0x0203 => Self::Attributes {
                object: reader.u16("obj-handle")?,
                attributes: attributes(reader, "attribute-list")?,
            },
            0x0205 => Self::Changed {
                object: reader.u16("obj-handle")?,
                attributes: attributes(reader, "attribute-list")?,
            },
            0x0207 => Self::Done(Action::read(reader)?),
            0x0300 => Self::Error(
                reader.u16("error-value")?,
                reader.counted("parameter")?.rest().to_vec(),
            ),
            0x0400 => Self::Reject(reader.u16("problem")?),
            code => return Err(reader.error("message", Fault::Code { code: u32::from(code) })),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Event { event, .. } | Self::EventTaken(event) => event.write(writer),
            Self::Get { object, attributes } => {
                writer.shorts([*object]);
                writer.list(attributes, |w, id| w.shorts([*id]));
            }
            Self::Set { object, changes, .. } => {
                writer.shorts([*object]);
                writer.list(changes, |w, (how, id, value)| {
                    w.shorts([*how, *id]);
                    w.counted(|w| w.put(value));
                });
            }
            Self::Action { action, .. } | Self::Done(action) => action.write(writer),
            Self::Attributes { object, attributes } | Self::Changed { object, attributes } => {
                writer.shorts([*object]);
                put_attributes(writer, attributes);
            }
            Self::Error(value, parameter) => {
                writer.shorts([*value]);
                writer.counted(|w| w.put(parameter));
            }
            Self::Reject(problem) => writer.shorts([*problem]),
        }
    }
}

impl Data {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, PhdError> {
        let invoke = reader.u16("invoke-id")?;
        let choice = reader.u16("message-choice")?;
        let mut part = reader.counted("message-length")?;
        let message = Message::read(choice, &mut part)?;
        part.end("message")?;
        Ok(Self { invoke, message })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.shorts([self.invoke, self.message.choice()]);
        writer.counted(|w| self.message.write(w));
    }
}
