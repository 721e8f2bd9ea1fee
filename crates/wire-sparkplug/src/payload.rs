//! Payloads (Sparkplug 3.0, chapter 6): metrics with a name or an alias, a value, a time. Data sets,
//! templates and properties are passed over; a metric that is one has no value.

use crate::SparkplugError;
use crate::protobuf::{Field, Fields, put_bytes, put_number, put_varint};

/// Most metrics in one message.
const METRICS_MAX: usize = 10_000;

/// A payload.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Payload {
    /// When it was sent, in milliseconds since 1970.
    pub timestamp_ms: Option<u64>,
    /// Metrics, in order.
    pub metrics: Vec<Metric>,
    /// Sequence number, 0 to 255.
    pub seq: Option<u64>,
}

/// One metric as sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metric {
    /// Name; in data often left out where there is an alias.
    pub name: Option<String>,
    /// Alias that a birth gave to the name.
    pub alias: Option<u64>,
    /// When it was measured, in milliseconds since 1970.
    pub timestamp_ms: Option<u64>,
    /// Data type, by its number; in data often left out.
    pub datatype: Option<u64>,
    /// It was kept while the node had no connection.
    pub historical: bool,
    /// The value; none: there is none now, or it is a data set or template.
    pub value: Option<Value>,
}

/// A value as sent. Whole numbers come without their sign, which the data type restores.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Whole number of up to 32 bits.
    Int(u32),
    /// Whole number of 64 bits.
    Long(u64),
    /// Single precision.
    Float(f32),
    /// Double precision.
    Double(f64),
    /// Truth.
    Boolean(bool),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Payload {
    /// Reads a payload. Fields that are not known are passed over.
    ///
    /// # Errors
    /// [`SparkplugError::Protobuf`], [`SparkplugError::Metrics`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SparkplugError> {
        let mut payload = Self::default();
        let mut fields = Fields::new(bytes, 0);
        while let Some((number, field, at)) = fields.next()? {
            match (number, field) {
                (1, Field::Varint(time)) => payload.timestamp_ms = Some(time),
                (2, Field::Bytes(inner)) => {
                    if payload.metrics.len() == METRICS_MAX {
                        return Err(SparkplugError::Metrics(METRICS_MAX));
                    }
                    payload.metrics.push(Metric::decode(inner, at)?);
                }
                (3, Field::Varint(seq)) => payload.seq = Some(seq),
                _ => {}
            }
        }
        Ok(payload)
    }

    /// Writes a payload.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(time) = self.timestamp_ms {
            put_number(&mut out, 1, time);
        }
        for metric in &self.metrics {
            put_bytes(&mut out, 2, &metric.encode());
        }
        if let Some(seq) = self.seq {
            put_number(&mut out, 3, seq);
        }
        out
    }
}

impl Metric {
    fn decode(bytes: &[u8], base: usize) -> Result<Self, SparkplugError> {
        let mut metric = Self::default();
        let mut null = false;
        let mut fields = Fields::new(bytes, base);
        while let Some((number, field, at)) = fields.next()? {
            let text = || field.text().map(str::to_owned).ok_or(SparkplugError::Protobuf(at));
            match (number, field) {
                (1, Field::Bytes(_)) => metric.name = Some(text()?),
                (2, Field::Varint(alias)) => metric.alias = Some(alias),
                (3, Field::Varint(time)) => metric.timestamp_ms = Some(time),
                (4, Field::Varint(kind)) => metric.datatype = Some(kind),
                (5, Field::Varint(flag)) => metric.historical = flag != 0,
                (7, Field::Varint(flag)) => null = flag != 0,
                (10, Field::Varint(value)) => metric.value = Some(Value::Int(value as u32)),
                (11, Field::Varint(value)) => metric.value = Some(Value::Long(value)),
                (12, Field::Fixed32(bits)) => metric.value = Some(Value::Float(f32::from_bits(bits))),
                (13, Field::Fixed64(bits)) => metric.value = Some(Value::Double(f64::from_bits(bits))),
                (14, Field::Varint(flag)) => metric.value = Some(Value::Boolean(flag != 0)),
                (15, Field::Bytes(_)) => metric.value = Some(Value::Text(text()?)),
                (16, Field::Bytes(bytes)) => metric.value = Some(Value::Bytes(bytes.to_vec())),
                _ => {}
            }
        }
        if null {
            metric.value = None;
        }
        Ok(metric)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(name) = &self.name {
            put_bytes(&mut out, 1, name.as_bytes());
        }
        for (field, number) in [(2, self.alias), (3, self.timestamp_ms), (4, self.datatype)] {
            if let Some(number) = number {
                put_number(&mut out, field, number);
            }
        }
        if self.historical {
            put_number(&mut out, 5, 1);
        }
        match &self.value {
            None => put_number(&mut out, 7, 1),
            Some(Value::Int(value)) => put_number(&mut out, 10, u64::from(*value)),
            Some(Value::Long(value)) => put_number(&mut out, 11, *value),
            Some(Value::Float(value)) => {
                put_varint(&mut out, 12 << 3 | 5);
                out.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            Some(Value::Double(value)) => {
                put_varint(&mut out, 13 << 3 | 1);
                out.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            Some(Value::Boolean(flag)) => put_number(&mut out, 14, u64::from(*flag)),
            Some(Value::Text(text)) => put_bytes(&mut out, 15, text.as_bytes()),
            Some(Value::Bytes(bytes)) => put_bytes(&mut out, 16, bytes),
        }
        out
    }
}
