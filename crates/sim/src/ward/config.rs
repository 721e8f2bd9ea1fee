//! What a virtual ward is asked to be.

use crate::error::SimError;
use crate::scenario::Scenario;

/// How many monitors of ten speak what; the shares are relative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocols {
    /// MQTT with SenML JSON, once a second.
    pub mqtt_json: usize,
    /// MQTT with SenML CBOR, once a second.
    pub mqtt_cbor: usize,
    /// HL7 v2 PCD-01 over MLLP, every five seconds.
    pub mllp: usize,
    /// A wearable with its own JSON, understood through a profile.
    pub wearable: usize,
}

impl Default for Protocols {
    fn default() -> Self {
        Self { mqtt_json: 5, mqtt_cbor: 2, mllp: 2, wearable: 1 }
    }
}

/// A virtual ward to run.
#[derive(Debug, Clone, PartialEq)]
pub struct WardConfig {
    /// Occupied beds, 1 to 1,000. One more bed is kept free for transfers.
    pub beds: usize,
    /// Patients at home, who send FHIR.
    pub home_patients: usize,
    /// One seed, one ward.
    pub seed: u64,
    /// Seconds of illness per second on the wall, 1 to 600. Devices keep wall time.
    pub speed: f64,
    /// Where the platform listens for MQTT, `host:port`.
    pub mqtt: String,
    /// Where it listens for MLLP.
    pub mllp: String,
    /// Where it listens for HTTP.
    pub http: String,
    /// Bearer token for HTTP, if authentication is on.
    pub token: Option<String>,
    /// MQTT account and password, if authentication is on.
    pub mqtt_credentials: Option<(String, String)>,
    /// Shares of the protocols.
    pub protocols: Protocols,
    /// Infusion pumps that take commands, one at each of the first beds.
    pub pumps: usize,
    /// Scenario and start (s on the wall) by bed index, from 0; the rest follow the default mix.
    pub scenarios: Vec<(usize, Scenario, f64)>,
    /// How long to run, s on the wall; none: until stopped.
    pub duration_s: Option<u64>,
    /// A patient is moved to the free bed this often, s on the wall; none: never.
    pub transfer_every_s: Option<u64>,
    /// Each patient is charted this often, s on the wall.
    pub chart_every_s: u64,
}

impl Default for WardConfig {
    fn default() -> Self {
        Self {
            beds: 24,
            home_patients: 2,
            seed: 1,
            speed: 20.0,
            mqtt: "127.0.0.1:1883".to_owned(),
            mllp: "127.0.0.1:2575".to_owned(),
            http: "127.0.0.1:8080".to_owned(),
            token: None,
            mqtt_credentials: None,
            protocols: Protocols::default(),
            pumps: 4,
            scenarios: Vec::new(),
            duration_s: None,
            transfer_every_s: Some(900),
            chart_every_s: 120,
        }
    }
}

impl WardConfig {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimError::Config`] naming the setting.
    pub fn validate(&self) -> Result<(), SimError> {
        let wrong = |key, problem: &str| Err(SimError::Config { key, problem: problem.to_owned() });
        if !(1..=1_000).contains(&self.beds) {
            return wrong("beds", "must be 1 to 1,000");
        }
        if !(1.0..=600.0).contains(&self.speed) {
            return wrong("speed", "must be 1 to 600 seconds of illness per second");
        }
        if self.chart_every_s == 0 || self.transfer_every_s == Some(0) {
            return wrong("chart_every_s", "intervals must be at least one second");
        }
        let p = self.protocols;
        if p.mqtt_json + p.mqtt_cbor + p.mllp + p.wearable == 0 {
            return wrong("protocols", "at least one share must be above zero");
        }
        if self.scenarios.iter().any(|(bed, _, _)| *bed >= self.beds) {
            return wrong("scenarios", "a bed index is not below the number of beds");
        }
        Ok(())
    }
}
