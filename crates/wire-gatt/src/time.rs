//! Times as Bluetooth devices write them: a local date and time without a zone (Date Time,
//! 0x2A08), and the characteristics of clocks around it (Current Time 0x2A2B, Local Time
//! Information 0x2A0F).

use jiff::civil;
use vitals::DeviceTime;

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, codes, status};

/// A local date and time as sent; nothing is checked on reading, so that a broken clock does not
/// cost the value that it stands beside (see [`DateTime::to_device_time`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// 1582 to 9999; 0: not known.
    pub year: u16,
    /// 1 to 12; 0: not known.
    pub month: u8,
    /// 1 to 31; 0: not known.
    pub day: u8,
    /// 0 to 23.
    pub hours: u8,
    /// 0 to 59.
    pub minutes: u8,
    /// 0 to 59.
    pub seconds: u8,
}

/// Why a date and time is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeFault {
    /// Year, month or day is 0: the device's clock was never set.
    #[error("the device does not know the date: set its clock")]
    NotSet,
    /// There is no such date or time of day.
    #[error("the device's date and time does not exist")]
    Impossible,
}

impl DateTime {
    /// Seven bytes.
    ///
    /// # Errors
    /// When fewer are left.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self {
            year: reader.u16("year")?,
            month: reader.u8("month")?,
            day: reader.u8("day")?,
            hours: reader.u8("hours")?,
            minutes: reader.u8("minutes")?,
            seconds: reader.u8("seconds")?,
        })
    }

    /// The seven bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; 7] {
        let [low, high] = self.year.to_le_bytes();
        [low, high, self.month, self.day, self.hours, self.minutes, self.seconds]
    }

    /// The time, on a clock that runs `utc_offset_minutes` ahead of UTC.
    ///
    /// # Errors
    /// When the clock was not set, or shows what no clock shows.
    pub fn to_device_time(self, utc_offset_minutes: i32) -> Result<DeviceTime, TimeFault> {
        if self.year == 0 || self.month == 0 || self.day == 0 {
            return Err(TimeFault::NotSet);
        }
        let small = |number: u8| i8::try_from(number).map_err(|_| TimeFault::Impossible);
        let local = civil::DateTime::new(
            i16::try_from(self.year).map_err(|_| TimeFault::Impossible)?,
            small(self.month)?,
            small(self.day)?,
            small(self.hours)?,
            small(self.minutes)?,
            small(self.seconds)?,
            0,
        );
        let utc = local
            .and_then(|local| jiff::tz::TimeZone::UTC.to_timestamp(local))
            .map_err(|_| TimeFault::Impossible)?;
        let offset = i64::from(utc_offset_minutes) * vitals::time::MINUTE;
        Ok(DeviceTime(utc.as_microsecond()).plus(-offset))
    }
}

codes! {
    /// Daylight saving time, as an offset to standard time (DST Offset, 0x2A0D).
    DstOffset: u8 {
        /// Standard time.
        Standard = 0,
        /// Half an hour.
        HalfHour = 2,
        /// One hour.
        Hour = 4,
        /// Two hours.
        TwoHours = 8,
        /// Not known.
        Unknown = 255,
    }
}

impl DstOffset {
    /// In minutes; none where it is not known.
    #[must_use]
    pub const fn minutes(self) -> Option<i32> {
        match self {
            Self::Standard => Some(0),
            Self::HalfHour => Some(30),
            Self::Hour => Some(60),
            Self::TwoHours => Some(120),
            Self::Unknown | Self::Other(_) => None,
        }
    }
}

/// Where a clock's local time lies (Local Time Information, 0x2A0F).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Standard time ahead of UTC in quarters of an hour, -48 to 56; -128: not known.
    pub zone_quarters: i8,
    /// What summer time adds.
    pub dst: DstOffset,
}

impl LocalTime {
    /// How many minutes local time is ahead of UTC; none where that is not known.
    #[must_use]
    pub fn utc_offset_minutes(self) -> Option<i32> {
        let zone = (-48..=56).contains(&self.zone_quarters);
        zone.then(|| i32::from(self.zone_quarters) * 15 + self.dst.minutes().unwrap_or(0))
    }
}

impl Characteristic for LocalTime {
    const UUID: u16 = 0x2a0f;
    const NAME: &'static str = "local time information";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let zone_quarters = reader.i8("time zone")?;
        Ok(Self { zone_quarters, dst: DstOffset::from_code(reader.u8("dst offset")?) })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.zone_quarters.to_le_bytes());
        writer.put([self.dst.code()]);
    }
}

status! {
    /// Why a clock was set.
    AdjustReason: u8 {
        /// By hand.
        MANUAL = 0,
        /// From an outside reference.
        EXTERNAL_REFERENCE = 1,
        /// Another time zone.
        TIME_ZONE = 2,
        /// Summer time began or ended.
        DST = 3,
    }
}

/// A device's clock (Current Time, 0x2A2B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentTime {
    /// Local date and time.
    pub time: DateTime,
    /// 1 Monday to 7 Sunday; 0: not known.
    pub day_of_week: u8,
    /// Parts of a second, of 256.
    pub fractions256: u8,
    /// Why it was set last.
    pub reason: AdjustReason,
}

impl Characteristic for CurrentTime {
    const UUID: u16 = 0x2a2b;
    const NAME: &'static str = "current time";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self {
            time: DateTime::read(reader)?,
            day_of_week: reader.u8("day of week")?,
            fractions256: reader.u8("fractions256")?,
            reason: AdjustReason::from_bits_retain(reader.u8("adjust reason")?),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.time.bytes());
        writer.put([self.day_of_week, self.fractions256, self.reason.bits()]);
    }
}
