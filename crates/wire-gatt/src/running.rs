//! Walking and running (Running Speed and Cadence Service 1.0: RSC Measurement 0x2A53).

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, flag};

/// One notification of a foot pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// Running, not walking.
    pub running: bool,
    /// Speed in 1/256 m/s.
    pub speed_256: u16,
    /// Steps a minute.
    pub cadence: u8,
    /// Length of a stride in cm.
    pub stride_cm: Option<u16>,
    /// Distance since the device began to count, in 0.1 m.
    pub distance_dm: Option<u32>,
}

impl Characteristic for Running {
    const UUID: u16 = 0x2a53;
    const NAME: &'static str = "rsc measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            running: bit(flags, 2),
            speed_256: reader.u16("instantaneous speed")?,
            cadence: reader.u8("instantaneous cadence")?,
            stride_cm: reader.when(bit(flags, 0), |r| r.u16("instantaneous stride length"))?,
            distance_dm: reader.when(bit(flags, 1), |r| r.u32("total distance"))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let flags = flag(self.stride_cm.is_some(), 0)
            | flag(self.distance_dm.is_some(), 1)
            | flag(self.running, 2);
        writer.put([flags as u8]);
        writer.put(self.speed_256.to_le_bytes());
        writer.put([self.cadence]);
        writer.short(self.stride_cm);
        if let Some(distance) = self.distance_dm {
            writer.put(distance.to_le_bytes());
        }
    }
}
