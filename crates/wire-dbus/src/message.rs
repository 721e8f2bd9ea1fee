//! Messages: a header of fixed and of named fields, and a body of values.

use crate::read::Reader;
use crate::write::Writer;
use crate::{DbusError, Value};

/// Largest message that is taken, in bytes. D-Bus allows 128 MiB; the largest that BlueZ sends lists all
/// its objects.
pub const MESSAGE_MAX: usize = 8 << 20;
/// The one version of the protocol.
const VERSION: u8 = 1;
/// Bytes of the fixed fields and of the length of the named ones.
const FIXED: usize = 16;

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Asks an object for something.
    Call,
    /// Answers a call.
    Return,
    /// Says that a call failed.
    Error,
    /// Tells whoever listens.
    Signal,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Call, Self::Return, Self::Error, Self::Signal];
}

/// A named header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The object.
    Path = 1,
    /// The interface.
    Interface = 2,
    /// The method or signal.
    Member = 3,
    /// The error's name.
    ErrorName = 4,
    /// To which call this is the answer.
    ReplySerial = 5,
    /// To whom.
    Destination = 6,
    /// From whom.
    Sender = 7,
}

/// The number of the field that has the body's signature.
const SIGNATURE: u8 = 8;

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What it is for.
    pub kind: Kind,
    /// 1: no reply is expected; 2: start no service for it.
    pub flags: u8,
    /// Its number, from 1.
    pub serial: u32,
    /// To which call this is the answer.
    pub reply_serial: Option<u32>,
    /// Texts of the header, in the order of [`Field`]: path, interface, member, error name, (none), destination, sender.
    texts: [Option<String>; 7],
    /// The body.
    pub body: Vec<Value>,
}

impl Message {
    /// An empty one.
    #[must_use]
    pub const fn new(kind: Kind, serial: u32) -> Self {
        Self { kind, flags: 0, serial, reply_serial: None, texts: [const { None }; 7], body: Vec::new() }
    }

    /// A call of a method.
    #[must_use]
    pub fn call(serial: u32, destination: &str, path: &str, interface: &str, member: &str) -> Self {
        Self::new(Kind::Call, serial)
            .with(Field::Destination, destination)
            .with(Field::Path, path)
            .with(Field::Interface, interface)
            .with(Field::Member, member)
    }

    /// With a header field that is a text.
    #[must_use]
    pub fn with(mut self, field: Field, text: &str) -> Self {
        if field != Field::ReplySerial {
            self.texts[field as usize - 1] = Some(text.to_owned());
        }
        self
    }

    /// With values behind those that there are.
    #[must_use]
    pub fn and(mut self, value: Value) -> Self {
        self.body.push(value);
        self
    }

    /// A header field that is a text; empty if it is not there.
    #[must_use]
    pub fn text(&self, field: Field) -> &str {
        self.texts[field as usize - 1].as_deref().unwrap_or_default()
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Writer::default();
        self.body.iter().for_each(|value| body.value(value));
        let kind = 1 + Kind::ALL.iter().position(|kind| *kind == self.kind).unwrap_or(0) as u8;
        let mut writer = Writer { bytes: vec![b'l', kind, self.flags, VERSION] };
        writer.u32(u32::try_from(body.bytes.len()).unwrap_or(u32::MAX));
        writer.u32(self.serial);
        let field = |number: u8, value: Value| Value::Struct(vec![Value::Byte(number), Value::variant(value)]);
        let mut fields: Vec<Value> = (1_u8..)
            .zip(&self.texts)
            .filter_map(|(number, text)| {
                let text = text.clone()?;
                Some(field(number, if number == 1 { Value::Path(text) } else { Value::Text(text) }))
            })
            .collect();
        fields.extend(self.reply_serial.map(|serial| field(Field::ReplySerial as u8, Value::Uint32(serial))));
        if !self.body.is_empty() {
            let signature = self.body.iter().map(Value::signature).collect();
            fields.push(field(SIGNATURE, Value::Signature(signature)));
        }
        writer.value(&Value::Array("(yv)".to_owned(), fields));
        writer.align(8);
        writer.bytes.extend_from_slice(&body.bytes);
        writer.bytes
    }

    /// The message at the front of these bytes, and how many it has; none while too few have come.
    ///
    /// # Errors
    /// [`DbusError`]: this is no message, and nothing behind it can be read.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, DbusError> {
        let Some(fixed) = bytes.get(..FIXED) else { return Ok(None) };
        let little = match fixed[0] {
            b'l' => true,
            b'B' => false,
            _ => return Err(DbusError::Order),
        };
        let kind = Kind::ALL.get(usize::from(fixed[1]).wrapping_sub(1)).copied().ok_or(DbusError::Kind(fixed[1]))?;
        if fixed[3] != VERSION {
            return Err(DbusError::Version(fixed[3]));
        }
        let mut reader = Reader::new(fixed, 4, little);
        let (body, serial, fields) = (reader.u32()? as usize, reader.u32()?, reader.u32()? as usize);
        if body > MESSAGE_MAX || fields > MESSAGE_MAX {
            return Err(DbusError::Limit);
        }
        let header = (FIXED + fields).next_multiple_of(8);
        let whole = header + body;
        if whole > MESSAGE_MAX {
            return Err(DbusError::Limit);
        }
        let Some(message) = bytes.get(..whole) else { return Ok(None) };
        let mut reader = Reader::new(&message[..header], FIXED - 4, little);
        let fields = reader.value("a(yv)", 0)?;
        reader.align(8)?;
        let mut read = Self { flags: fixed[2], ..Self::new(kind, serial) };
        let signature = read.take_fields(&fields)?;
        read.check_header()?;
        // Alignment in the body counts from its own beginning, which is a multiple of eight.
        debug_assert_eq!(reader.at(), header);
        let mut reader = Reader::new(&message[header..], 0, little);
        read.body = reader.row(&signature, 0)?;
        if !reader.is_at_end() {
            return Err(DbusError::Long);
        }
        Ok(Some((read, whole)))
    }

    /// Takes the named fields; gives the body's signature.
    fn take_fields(&mut self, fields: &Value) -> Result<String, DbusError> {
        let mut signature = String::new();
        for field in fields.items() {
            let [Value::Byte(number), value] = field.items() else { return Err(DbusError::Header) };
            match (number, value.plain()) {
                (5, Value::Uint32(serial)) => self.reply_serial = Some(*serial),
                (8, Value::Signature(text)) => signature.clone_from(text),
                (1, Value::Path(text)) | (2..=4 | 6..=7, Value::Text(text)) => {
                    self.texts[usize::from(*number) - 1] = Some(text.clone());
                }
                (1..=8, _) => return Err(DbusError::Header),
                // How many descriptors there are, and what later versions add.
                _ => {}
            }
        }
        Ok(signature)
    }

    /// What a message of its kind must have.
    fn check_header(&self) -> Result<(), DbusError> {
        let has = |field: Field| !self.text(field).is_empty();
        let whole = self.serial != 0
            && match self.kind {
                Kind::Call => has(Field::Path) && has(Field::Member),
                Kind::Return => self.reply_serial.is_some(),
                Kind::Error => self.reply_serial.is_some() && has(Field::ErrorName),
                Kind::Signal => has(Field::Path) && has(Field::Interface) && has(Field::Member),
            };
        if whole { Ok(()) } else { Err(DbusError::Header) }
    }
}
