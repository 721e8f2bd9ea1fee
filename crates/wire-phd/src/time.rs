//! A device's times (IEEE 11073-20601 annex A.2): the date and time on its clock, base-offset time,
//! and time counted since some event, as the time of day that the device means.

use jiff::civil;
use jiff::tz::TimeZone;
use medfloat::Float;
use vitals::DeviceTime;

use crate::bytes::{PhdError, Reader, Writer};

/// From 1900, where base-offset time begins, to 1970, seconds.
const EPOCH_S: i64 = 2_208_988_800;
/// Base-offset seconds below this are counted from 2036, when they wrap (as in RFC 4330, 3).
const WRAPPED_BELOW: u32 = 0x8000_0000;
/// What a device without a relative time says in its place.
const NO_RELATIVE_TIME: u32 = u32::MAX;
/// An eighth of a millisecond, microseconds.
const TICK_US: i64 = 125;
const FAULT: &str = "the device's date and time does not exist: set its clock";

/// A time on a device's clock, or what is wrong with it.
pub type Told = Result<DeviceTime, &'static str>;

/// How a device's times are read.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The zone that its date and time are in.
    pub zone: TimeZone,
    /// Whether its base-offset time counts in UTC; it says so itself.
    pub utc_aligned: bool,
    /// A relative time, in 1/8 ms, and when it was.
    relative: Option<(u32, DeviceTime)>,
    /// A high-resolution relative time, in microseconds, and when it was.
    fine: Option<(u64, DeviceTime)>,
}

impl Clock {
    /// A clock in this zone, of which nothing else is known.
    #[must_use]
    pub const fn new(zone: TimeZone) -> Self {
        Self { zone, utc_aligned: true, relative: None, fine: None }
    }

    /// The device's relative time was `relative` (1/8 ms) at `at`. 0 and the largest are no times.
    pub fn anchor(&mut self, relative: u32, at: DeviceTime) {
        if relative != 0 && relative != NO_RELATIVE_TIME {
            self.relative = Some((relative, at));
        }
    }

    /// The same of its high-resolution relative time, in microseconds.
    pub const fn anchor_fine(&mut self, relative: u64, at: DeviceTime) {
        self.fine = Some((relative, at));
    }

    /// Whether a relative time is known with its time of day.
    #[must_use]
    pub const fn is_anchored(&self) -> bool {
        self.relative.is_some()
    }

    /// When a relative time was; it wraps after six days.
    ///
    /// # Errors
    /// Where no relative time is known with its time of day.
    pub fn relative(&self, ticks: u32) -> Told {
        let (known, at) = self.relative.ok_or("nothing says when the device's relative time began")?;
        let since = i64::from(ticks.wrapping_sub(known).cast_signed());
        Ok(at.plus(since * TICK_US))
    }

    /// When a high-resolution relative time (microseconds) was.
    ///
    /// # Errors
    /// Where none is known with its time of day.
    pub fn fine(&self, micros: u64) -> Told {
        let (known, at) = self.fine.ok_or("nothing says when the device's relative time began")?;
        Ok(at.plus(micros.wrapping_sub(known).cast_signed()))
    }

    /// Eight bytes of two decimal digits: century, year, month, day, hour, minute, second,
    /// hundredths. A time that the clocks skip or show twice is read as in RFC 5545.
    ///
    /// # Errors
    /// Where there is no such date or time.
    pub fn absolute(&self, bytes: [u8; 8]) -> Told {
        let mut digits = [0_i16; 8];
        for (digit, byte) in digits.iter_mut().zip(bytes) {
            if byte >> 4 > 9 || byte & 15 > 9 {
                return Err(FAULT);
            }
            *digit = i16::from(byte >> 4) * 10 + i16::from(byte & 15);
        }
        let [century, year, month, day, hour, minute, second, hundredths] = digits;
        let time = civil::DateTime::new(
            century * 100 + year,
            month as i8,
            day as i8,
            hour as i8,
            minute as i8,
            second as i8,
            i32::from(hundredths) * 10_000_000,
        );
        self.civil(time.map_err(|_| FAULT)?)
    }

    fn civil(&self, time: civil::DateTime) -> Told {
        let at = self.zone.to_timestamp(time).map_err(|_| FAULT)?;
        Ok(DeviceTime(at.as_microsecond()))
    }

    /// Base-offset time: seconds since 1900, 1/65536 s, minutes from there to local time.
    ///
    /// # Errors
    /// Where the clock was never set.
    pub fn base_offset(&self, (seconds, fraction, offset): (u32, u16, i16)) -> Told {
        if seconds == 0 {
            return Err("the device's clock was never set");
        }
        let wrapped = if seconds < WRAPPED_BELOW { 1_i64 << 32 } else { 0 };
        let micros = (i64::from(seconds) + wrapped - EPOCH_S) * 1_000_000
            + ((i64::from(fraction) * 1_000_000) >> 16);
        if self.utc_aligned {
            return Ok(DeviceTime(micros));
        }
        // Its base is nobody's; with the offset it is the time on its face.
        let local = micros + i64::from(offset) * 60_000_000;
        let local = jiff::Timestamp::from_microsecond(local).map_err(|_| FAULT)?;
        self.civil(TimeZone::UTC.to_datetime(local))
    }

    /// What a manager sends to set a clock (`SetTimeInvoke`): the time in the device's zone, and
    /// an accuracy that is not told.
    #[must_use]
    pub fn set_absolute(&self, now_us: i64) -> Vec<u8> {
        let Some(local) = self.local(now_us) else { return Vec::new() };
        let mut bytes = absolute_bytes(local).to_vec();
        bytes.extend([0; 4]);
        bytes
    }

