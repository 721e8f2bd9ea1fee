//! Follow-ups of cardiac implants (IHE PCD-09, IDCO; terms of IEEE 11073-10103): which implant is
//! meant, which lead, zone or episode a row tells of, and when.
//!
//! Rows of one lead, zone or episode share OBX-4. A row of an episode is of the time when the episode
//! began, so that episodes stand where they happened and the same one told again in the next
//! follow-up is the same. What the terms mean is in `vitals`' table `implants.csv`; this file says
//! only how rows hang together.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use vitals::{Device, DeviceId, DeviceTime, MetricCode};

use crate::codes;
use crate::dtm::Dtm;
use crate::path::Path;
use crate::syntax::{Field, Segment};

/// What the implant is: model, serial number, maker.
const MODEL: u32 = 720_898;
const SERIAL: u32 = 720_899;
const MAKER: u32 = 720_900;
/// Terms of a lead, of a tachycardia zone, of a kind of counted episodes.
const LEAD: std::ops::RangeInclusive<u32> = 720_961..=720_971;
const ZONE: std::ops::RangeInclusive<u32> = 731_648..=732_351;
const COUNTED: [u32; 5] = [737_952, 737_968, 737_984, 738_000, 738_032];
/// Terms of one episode, its number in the implant and its begin.
const EPISODE: std::ops::RangeInclusive<u32> = 739_536..=739_712;
const EPISODE_ID: u32 = 739_536;
const EPISODE_BEGIN: u32 = 739_552;

/// The implant that PID-3 names beside the patient: `model:…/serial:…`.
pub(crate) fn named(pid_3: &Field<'_>) -> Option<String> {
    pid_3.repetitions().map(|cx| cx.component(1).into_owned()).find(|number| is_number(number))
}

/// Whether an identifier is an implant's and nobody's.
pub(crate) fn is_number(identifier: &str) -> bool {
    identifier.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case("model:"))
}

/// How the rows under one OBR hang together.
#[derive(Debug, Default)]
pub(crate) struct FollowUp {
    model: Option<String>,
    serial: Option<String>,
    maker: Option<String>,
    episodes: HashMap<Path, Episode>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Episode {
    begin: Option<DeviceTime>,
    id: Option<u32>,
    /// Whether another began at the same moment: then only its number tells them apart.
    shared: bool,
}

impl FollowUp {
    /// Looks through the rows under one OBR.
    pub(crate) fn of<'a, 's>(rows: impl Iterator<Item = (Option<Path>, &'s Segment<'a>)>, zone: &TimeZone) -> Self
    where
        'a: 's,
    {
        let mut found = Self::default();
        for (path, obx) in rows.filter(|(_, obx)| may_be_ours(obx.field(3).raw)) {
            let text = || Some(obx.field(5).text().trim().to_owned()).filter(|text| !text.is_empty());
            let episode = |found: &mut Self, set: &dyn Fn(&mut Episode)| {
                set(found.episodes.entry(path.unwrap_or_default()).or_default());
            };
            match codes::code(&obx.field(3)) {
                Some(MODEL) => found.model = said(obx),
                Some(SERIAL) => found.serial = said(obx),
                Some(MAKER) => found.maker = said(obx),
                Some(EPISODE_ID) => {
                    let id = text().and_then(|id| id.parse().ok()).filter(|id| (1..1 << 30).contains(id));
                    episode(&mut found, &|one| one.id = id);
                }
                Some(EPISODE_BEGIN) => {
                    let begin = text().and_then(|begin| Dtm::parse(&begin)?.micros(zone)).map(DeviceTime);
                    episode(&mut found, &|one| one.begin = begin);
                }
                _ => {}
            }
        }
        let begins: Vec<_> = found.episodes.values().map(|one| one.begin).collect();
        for one in found.episodes.values_mut() {
            one.shared = one.begin.is_none() || begins.iter().filter(|begin| **begin == one.begin).count() > 1;
        }
        found
    }

    /// The implant, as its own rows name it: `model:…/serial:…`.
    pub(crate) fn implant(&self) -> Option<String> {
        let (model, serial) = self.model.as_ref().zip(self.serial.as_ref())?;
        Some(format!("model:{model}/serial:{serial}"))
    }

    /// What the rows say the implant is; none if they don't.
    pub(crate) fn details(&self, id: DeviceId) -> Option<Device> {
        if self.model.is_none() && self.serial.is_none() && self.maker.is_none() {
            return None;
        }
        let text = |said: &Option<String>| said.clone().unwrap_or_default();
        let (model, serial, manufacturer) = (text(&self.model), text(&self.serial), text(&self.maker));
        Some(Device { model, serial, manufacturer, ..Device::announced(id) })
    }

    /// When a row was, if the episode that it belongs to says so.
    pub(crate) fn time(&self, metric: MetricCode, path: Option<Path>) -> Option<DeviceTime> {
        self.episode(metric, path)?.begin
    }

    /// The channel of a row that belongs to a lead, zone or episode: always the same for the same
    /// one. None for any other row.
    pub(crate) fn channel(&self, metric: MetricCode, path: Option<Path>) -> Option<u32> {
        // A place in a containment tree says more than how rows hang together.
        if path.is_some_and(Path::is_contained) {
            return None;
        }
        let running = || path.map_or(0, Path::channel);
        if LEAD.contains(&metric.0) || ZONE.contains(&metric.0) || COUNTED.contains(&metric.0) {
            return Some(running());
        }
        let episode = self.episode(metric, path)?;
        Some(if episode.shared { episode.id.unwrap_or_else(running) } else { 0 })
    }

