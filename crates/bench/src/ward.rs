//! Patients with monitors, as far as the measures need them: who is on what, and twelve numerics
//! a second that hang together.

use serde_json::{Value, json};
use sim::body::{Body, Constitution, Drives};
use sim::random::Random;
use sim::wire::senml;
use vitals::{PatientId, Sex};

use crate::server::Server;

/// Where the identifiers of the measures' patients come from.
const SYSTEM: &str = "urn:vitalwire:bench";
/// Associations in one request.
const BULK: usize = 5_000;
/// Cuff pressure is taken this often, s; in between the monitor repeats it.
const CUFF_EVERY_S: u64 = 900;

/// The twelve numerics of a monitor: reference id and decimals shown. The last three are the cuff's.
pub const NUMERICS: [(&str, i32); 12] = [
    ("MDC_ECG_HEART_RATE", 0),
    ("MDC_PULS_OXIM_PULS_RATE", 0),
    ("MDC_PULS_OXIM_SAT_O2", 0),
    ("MDC_RESP_RATE", 0),
    ("MDC_TEMP_BODY", 1),
    ("MDC_PRESS_BLD_ART_ABP_SYS", 0),
    ("MDC_PRESS_BLD_ART_ABP_DIA", 0),
    ("MDC_PRESS_BLD_ART_ABP_MEAN", 0),
    ("MDC_AWAY_CO2_ET", 0),
    ("MDC_PRESS_BLD_NONINV_SYS", 0),
    ("MDC_PRESS_BLD_NONINV_DIA", 0),
    ("MDC_PRESS_BLD_NONINV_MEAN", 0),
];

/// How many of them change by themselves from second to second.
pub const CONTINUOUS: usize = 9;

/// The patient on device `index` of a prefix.
#[must_use]
pub fn patient(prefix: &str, index: usize) -> PatientId {
    PatientId::from_identifier(SYSTEM, &format!("{prefix}-{index}"))
}

/// Puts the devices `PREFIX-0`, `PREFIX-1` … on patients of their own, since then.
///
/// # Errors
/// When the platform refuses.
pub async fn admit(
    server: &Server,
    prefix: &str,
    count: usize,
    since_ms: Option<i64>,
) -> anyhow::Result<()> {
    let all: Vec<Value> = (0..count)
        .map(|index| {
            json!({
                "device": format!("{prefix}-{index}"),
                "identifier": format!("{SYSTEM}|{prefix}-{index}"),
                "name": format!("Bench, {prefix} {index}"),
                "birth_date": "1960-05-01",
                "since_ms": since_ms,
            })
        })
        .collect();
    for some in all.chunks(BULK) {
        server.http.post("/api/v1/associations", &json!(some)).await?;
    }
    Ok(())
}

/// A monitored patient.
pub struct Bed {
    body: Body,
    second: u64,
    cuff: [f64; 3],
}

impl Bed {
    /// One seed, one patient.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let sex = if seed.is_multiple_of(2) { Sex::Female } else { Sex::Male };
        let person = Constitution::new(45.0 + (seed % 40) as f64, sex, false, &mut random);
        Self { body: Body::new(person, random), second: 0, cuff: [0.0; 3] }
    }

    /// The numerics of the next second, rounded as a monitor shows them.
    pub fn next(&mut self) -> [f64; 12] {
        let hour = (self.second / 3_600 % 24) as f64;
        self.body.step(&Drives::default(), hour);
        let v = self.body.vitals();
        if self.second.is_multiple_of(CUFF_EVERY_S) {
            self.cuff = [v.systolic, v.diastolic, v.mean];
        }
        self.second += 1;
        let [systolic, diastolic, mean] = self.cuff;
        let mut values = [
            v.heart_rate,
            v.pulse_rate,
            v.spo2,
            v.resp_rate,
            v.temperature,
            v.systolic,
            v.diastolic,
            v.mean,
            v.etco2,
            systolic,
            diastolic,
            mean,
        ];
        for (value, (_, decimals)) in values.iter_mut().zip(NUMERICS) {
            let scale = 10_f64.powi(decimals);
            *value = (*value * scale).round() / scale;
        }
        values
    }

    /// The next second as a SenML pack.
    pub fn pack(&mut self, time_us: i64) -> Vec<u8> {
        let values = self.next();
        let values: Vec<senml::Value<'_>> = NUMERICS
            .iter()
            .zip(values)
            .map(|((name, _), value)| senml::Value { name, unit: "", value })
            .collect();
        senml::json(time_us, &values)
    }
}

/// Our clock, µs since 1970.
#[must_use]
pub fn now_us() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}
