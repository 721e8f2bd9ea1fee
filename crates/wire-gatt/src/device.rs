//! The device itself: Battery Level 0x2A19 and the texts and numbers of the Device Information
//! Service 1.2 (0x2A23 to 0x2A2A, 0x2A50, 0x2BFF).

use crate::Characteristic;
use crate::bytes::{Fault, GattError, Reader, Writer};

/// Charge of the battery in %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Battery(pub u8);

impl Characteristic for Battery {
    const UUID: u16 = 0x2a19;
    const NAME: &'static str = "battery level";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        reader.u8("battery level").map(Self)
    }

    fn write(&self, writer: &mut Writer) {
        writer.put([self.0]);
    }
}

/// What a device is called: one of the texts of the Device Information Service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Which.
    pub kind: TextKind,
    /// The text, without the zero bytes that some devices put behind it.
    pub text: String,
}

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Model.
    Model,
    /// Serial number.
    Serial,
    /// Version of the firmware.
    Firmware,
    /// Version of the hardware.
    Hardware,
    /// Version of the software.
    Software,
    /// Manufacturer.
    Manufacturer,
}

impl TextKind {
    /// Every one, in the order of their numbers from 0x2A24.
    pub const ALL: [Self; 6] = [
        Self::Model,
        Self::Serial,
        Self::Firmware,
        Self::Hardware,
        Self::Software,
        Self::Manufacturer,
    ];

    /// The characteristic's number.
    #[must_use]
    pub const fn uuid(self) -> u16 {
        0x2a24 + self as u16
    }
}

impl Text {
    /// All bytes are the text.
    ///
    /// # Errors
    /// When they are not UTF-8.
    pub fn decode(kind: TextKind, bytes: &[u8]) -> Result<Self, GattError> {
        let text = std::str::from_utf8(bytes).map_err(|error| GattError {
            field: "text",
            offset: error.valid_up_to(),
            fault: Fault::Text,
        })?;
        Ok(Self { kind, text: text.trim_end_matches('\0').to_owned() })
    }
}

/// The device's 64-bit identifier (System ID): a serial number of the manufacturer's and its
/// organisation's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemId {
    /// The manufacturer's, 40 bits.
    pub manufacturer: u64,
    /// The organisation's, 24 bits.
    pub organisation: u32,
}

impl Characteristic for SystemId {
    const UUID: u16 = 0x2a23;
    const NAME: &'static str = "system id";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let low = u64::from(reader.u32("manufacturer identifier")?);
        let high = u64::from(reader.u8("manufacturer identifier")?);
        let organisation = reader.u24("organizationally unique identifier")?;
        Ok(Self { manufacturer: high << 32 | low, organisation })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&self.manufacturer.to_le_bytes()[..5]);
        writer.u24(self.organisation);
    }
}

/// Who made the device, and which one it is (PnP ID).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PnpId {
    /// Who gives out the vendor's number: 1 Bluetooth SIG, 2 USB forum.
    pub source: u8,
    /// Vendor.
    pub vendor: u16,
    /// Product.
    pub product: u16,
    /// Its version.
    pub version: u16,
}

impl Characteristic for PnpId {
    const UUID: u16 = 0x2a50;
    const NAME: &'static str = "pnp id";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self {
            source: reader.u8("vendor id source")?,
            vendor: reader.u16("vendor id")?,
            product: reader.u16("product id")?,
            version: reader.u16("product version")?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put([self.source]);
        for number in [self.vendor, self.product, self.version] {
            writer.put(number.to_le_bytes());
        }
    }
}

/// What its label says for being told from all other devices (UDI for Medical Devices).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Udi {
    /// The label's text as people read it.
    pub label: Option<String>,
    /// The part that names the model.
    pub device: Option<String>,
    /// Who gives out such names, an object identifier.
    pub issuer: Option<String>,
    /// Who watches over them, an object identifier.
    pub authority: Option<String>,
}

impl Characteristic for Udi {
    const UUID: u16 = 0x2bff;
    const NAME: &'static str = "udi for medical devices";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = reader.u8("flags")?;
        let has = |bit: u8| flags & 1 << bit != 0;
        Ok(Self {
            label: reader.when(has(0), |r| closed(r, "udi label"))?,
            device: reader.when(has(1), |r| closed(r, "udi device identifier"))?,
            issuer: reader.when(has(2), |r| closed(r, "udi issuer"))?,
            authority: reader.when(has(3), |r| closed(r, "udi authority"))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let all = [&self.label, &self.device, &self.issuer, &self.authority];
        let flags = all.iter().enumerate().fold(0, |flags, (bit, text)| flags | u8::from(text.is_some()) << bit);
        writer.put([flags]);
        for text in all.into_iter().flatten() {
            writer.put(text);
            writer.put([0]);
        }
    }
}

/// A text up to the zero byte that ends it.
fn closed(reader: &mut Reader<'_>, field: &'static str) -> Result<String, GattError> {
    let mut ahead = reader.clone();
    let length = ahead.rest().iter().position(|byte| *byte == 0);
    let left = reader.left();
    let length = length.ok_or_else(|| reader.error(field, Fault::TooShort { needed: left + 1, left }))?;
    let bad = reader.error(field, Fault::Text);
    let text = std::str::from_utf8(reader.take(field, length)?).map_err(|_| bad)?.to_owned();
    reader.take(field, 1)?;
    Ok(text)
}

/// IEEE 11073-20601 Regulatory Certification Data List: its bytes, which are of that standard and
/// not Bluetooth's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certification(pub Vec<u8>);

impl Characteristic for Certification {
    const UUID: u16 = 0x2a2a;
    const NAME: &'static str = "regulatory certification data list";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self(reader.rest().to_vec()))
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&self.0);
    }
}