    fn episode(&self, metric: MetricCode, path: Option<Path>) -> Option<&Episode> {
        EPISODE.contains(&metric.0).then(|| self.episodes.get(&path.unwrap_or_default()))?
    }
}

/// A value in words, coded or plain.
fn said(obx: &Segment<'_>) -> Option<String> {
    let parts = [2, 1].map(|part| obx.field(5).component(part).trim().to_owned());
    parts.iter().find(|part| !part.is_empty()).map(|said| word(said).to_owned())
}

/// Whether an OBX-3 may name a term of implants: most messages have none, and are not to be slowed.
fn may_be_ours(identifier: &str) -> bool {
    identifier.contains("MDC_IDC_") || identifier.starts_with("72") || identifier.starts_with("73")
}

/// Lists of values: what stands before the value's own word in its name.
const LISTS: [&str; 18] = [
    "BATTERY_STATUS_",
    "BRADY_MODE_",
    "DEVICE_TYPE_",
    "DEV_TYPE_",
    "EPISODE_THERAPY_RESULT_",
    "EPISODE_TYPE_Epis_",
    "EPISODE_VENDOR_TYPE_",
    "LEAD_LOCATION_CHAMBER_",
    "LEAD_POLARITY_TYPE_",
    "MFG_",
    "PACING_CAPTURE_MODE_",
    "POLARITY_",
    "SENSING_ADAPTATION_MODE_",
    "SESS_TYPE_",
    "THERAPY_STATUS_",
    "ZONE_STATUS_",
    "ZONE_TYPE_Zone_",
    "ZONE_VENDOR_TYPE_",
];

/// The word that a coded value of an implant stands for: `MDC_IDC_ENUM_BRADY_MODE_DDDR` is `DDDR`. Of
/// lists that we don't know the whole name stays.
pub(crate) fn word(name: &str) -> &str {
    let Some(value) = name.strip_prefix("MDC_IDC_ENUM_") else { return name };
    let word = LISTS.iter().find_map(|list| value.strip_prefix(list)).filter(|word| !word.is_empty());
    word.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Separators;

    fn check(lines: &[&str], expected: &[(u32, Option<&str>, Option<i64>, Option<u32>)], implant: Option<&str>) {
        let rows: Vec<Segment<'_>> =
            lines.iter().map(|line| Segment::parse(line, Separators::default()).expect("a segment")).collect();
        let paths = rows.iter().map(|obx| (Path::parse(&obx.field(4).text()), obx));
        let found = FollowUp::of(paths, &TimeZone::UTC);
        assert_eq!(found.implant().as_deref(), implant);
        for (code, path, time, channel) in expected {
            let path = path.and_then(Path::parse);
            let metric = MetricCode(*code);
            assert_eq!(found.time(metric, path), time.map(DeviceTime), "time of {code} {path:?}");
            assert_eq!(found.channel(metric, path), *channel, "channel of {code} {path:?}");
        }
    }

    #[test]
    fn episodes_leads_and_zones() {
        let epoch = 1_800_000_000_000_000_i64;
        check(
            &[
                "OBX|1|ST|720898^MDC_IDC_DEV_MODEL^MDC||X 1",
                "OBX|2|ST|720899^MDC_IDC_DEV_SERIAL^MDC||7",
                "OBX|3|ST|739536^MDC_IDC_EPISODE_ID^MDC|1|41",
                "OBX|4|DTM|739552^MDC_IDC_EPISODE_DTM^MDC|1|20270115080000+0000",
                "OBX|5|ST|739536^MDC_IDC_EPISODE_ID^MDC|2|42",
                "OBX|6|DTM|739552^MDC_IDC_EPISODE_DTM^MDC|2|20270115080000+0000",
                "OBX|7|DTM|739552^MDC_IDC_EPISODE_DTM^MDC|3|20270116080000+0000",
                "OBX|8|ST|739536^MDC_IDC_EPISODE_ID^MDC|4|x",
            ],
            &[
                (739_568, Some("1"), Some(epoch), Some(41)),
                (739_712, Some("2"), Some(epoch), Some(42)),
                (739_568, Some("3"), Some(epoch + 86_400_000_000), Some(0)),
                (739_568, Some("4"), None, Some(4)),
                (739_568, Some("9"), None, None),
                (720_961, Some("2"), None, Some(2)),
                (731_840, Some("3"), None, Some(3)),
                (738_000, Some("1"), None, Some(1)),
                (721_344, Some("1"), None, None),
            ],
            Some("model:X 1/serial:7"),
        );
        check(&["OBX|1|ST|720898^MDC_IDC_DEV_MODEL^MDC||X 1"], &[], None);
    }

    #[test]
    fn words_of_values() {
        for (name, expected) in [
            ("MDC_IDC_ENUM_BRADY_MODE_DDDR", "DDDR"),
            ("MDC_IDC_ENUM_EPISODE_TYPE_Epis_VT", "VT"),
            ("MDC_IDC_ENUM_DEV_TYPE_ICD", "ICD"),
            ("MDC_IDC_ENUM_NEW_LIST_Value", "MDC_IDC_ENUM_NEW_LIST_Value"),
            ("MDC_IDC_ENUM_MFG_", "MDC_IDC_ENUM_MFG_"),
            ("Epis_VT", "Epis_VT"),
            ("", ""),
        ] {
            assert_eq!(word(name), expected);
        }
        for (text, expected) in [("MODEL:A/SERIAL:1", true), ("model:", true), ("4711", false), ("médel:", false)] {
            assert_eq!(is_number(text), expected, "{text}");
        }
    }
}
