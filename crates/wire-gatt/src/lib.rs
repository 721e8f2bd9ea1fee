//! Bluetooth GATT health characteristics without I/O: payloads read and written, field for field,
//! and turned into measurements.
//!
//! [`decode`] takes a characteristic's number and its bytes, as a phone or a gateway forwards them;
//! [`Characteristic`] is what each kind of payload does. Numbers keep their bits (special values
//! stay special), reserved codes and status bits are kept, and every error names the field and the
//! byte. [`measure`] says what a payload means in the platform's words. Connecting, pairing and
//! asking for records is a collector's affair and not here.
//!
//! Facts come from the GATT Specification Supplement and the services that the modules name.
//! Reserved flag bits are disregarded, as those ask; bytes behind the last field are an error.

pub mod bytes;
pub mod time;
pub mod heart;
pub mod pressure;
pub mod temperature;
pub mod body;
pub mod oximeter;
pub mod glucose;
pub mod racp;
pub mod cgm;
pub mod cgm_control;
pub mod insulin;
pub mod insulin_history;
pub mod insulin_reader;
pub mod insulin_control;
pub mod insulin_records;
pub mod features;
pub mod running;
pub mod device;
pub mod measure;

mod crc;

pub use bytes::{Fault, GattError, Reader, Writer};
pub use crc::e2e_crc;

/// A kind of payload.
pub trait Characteristic: Sized {
    /// Its 16-bit number.
    const UUID: u16;
    /// Its name in the supplement, in lower case.
    const NAME: &'static str;

    /// Takes the fields off a reader.
    ///
    /// # Errors
    /// Names the field that is cut off or that can't be.
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError>;

    /// Appends the fields.
    fn write(&self, writer: &mut Writer);

    /// The payload that these bytes are, to the last.
    ///
    /// # Errors
    /// Names the field that is cut off or that can't be, or how many bytes there are too many.
    fn decode(bytes: &[u8]) -> Result<Self, GattError> {
        let mut reader = Reader::new(bytes);
        let payload = Self::read(&mut reader)?;
        reader.end()?;
        Ok(payload)
    }

    /// The payload's bytes.
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.bytes
    }
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $variant:ident($type:ty)),* $(,)?) => {
        /// Any payload that is known here.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Payload {
            $($(#[$doc])* $variant($type),)*
            /// A text of the device information service.
            Text(device::Text),
        }

        /// Numbers and names of all characteristics known here, texts last.
        #[must_use]
        pub fn known() -> Vec<(u16, &'static str)> {
            let mut known = vec![$((<$type>::UUID, <$type>::NAME)),*];
            known.extend(device::TextKind::ALL.map(|kind| (kind.uuid(), "text")));
            known
        }

        /// The payload of the characteristic with this number.
        ///
        /// # Errors
        /// When the characteristic is not known here or the bytes are not its payload.
        pub fn decode(uuid: u16, bytes: &[u8]) -> Result<Payload, GattError> {
            match uuid {
                $(<$type>::UUID => <$type>::decode(bytes).map(Payload::$variant),)*
                number => {
                    let kind = device::TextKind::ALL.into_iter().find(|kind| kind.uuid() == number);
                    let unknown = GattError {
                        field: "characteristic",
                        offset: 0,
                        fault: Fault::Unknown { number },
                    };
                    device::Text::decode(kind.ok_or(unknown)?, bytes).map(Payload::Text)
                }
            }
        }

        impl Payload {
            /// The payload's bytes.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                match self {
                    $(Self::$variant(payload) => payload.encode(),)*
                    Self::Text(text) => text.text.clone().into_bytes(),
                }
            }
        }
    };
}

payloads! {
    /// Heart rate.
    HeartRate(heart::HeartRate),
    /// Where a heart rate sensor sits.
    BodySensorLocation(heart::BodySensorLocation),
    /// Blood pressure.
    BloodPressure(pressure::BloodPressure),
    /// A cuff on the way to it.
    CuffPressure(pressure::CuffPressure),
    /// Temperature.
    Temperature(temperature::FinalTemperature),
    /// A thermometer on the way to it.
    IntermediateTemperature(temperature::IntermediateTemperature),
    /// Where a thermometer measures.
    TemperatureType(temperature::Site),
    /// Weight.
    Weight(body::Weight),
    /// Body composition.
    BodyComposition(body::BodyComposition),
    /// Oximetry, single.
    SpotCheck(oximeter::SpotCheck),
    /// Oximetry, continuous.
    Continuous(oximeter::Continuous),
    /// Blood glucose.
    Glucose(glucose::Glucose),
    /// What was noted beside it.
    GlucoseContext(glucose::Context),
    /// Records asked for.
    RecordAccess(racp::RecordAccess),
    /// Continuous glucose.
    CgmMeasurement(cgm::CgmMeasurement),
    /// What a CGM sensor can do.
    CgmFeature(cgm::CgmFeature),
    /// How it is.
    CgmStatus(cgm::CgmStatus),
    /// When its session began.
    SessionStart(cgm::SessionStart),
    /// How long that lasts.
    SessionRunTime(cgm::SessionRunTime),
    /// What it is asked.
    CgmControl(cgm_control::CgmControl),
    /// What has changed in a pump.
    StatusChanged(insulin::StatusChanged),
    /// How a pump is.
    PumpStatus(insulin::PumpStatus),
    /// What it announces.
    AnnunciationStatus(insulin::AnnunciationStatus),
    /// What it did.
    HistoryEvent(insulin_history::HistoryEvent),
    /// What a pump can do.
    PumpFeatures(insulin_reader::PumpFeatures),
    /// Asking a pump how it is.
    StatusReader(insulin_reader::StatusReader),
    /// What a pump is told to do.
    PumpCommand(insulin_control::PumpCommand),
    /// What it answers at length.
    CommandData(insulin_control::CommandData),
    /// Asking a pump for its history.
    HistoryAccess(insulin_records::HistoryAccess),
    /// What a glucose meter can do.
    GlucoseFeatures(features::GlucoseFeatures),
    /// What a blood pressure monitor can do.
    PressureFeatures(features::PressureFeatures),
    /// What a scale can do.
    WeightFeatures(features::WeightFeatures),
    /// What a body composition scale can do.
    CompositionFeatures(features::CompositionFeatures),
    /// What a foot pod can do.
    RunningFeatures(features::RunningFeatures),
    /// What an oximeter can do.
    OximeterFeatures(features::OximeterFeatures),
    /// Walking and running.
    Running(running::Running),
    /// Battery.
    Battery(device::Battery),
    /// The device's identifier.
    SystemId(device::SystemId),
    /// Who made it.
    PnpId(device::PnpId),
    /// What its label says.
    Udi(device::Udi),
    /// What it is certified for.
    Certification(device::Certification),
    /// Its clock.
    CurrentTime(time::CurrentTime),
    /// Where that clock's time lies.
    LocalTime(time::LocalTime),
}
