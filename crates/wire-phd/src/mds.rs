//! What a manager needs of the attributes of a device's own system (IEEE 11073-20601 §6.3.2): its
//! clocks, whether it asks for the time, its battery. What the device is, is [`crate::device`]'s.

use vitals::{DeviceTime, Measurement, MetricCode, Quality, Unit, Value};

use crate::bytes::PhdError;
use crate::config::{attr, whole};
use crate::time::{Clock, absolute, base_offset, fine, float};

/// `MDC_ATTR_VAL_BATT_CHARGE`, %.
const BATTERY: MetricCode = MetricCode(67_996);
/// `MDC_ATTR_TIME_BATT_REMAIN`, minutes.
const BATTERY_LEFT: MetricCode = MetricCode(67_976);
/// `VW_CLOCK_OFFSET`, seconds that the device's clock is ahead.
const CLOCK_OFFSET: MetricCode = MetricCode(67_109_090);
/// The nomenclature's partition of dimensions.
const DIMENSIONS: u32 = 4 << 16;

/// Bits of `mds-time-cap-state`, bit 0 being the highest.
mod cap {
    pub const SET_CLOCK: u16 = 0x8000 >> 1;
    pub const BASE_OFFSET: u16 = 0x8000 >> 7;
    pub const WANTS_TIME: u16 = 0x8000 >> 11;
    pub const BASE_OFFSET_UTC: u16 = 0x8000 >> 14;
}

/// Clocks and battery of a device.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mds {
    /// What its clock can do and how it stands.
    pub time_state: Option<u16>,
    /// The date and time that it shows.
    pub absolute: Option<[u8; 8]>,
    /// The same as base-offset time.
    pub base_offset: Option<(u32, u16, i16)>,
    /// Its relative time, 1/8 ms.
    pub relative: Option<u32>,
    /// Its high-resolution relative time, microseconds.
    pub fine: Option<u64>,
    /// Battery charge, %.
    pub battery: Option<u16>,
    /// How long the battery lasts: how much, of which unit of the nomenclature's partition 4.
    pub battery_left: Option<(f64, u16)>,
}

impl Mds {
    /// Reads the attributes; one that can't be read costs only itself.
    #[must_use]
    pub fn read(attributes: &[(u16, Vec<u8>)]) -> (Self, Vec<PhdError>) {
        let (mut found, mut wrong) = (Self::default(), Vec::new());
        for (id, bytes) in attributes {
            let read = found.take(*id, bytes);
            wrong.extend(read.err());
        }
        (found, wrong)
    }

    fn take(&mut self, id: u16, bytes: &[u8]) -> Result<(), PhdError> {
        match id {
            attr::TIME_INFO => {
                self.time_state = Some(whole(bytes, |r| {
                    let state = r.u16("mds-time-cap-state")?;
                    r.rest();
                    Ok(state)
                })?);
            }
            attr::CLOCK_ABSOLUTE => self.absolute = Some(whole(bytes, absolute)?),
            attr::CLOCK_BASE_OFFSET => self.base_offset = Some(whole(bytes, base_offset)?),
            attr::CLOCK_RELATIVE => self.relative = Some(whole(bytes, |r| r.u32("relative-time"))?),
            attr::CLOCK_FINE => self.fine = Some(whole(bytes, fine)?),
            attr::BATTERY => self.battery = Some(whole(bytes, |r| r.u16("battery-level"))?),
            attr::BATTERY_LEFT => {
                let (left, unit) = whole(bytes, |r| Ok((float(r)?, r.u16("unit")?)))?;
                self.battery_left = left.map(|left| (left, unit));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the device asks its manager to set its clock, and lets it.
    #[must_use]
    pub fn wants_time(&self) -> bool {
        let both = cap::SET_CLOCK | cap::WANTS_TIME;
        self.time_state.is_some_and(|state| state & both == both)
    }

    /// Whether its clock is set in base-offset time.
    #[must_use]
    pub fn counts_from_a_base(&self) -> bool {
        self.time_state.is_some_and(|state| state & cap::BASE_OFFSET != 0)
    }

    /// The time of day that the device believes it to be.
    #[must_use]
    pub fn believed(&self, clock: &Clock) -> Option<DeviceTime> {
        let based = self.base_offset.map(|time| clock.base_offset(time));
        based.or_else(|| self.absolute.map(|time| clock.absolute(time)))?.ok()
    }

    /// Tells the clock what these attributes, read at `now_us`, say of relative times.
    pub fn set(&self, clock: &mut Clock, now_us: i64) {
        if let Some(state) = self.time_state {
            clock.utc_aligned = state & cap::BASE_OFFSET_UTC != 0;
        }
        let at = self.believed(clock).unwrap_or(DeviceTime(now_us));
        if let Some(relative) = self.relative {
            clock.anchor(relative, at);
        }
        if let Some(fine) = self.fine {
            clock.anchor_fine(fine, at);
        }
    }

    /// Battery, and how far the clock is ahead of `now_us`.
    #[must_use]
    pub fn measurements(&self, clock: &Clock, now_us: i64) -> Vec<Measurement> {
        let mut found = Vec::new();
        if let Some(charge) = self.battery {
            found.extend(one(BATTERY, f64::from(charge), None));
        }
        if let Some((left, unit)) = self.battery_left {
            found.extend(one(BATTERY_LEFT, left, Unit::from_mdc(DIMENSIONS | u32::from(unit))));
        }
        if let Some(believed) = self.believed(clock) {
            let ahead_ms = believed.0.saturating_sub(now_us) / 1_000;
            found.extend(one(CLOCK_OFFSET, ahead_ms as f64 / 1_000.0, None));
        }
        found
    }
}

/// A number in the metric's own unit, or in another that it can have.
fn one(metric: MetricCode, value: f64, unit: Option<Unit>) -> Option<Measurement> {
    let row = metric.metric()?;
    let value = Value::Numeric(row.normalise(value, unit.unwrap_or(row.unit))?);
    let quality = Quality::empty();
    Some(Measurement { metric, value, unit: row.unit, device_time: None, quality, channel: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn clocks_and_battery() {
        let time_info = [&[0x45, 0x12][..], &[0; 14]].concat();
        let attributes = [
            (attr::TIME_INFO, time_info),
            (attr::CLOCK_ABSOLUTE, vec![0x20, 0x26, 0x11, 0x22, 1, 0, 5, 0]),
            (attr::CLOCK_RELATIVE, vec![0, 0, 0x1f, 0x40]),
            (attr::BATTERY, vec![0, 87]),
            (attr::BATTERY_LEFT, vec![0, 0, 0, 2, 0x08, 0xc0]),
            (attr::CLOCK_FINE, vec![1]),
        ];
        let (mds, wrong) = Mds::read(&attributes);
        assert_eq!(wrong.len(), 1, "the last is cut: {wrong:?}");
        assert!(mds.wants_time() && mds.counts_from_a_base());
        let mut clock = Clock::new(TimeZone::UTC);
        let now = 1_795_309_200_000_000;
        mds.set(&mut clock, now);
        assert_eq!(clock.relative(16_000), Ok(DeviceTime(now + 6_000_000)));
        let told: Vec<_> = mds.measurements(&clock, now).into_iter().map(|m| (m.metric.refid(), m.value)).collect();
        assert_eq!(told, [
            ("MDC_ATTR_VAL_BATT_CHARGE".to_owned(), Value::Numeric(87.0)),
            ("MDC_ATTR_TIME_BATT_REMAIN".to_owned(), Value::Numeric(120.0)),
            ("VW_CLOCK_OFFSET".to_owned(), Value::Numeric(5.0)),
        ]);
    }
}
