//! Values into bytes, little-endian.

use crate::signature::alignment;
use crate::Value;

/// Appends values; places count from the beginning of `bytes`.
#[derive(Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        self.align(N);
        self.bytes.extend_from_slice(&bytes);
    }

    pub(crate) fn u32(&mut self, number: u32) {
        self.put(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
    }

    fn signature(&mut self, signature: &str) {
        self.bytes.push(u8::try_from(signature.len()).unwrap_or(u8::MAX));
        self.bytes.extend_from_slice(signature.as_bytes());
        self.bytes.push(0);
    }

    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Byte(number) => self.bytes.push(*number),
            Value::Boolean(yes) => self.u32(u32::from(*yes)),
            Value::Int16(number) => self.put(number.to_le_bytes()),
            Value::Uint16(number) => self.put(number.to_le_bytes()),
            Value::Int32(number) => self.put(number.to_le_bytes()),
            Value::Uint32(number) | Value::Descriptor(number) => self.u32(*number),
            Value::Int64(number) => self.put(number.to_le_bytes()),
            Value::Uint64(number) => self.put(number.to_le_bytes()),
            Value::Double(number) => self.put(number.to_bits().to_le_bytes()),
            Value::Text(text) | Value::Path(text) => self.text(text),
            Value::Signature(signature) => self.signature(signature),
            Value::Variant(inner) => {
                self.signature(&inner.signature());
                self.value(inner);
            }
            Value::Bytes(bytes) => {
                self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                self.bytes.extend_from_slice(bytes);
            }
            Value::Array(element, items) => self.array(element, items),
            Value::Struct(fields) => {
                self.align(8);
                fields.iter().for_each(|field| self.value(field));
            }
            Value::Entry(entry) => {
                self.align(8);
                self.value(&entry.0);
                self.value(&entry.1);
            }
        }
    }

    /// The length counts the elements, and not the padding before the first.
    fn array(&mut self, element: &str, items: &[Value]) {
        self.u32(0);
        let length_at = self.bytes.len() - 4;
        self.align(alignment(element.bytes().next().unwrap_or(b'y')));
        let begin = self.bytes.len();
        items.iter().for_each(|item| self.value(item));
        let length = u32::try_from(self.bytes.len() - begin).unwrap_or(u32::MAX);
        self.bytes[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }
}