    /// The same for a clock of base-offset time (`SetBOTimeInvoke`), in UTC.
    #[must_use]
    pub fn set_base_offset(&self, now_us: i64) -> Vec<u8> {
        let offset = jiff::Timestamp::from_microsecond(now_us)
            .map_or(0, |now| self.zone.to_offset(now).seconds() / 60);
        let mut bytes = base_offset_bytes(now_us, offset as i16).to_vec();
        bytes.extend([0; 4]);
        bytes
    }

    fn local(&self, now_us: i64) -> Option<civil::DateTime> {
        let now = jiff::Timestamp::from_microsecond(now_us).ok()?;
        Some(self.zone.to_datetime(now))
    }

    /// The bytes of a date and time in this zone; zeros for what no calendar has.
    #[must_use]
    pub fn absolute_at(&self, time: DeviceTime) -> [u8; 8] {
        self.local(time.0).map_or([0; 8], absolute_bytes)
    }
}

fn absolute_bytes(time: civil::DateTime) -> [u8; 8] {
    let decimal = |number: i32| (((number / 10 % 10) << 4) | (number % 10)) as u8;
    [
        i32::from(time.year()) / 100,
        i32::from(time.year()) % 100,
        i32::from(time.month()),
        i32::from(time.day()),
        i32::from(time.hour()),
        i32::from(time.minute()),
        i32::from(time.second()),
        time.subsec_nanosecond() / 10_000_000,
    ]
    .map(decimal)
}

/// The bytes of base-offset time for a time in UTC and minutes to local time.
#[must_use]
pub fn base_offset_bytes(time_us: i64, offset_minutes: i16) -> [u8; 8] {
    let seconds = time_us.div_euclid(1_000_000) + EPOCH_S;
    let fraction = (time_us.rem_euclid(1_000_000) << 16) / 1_000_000;
    let mut writer = Writer::default();
    writer.long(seconds as u32);
    writer.shorts([fraction as u16, offset_minutes.cast_unsigned()]);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&writer.bytes);
    bytes
}

/// Reads a date and time: eight bytes.
pub(crate) fn absolute(reader: &mut Reader<'_>) -> Result<[u8; 8], PhdError> {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(reader.take("absolute-time", 8)?);
    Ok(bytes)
}

/// Reads base-offset time.
pub(crate) fn base_offset(reader: &mut Reader<'_>) -> Result<(u32, u16, i16), PhdError> {
    Ok((reader.u32("bo-seconds")?, reader.u16("bo-fraction")?, reader.u16("bo-time-offset")?.cast_signed()))
}

/// Reads a high-resolution relative time: eight bytes, microseconds.
pub(crate) fn fine(reader: &mut Reader<'_>) -> Result<u64, PhdError> {
    Ok(u64::from(reader.u32("high-res-time")?) << 32 | u64::from(reader.u32("high-res-time")?))
}

/// The bits of a FLOAT that a battery or an accuracy is told in.
pub(crate) fn float(reader: &mut Reader<'_>) -> Result<Option<f64>, PhdError> {
    Ok(Float::from_bits(reader.u32("FLOAT-Type")?).value().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> Clock {
        Clock::new(TimeZone::fixed(jiff::tz::offset(1)))
    }

    #[test]
    fn a_clock_reads_what_it_would_send() {
        let clock = berlin();
        for at in [0, 1_795_309_200_120_000, 1_577_833_200_990_000] {
            let told = clock.absolute(clock.absolute_at(DeviceTime(at)));
            assert_eq!(told, Ok(DeviceTime(at)), "{at}");
        }
        for at in [1_795_309_200_000_000, 2_090_000_000_500_000, 2_300_000_000_250_000] {
            let bytes = base_offset_bytes(at, 60);
            let read = base_offset(&mut Reader::new(&bytes)).expect("eight bytes");
            assert_eq!(clock.base_offset(read), Ok(DeviceTime(at)), "{at}");
        }
    }

    #[test]
    fn what_is_no_time() {
        let clock = berlin();
        assert!(clock.absolute([0x20, 0x26, 0x13, 1, 0, 0, 0, 0]).is_err());
        assert!(clock.absolute([0x20, 0x26, 0x0a, 1, 0, 0, 0, 0]).is_err());
        assert!(clock.base_offset((0, 0, 0)).is_err());
        assert!(clock.relative(8_000).is_err());
    }

    #[test]
    fn a_base_that_is_not_utc_is_read_with_its_offset() {
        let clock = Clock { utc_aligned: false, ..berlin() };
        // Noon on its face, in a zone an hour ahead: eleven in UTC.
        let noon = 1_795_262_400_i64;
        let seconds = (noon - 7_200 + EPOCH_S) as u32;
        assert_eq!(clock.base_offset((seconds, 0x8000, 120)), Ok(DeviceTime((noon - 3_600) * 1_000_000 + 500_000)));
    }

    #[test]
    fn relative_times_wrap() {
        let mut clock = berlin();
        clock.anchor(u32::MAX, DeviceTime(5));
        assert!(!clock.is_anchored(), "the device has none");
        clock.anchor(80, DeviceTime(1_000_000));
        assert_eq!(clock.relative(160), Ok(DeviceTime(1_010_000)));
        assert_eq!(clock.relative(80_u32.wrapping_sub(160)), Ok(DeviceTime(980_000)));
        clock.anchor_fine(1_000, DeviceTime(0));
        assert_eq!(clock.fine(500), Ok(DeviceTime(-500)));
    }
}
