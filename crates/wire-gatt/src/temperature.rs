//! Temperature (Health Thermometer Service 1.0: Temperature Measurement 0x2A1C, Intermediate
//! Temperature 0x2A1E, Temperature Type 0x2A1D).

use medfloat::Float;

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, codes, flag};
use crate::time::DateTime;

/// A body temperature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Temperature {
    /// In degrees Fahrenheit, not Celsius.
    pub fahrenheit: bool,
    /// The temperature.
    pub value: Float,
    /// When it was measured.
    pub time: Option<DateTime>,
    /// Where.
    pub site: Option<Site>,
}

codes! {
    /// Where on the body a temperature is measured.
    Site: u8 {
        /// Armpit.
        Armpit = 1,
        /// The body in general.
        Body = 2,
        /// Ear lobe.
        Ear = 3,
        /// Finger.
        Finger = 4,
        /// Gastro-intestinal tract.
        GastroIntestinal = 5,
        /// Mouth.
        Mouth = 6,
        /// Rectum.
        Rectum = 7,
        /// Toe.
        Toe = 8,
        /// Ear drum.
        Tympanum = 9,
    }
}

impl Temperature {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            fahrenheit: bit(flags, 0),
            value: reader.float("temperature measurement value")?,
            time: reader.when(bit(flags, 1), DateTime::read)?,
            site: reader.when(bit(flags, 2), |r| r.u8("temperature type"))?.map(Site::from_code),
        })
    }

    fn write(&self, writer: &mut Writer) {
        let flags =
            flag(self.fahrenheit, 0) | flag(self.time.is_some(), 1) | flag(self.site.is_some(), 2);
        writer.put([flags as u8]);
        writer.float(self.value);
        writer.time(self.time);
        writer.byte(self.site.map(Site::code));
    }
}

/// A finished measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FinalTemperature(pub Temperature);

/// What the thermometer shows while it measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntermediateTemperature(pub Temperature);

impl Characteristic for FinalTemperature {
    const UUID: u16 = 0x2a1c;
    const NAME: &'static str = "temperature measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Temperature::read(reader).map(Self)
    }

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

impl Characteristic for IntermediateTemperature {
    const UUID: u16 = 0x2a1e;
    const NAME: &'static str = "intermediate temperature";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Temperature::read(reader).map(Self)
    }

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

impl Characteristic for Site {
    const UUID: u16 = 0x2a1d;
    const NAME: &'static str = "temperature type";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        reader.u8("temperature type").map(Self::from_code)
    }

    fn write(&self, writer: &mut Writer) {
        writer.put([self.code()]);
    }
}
