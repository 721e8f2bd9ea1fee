//! The TLV format of LwM2M (OMA LwM2M Core 1.1, 7.4.3): entries that hold a value or more entries.

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An object's instance: holds resources.
    ObjectInstance,
    /// One of a resource's instances: holds a value.
    ResourceInstance,
    /// A resource with several instances: holds them.
    MultipleResource,
    /// A resource with its value.
    Resource,
}

/// One entry; its bytes are not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its number.
    pub id: u16,
    /// Its value, or more entries.
    pub value: &'a [u8],
}

/// The entries in these bytes; none if an entry is cut off.
#[must_use]
pub fn entries(mut bytes: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut found = Vec::new();
    while let [head, rest @ ..] = bytes {
        let kind = match head >> 6 {
            0 => Kind::ObjectInstance,
            1 => Kind::ResourceInstance,
            2 => Kind::MultipleResource,
            _ => Kind::Resource,
        };
        let (id, rest) = number(rest, 1 + usize::from(head >> 5 & 1))?;
        let (length, rest) = match usize::from(head >> 3 & 3) {
            0 => (u32::from(head & 7), rest),
            width => number(rest, width)?,
        };
        let (value, rest) = rest.split_at_checked(length as usize)?;
        found.push(Entry { kind, id: u16::try_from(id).ok()?, value });
        bytes = rest;
    }
    Some(found)
}

/// A big-endian number of this width, and what follows it.
fn number(bytes: &[u8], width: usize) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_at_checked(width)?;
    Some((number.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)), rest))
}

/// Appends an entry.
///
/// Values of 2²⁴ bytes and more can't be told and are left out.
pub fn push(out: &mut Vec<u8>, kind: Kind, id: u16, value: &[u8]) {
    let Ok(length) = u32::try_from(value.len()) else { return };
    let width = match length {
        0..8 => 0,
        8..0x100 => 1,
        0x100..0x1_0000 => 2,
        0x1_0000..0x100_0000 => 3,
        _ => return,
    };
    let wide = id > 0xff;
    let low = if width == 0 { length as u8 } else { 0 };
    let kind = match kind {
        Kind::ObjectInstance => 0,
        Kind::ResourceInstance => 1,
        Kind::MultipleResource => 2,
        Kind::Resource => 3_u8,
    };
    out.push(kind << 6 | u8::from(wide) << 5 | width << 3 | low);
    out.extend(&id.to_be_bytes()[usize::from(!wide)..]);
    out.extend(&length.to_be_bytes()[4 - usize::from(width)..]);
    out.extend(value);
}
