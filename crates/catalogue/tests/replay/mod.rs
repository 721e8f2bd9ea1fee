//! Sessions played back: the messages of a folder, in order, through what reads them in the running
//! program.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use catalogue::Row;
use mapping::{Decode, DecodeFault, Profiles, RawMessage, Script, Uplink};
use vitals::{Content, Measurement, Problem, ReceiveTime, Value};
use wire_phd::manager::{Input, Manager, Output};

/// When every message is received: 2026-11-22T01:00:00Z plus a microsecond.
const RECEIVED: ReceiveTime = ReceiveTime(1_795_309_200_000_001);

/// Payload formatters, in the test's own process.
#[derive(Debug)]
struct Here;

impl Decode for Here {
    fn decode(&self, script: &Script, uplink: &Uplink) -> Result<serde_json::Value, DecodeFault> {
        decoder::run(&script.source, uplink, decoder::Limits::default())
    }
}

/// What came of a session.
#[derive(Default)]
pub struct Came {
    /// A line for each thing.
    pub lines: String,
    /// The profiles that took its messages.
    pub profiles: Vec<String>,
    /// The message at hand, in which samples may stand.
    payload: Vec<u8>,
}

/// The messages: files named by a number, as bytes (`.hex`: hexadecimal digits).
pub fn messages(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u32>().ok());
        let Some(number) = stem else { continue };
        let mut bytes = fs::read(&path).expect("readable");
        if path.extension().is_some_and(|ending| ending == "hex") {
            bytes = unhex(&String::from_utf8(bytes).expect("text"));
        }
        found.push((number, bytes));
    }
    found.sort();
    found.into_iter().map(|(_, bytes)| bytes).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let bare: String = text.lines().map(|line| line.split('#').next().unwrap_or("")).collect();
    let digits: Vec<char> = bare.chars().filter(char::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("pairs of digits"))
        .collect()
}

/// The shipped profiles.
pub fn shipped(root: &Path) -> Vec<(String, String)> {
    let mut sources = Vec::new();
    let top = root.join("profiles");
    read_tree(&top, &top, &mut sources);
    sources
}

fn read_tree(top: &Path, folder: &Path, into: &mut Vec<(String, String)>) {
    let mut paths: Vec<_> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read_tree(top, &path, into);
        } else {
            let name = path.strip_prefix(top).expect("inside").to_string_lossy().into_owned();
            into.push((name, fs::read_to_string(&path).expect("text")));
        }
    }
}

/// Plays a session back in the way that its row names.
pub fn replay(row: &Row, folder: &Path, messages: &[Vec<u8>], shipped: &[(String, String)]) -> Came {
    let mut came = Came::default();
    match row.replay.as_str() {
        "mapping" => {
            let mut sources = shipped.to_vec();
            if let Ok(own) = fs::read_to_string(folder.join("profile.toml")) {
                sources.push((format!("sessions/{}.toml", row.session), own));
            }
            let (profiles, errors) = Profiles::compile(&sources);
            assert!(errors.is_empty(), "{}: {errors:?}", row.session);
            let profiles = profiles.decoding_with(Some(Arc::new(Here)));
            for payload in messages {
                let raw = RawMessage { topic: &row.topic, payload, content_type: None, received: RECEIVED };
                let mapped = profiles.map(&raw);
                came.profiles.push(mapped.profile);
                came.payload.clone_from(payload);
                came.tell(&mapped.content, &mapped.problems);
            }
        }
        "hl7" => {
            for frame in messages {
                let received = wire_hl7::read(frame, RECEIVED, &wire_hl7::Options::default());
                for inbound in received.messages {
                    came.tell(&inbound.message.content, &inbound.message.problems);
                }
            }
        }
        "apple-health" => messages.iter().for_each(|export| came.apple_health(export, &row.topic)),
        "fhir" => messages.iter().for_each(|resource| came.fhir(resource)),
        "phd" => came.phd(messages),
        "coap" => {
            let (profiles, errors) = Profiles::compile(shipped);
            assert!(errors.is_empty(), "{}: {errors:?}", row.session);
            came.coap(messages, &row.topic, &profiles);
        }
        other => panic!("{}: nobody knows how to replay `{other}`", row.session),
    }
    came
}

impl Came {
    fn tell(&mut self, content: &[Content], problems: &[Problem]) {
        for one in content {
            match one {
                Content::Reading(reading) => {
                    reading.measurements.iter().for_each(|m| self.measured(reading.device.as_str(), m));
                }
                Content::Directory(event) => self.line(&format!("directory {}", json(event))),
                Content::Alarm(alarm) => self.line(&format!("alarm {}", json(alarm))),
            }
        }
        for problem in problems {
            self.line(&format!("problem {} at {}: {}", problem.kind.name(), problem.path, problem.detail));
        }
    }

