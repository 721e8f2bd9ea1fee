//! What a kind of device may say: groups of metrics, and single ones. A pump cannot publish an ECG.

use std::collections::HashSet;

use vitals::{Metric, MetricCode};

/// What a device may say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// None: everything.
    codes: Option<HashSet<MetricCode>>,
}

/// A kind of device: its name, groups of metrics (the table's categories) and beginnings of
/// reference ids that it may say beside them.
type KindRow = (&'static str, &'static [&'static str], &'static [&'static str]);

/// The kinds. Every one may say what is in the group `device` (battery, alarms of its own).
const KINDS: [KindRow; 12] = [
    ("monitor", &["vital", "haemodynamic", "cardiac", "gas", "ventilation", "waveform", "body"], &[]),
    ("telemetry", &["vital", "cardiac"], &["MDC_ECG_", "MDC_PULS_OXIM_", "MDC_RESP", "MDC_IMPED_TTHOR"]),
    ("ecg", &["cardiac"], &["MDC_ECG_", "MDC_PULS_RATE"]),
    ("oximeter", &[], &["MDC_PULS_", "MDC_SAT_O2_TISSUE"]),
    ("ventilator", &["ventilation", "gas"], &["MDC_PRESS_AWAY", "MDC_FLOW_AWAY", "MDC_VOL_AWAY", "MDC_AWAY_", "MDC_RESP", "MDC_CO2_RESP_RATE"]),
    ("pump", &["pump"], &[]),
    ("blood-pressure", &[], &["MDC_PRESS_BLD_NONINV", "MDC_PULS_RATE"]),
    ("glucometer", &["glucose"], &[]),
    ("thermometer", &[], &["MDC_TEMP"]),
    ("scale", &["body"], &[]),
    ("spirometer", &["spirometry"], &[]),
    ("laboratory", &["lab", "glucose", "gas"], &[]),
];

/// The names of the kinds that are known.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _, _)| *name)
}

impl Rights {
    /// What a kind may say, and an explicit list beside it: groups (`vital`), reference ids
    /// (`MDC_ECG_HEART_RATE`) and beginnings of such (`MDC_ECG_*`). No kind and no list: everything.
    ///
    /// # Errors
    /// What is not known, for people.
    pub fn of(kind: &str, metrics: &[String]) -> Result<Self, String> {
        if kind.is_empty() && metrics.is_empty() {
            return Ok(Self { codes: None });
        }
        let mut groups: HashSet<&str> = HashSet::from(["device"]);
        let mut beginnings: Vec<&str> = Vec::new();
        if !kind.is_empty() {
            let row = KINDS.iter().find(|(name, _, _)| *name == kind);
            let Some((_, own, names)) = row else {
                let known: Vec<_> = kinds().collect();
                return Err(format!("no such kind of device: one of {}", known.join(", ")));
            };
            groups.extend(*own);
            beginnings.extend(*names);
        }
        let mut single = HashSet::new();
        for text in metrics {
            if let Some(beginning) = text.strip_suffix('*').filter(|rest| rest.len() > 3) {
                beginnings.push(beginning);
            } else if let Some(metric) = Metric::by_refid(text) {
                single.insert(metric.code);
            } else if Metric::all().any(|metric| metric.category == text) {
                groups.insert(text);
            } else {
                return Err("a metric is neither a reference id, nor its beginning with *, nor a group".to_owned());
            }
        }
        let fits = |metric: &&Metric| {
            groups.contains(metric.category) || beginnings.iter().any(|start| metric.refid.starts_with(start))
        };
        single.extend(Metric::all().filter(fits).map(|metric| metric.code));
        Ok(Self { codes: Some(single) })
    }

    /// Nothing at all.
    #[must_use]
    pub fn nothing() -> Self {
        Self { codes: Some(HashSet::new()) }
    }

    /// Whether a metric may be said.
    #[must_use]
    pub fn allow(&self, metric: MetricCode) -> bool {
        self.codes.as_ref().is_none_or(|codes| codes.contains(&metric))
    }

    /// Whether everything may be said.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.codes.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pump_cannot_publish_an_ecg() {
        let may = |kind: &str, list: &[&str], refid: &str| {
            let list: Vec<String> = list.iter().map(|text| (*text).to_owned()).collect();
            let rights = Rights::of(kind, &list).expect("known");
            rights.allow(Metric::by_refid(refid).expect("in the table").code)
        };
        for (kind, list, refid, expected) in [
            ("pump", &[][..], "MDC_FLOW_FLUID_PUMP", true),
            ("pump", &[], "MDC_ECG_ELEC_POTL_II", false),
            ("pump", &[], "MDC_ECG_HEART_RATE", false),
            ("pump", &["MDC_ECG_HEART_RATE"], "MDC_ECG_HEART_RATE", true),
            ("monitor", &[], "MDC_ECG_ELEC_POTL_II", true),
            ("monitor", &[], "MDC_FLOW_FLUID_PUMP", false),
            ("oximeter", &[], "MDC_PULS_OXIM_SAT_O2", true),
            ("oximeter", &[], "MDC_ECG_ELEC_POTL_II", false),
            ("ecg", &[], "MDC_ECG_ELEC_POTL_II", true),
            ("ventilator", &[], "MDC_PRESS_AWAY", true),
            ("", &["MDC_ECG_*"], "MDC_ECG_ELEC_POTL_II", true),
            ("", &["vital"], "MDC_FLOW_FLUID_PUMP", false),
            ("", &[], "MDC_FLOW_FLUID_PUMP", true),
        ] {
            assert_eq!(may(kind, list, refid), expected, "{kind} {list:?} {refid}");
        }
        assert!(Rights::of("toaster", &[]).is_err());
        assert!(Rights::of("", &["everything".to_owned()]).is_err());
        for (name, groups, beginnings) in KINDS {
            let known = |group: &&str| Metric::all().any(|metric| metric.category == *group);
            assert!(groups.iter().all(known), "{name}");
            let any = |start: &&str| Metric::all().any(|metric| metric.refid.starts_with(start));
            assert!(beginnings.iter().all(any), "{name}: {beginnings:?}");
        }
    }
}