    fn measured(&mut self, device: &str, m: &Measurement) {
        let value = match &m.value {
            Value::Numeric(number) => number.to_string(),
            Value::Compound(parts) => {
                let text = |part: &(vitals::MetricCode, f64)| format!("{:?} {}", part.0, part.1);
                parts.iter().map(text).collect::<Vec<_>>().join(", ")
            }
            Value::Enumeration(state, text) => format!("{state} {text}"),
            Value::Text(text) => format!("{text:?}"),
            Value::SampleArray(samples) => {
                let first: Vec<f64> = samples.resolve(&self.payload).values().into_iter().take(4).collect();
                format!("{} samples at {} Hz {first:?}…", samples.len(), samples.rate.hz())
            }
        };
        let time = m.device_time.map_or("no device time".to_owned(), |time| {
            jiff::Timestamp::from_microsecond(time.micros()).map_or_else(|error| error.to_string(), |at| format!("at {at}"))
        });
        let channel = if m.channel == 0 { String::new() } else { format!(", channel {}", m.channel) };
        let quality = m.quality.names().iter().map(|name| format!(", {name}")).collect::<String>();
        self.line(&format!("{device} {} = {value} {} {time}{channel}{quality}", m.metric.refid(), m.unit.ucum()));
    }

    fn line(&mut self, line: &str) {
        self.lines.push_str(line);
        self.lines.push('\n');
    }

    fn fhir(&mut self, resource: &[u8]) {
        let resource = wire_fhir::parse(resource).expect("valid R4 JSON");
        let kind = resource["resourceType"].as_str().unwrap_or_default().to_owned();
        let issues = wire_fhir::validate(&resource, &kind);
        assert!(issues.is_empty(), "{issues:?}");
        if let Some(kind) = wire_fhir::Kind::from_name(&kind) {
            let id = resource["id"].as_str().unwrap_or_default();
            let event = wire_fhir::directory::read(kind, &resource, id, &kind_path(&resource)).expect("understood");
            return self.tell(&[Content::Directory(event)], &[]);
        }
        let observed = wire_fhir::observation::read(&resource, &kind);
        let content: Vec<Content> = observed.reading.map(Content::Reading).into_iter().collect();
        self.tell(&content, &observed.problems);
    }

    /// An export, its data points as `vitalwire import` sends them, and what was passed over.
    fn apple_health(&mut self, export: &[u8], topic: &str) {
        let mut export = wire_applehealth::Export::new(export);
        let points: Vec<_> = export.by_ref().map(|point| point.expect("an export")).collect();
        let payload = serde_json::to_vec(&points).expect("it is data");
        let raw = RawMessage { topic, payload: &payload, content_type: None, received: RECEIVED };
        let mapped = Profiles::default().map(&raw);
        self.profiles.push(mapped.profile);
        self.tell(&mapped.content, &mapped.problems);
        for (kind, count) in &export.counts().passed {
            self.line(&format!("passed over: {count} {kind}"));
        }
        self.line(&format!("not to be read: {}", export.counts().broken));
    }

    /// What the sensor sent, as the listener reads it.
    fn coap(&mut self, datagrams: &[Vec<u8>], topic: &str, profiles: &Profiles) {
        use wire_coap::Output;
        let mut session = wire_coap::Session::new(&[], wire_coap::Limits::default(), 1);
        for datagram in datagrams {
            for output in session.step(datagram, 0) {
                match output {
                    Output::Deliver { exchange, records, fault, .. } => {
                        fault.iter().for_each(|fault| self.line(&format!("problem: {fault}")));
                        let payload = wire_coap::content::to_json(&records, RECEIVED.0 as f64 / 1e6);
                        let mapped = profiles.map(&RawMessage { topic, payload: &payload, content_type: None, received: RECEIVED });
                        self.profiles.push(mapped.profile);
                        self.tell(&mapped.content, &mapped.problems);
                        session.settled(exchange, true);
                    }
                    Output::Refused(refusal) => self.line(&format!("refused: {}", refusal.name())),
                    Output::Send(_) | Output::Registered { .. } | Output::Gone { .. } => {}
                }
            }
        }
    }

    /// What the device sent, to a manager; its answers are not shown, but what it learned is.
    fn phd(&mut self, apdus: &[Vec<u8>]) {
        let mut manager = Manager::new([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11], 0);
        let mut device = String::from("device");
        manager.step(Input::Connected, 0);
        for apdu in apdus {
            for output in manager.step(Input::Apdu(apdu), 0) {
                match output {
                    Output::Associated(id) => device = id.iter().map(|byte| format!("{byte:02x}")).collect(),
                    Output::Observed(meaning) => {
                        meaning.measurements.iter().for_each(|m| self.measured(&device, m));
                        self.tell(&[], &meaning.problems);
                    }
                    Output::Problem(error) => self.line(&format!("problem: {error}")),
                    Output::Ended { orderly } => self.line(&format!("ended, orderly: {orderly}")),
                    _ => {}
                }
            }
        }
    }
}

fn kind_path(resource: &serde_json::Value) -> String {
    resource["resourceType"].as_str().unwrap_or_default().to_owned()
}

/// As JSON without what is not there.
fn json(value: &impl serde::Serialize) -> String {
    fn prune(value: serde_json::Value) -> serde_json::Value {
        match value {
            serde_json::Value::Object(fields) => fields
                .into_iter()
                .map(|(key, value)| (key, prune(value)))
                .filter(|(key, value)| !value.is_null() && *key != "document" && *value != serde_json::json!("") && *value != serde_json::json!([]))
                .collect(),
            serde_json::Value::Array(items) => items.into_iter().map(prune).collect(),
            other => other,
        }
    }
    prune(serde_json::to_value(value).expect("it is data")).to_string()
}
