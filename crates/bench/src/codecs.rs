//! How many messages a second each codec reads, on one core, from bytes to measurements: the messages
//! of `tests/sessions`, over and over. Beside it, in the same run and one after the other, what
//! independent libraries make of the same bytes (`tools/codec_peers.py`); they are written in
//! Python, and most of them stop at the syntax where ours goes on to metrics and units.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use mapping::{Profiles, RawMessage};
use vitals::ReceiveTime;

use crate::Bench;
use crate::report::Report;

/// A sensor's registration over CoAP (LwM2M): `POST /rd?ep=s` with one object.
const REGISTRATION: &[u8] = b"\x40\x02\x00\x01\xb2rd\x44ep=s\xff</3303/0>";
/// The Plug-a-thon's device, whole; beside the repository, since it is not ours.
const MDIB: &str = "sdc/PlugathonMdibV2.xml";

/// When everything is received.
const RECEIVED: ReceiveTime = ReceiveTime(1_795_309_200_000_001);

/// A codec: key, what people read, the session with its messages, its MQTT topic if it has one.
const CODECS: [(&str, &str, &str, &str); 9] = [
    ("codec_senml_json_per_s", "SenML JSON, 5 values", "native-senml-json", "vitalwire/m/measurements"),
    ("codec_senml_cbor_per_s", "SenML CBOR, 4 values", "native-senml-cbor", "vitalwire/m/measurements"),
    ("codec_waveform_per_s", "waveform frames, 4 channels", "native-waveform", "vitalwire/m/waveform"),
    ("codec_profile_per_s", "JSON through a profile, 7 values", "profile-bedside-monitor", "hospital/icu-2/monitor-7/vitals"),
    ("codec_gatt_per_s", "Bluetooth heart rate, 3 payloads", "gatt-heart-rate", "vitalwire/m/gatt"),
    ("codec_hl7_per_s", "HL7 v2 PCD-01, 4 values", "hl7-pcd-01", ""),
    ("codec_fhir_per_s", "FHIR R4 Observations, validated", "fhir-observation", ""),
    ("codec_sparkplug_per_s", "Sparkplug B, a birth of 3 metrics", "sparkplug-monitor", ""),
    ("codec_phd_per_s", "IEEE 11073-20601 sessions, 3 APDUs", "phd-blood-pressure", ""),
];

/// Measures all codecs, then the others' libraries.
///
/// # Errors
/// When a session is not there or the profiles that are shipped don't compile.
pub fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("profiles/bedside-monitor.toml")).context("the shipped profiles")?;
    let (profiles, errors) = Profiles::compile(&[("bedside-monitor.toml".to_owned(), text)]);
    ensure!(errors.is_empty(), "{errors:?}");
    let time = Duration::from_secs_f64(bench.seconds(5.0));
    for (key, what, session, topic) in CODECS {
        let messages = messages(&root.join("tests/sessions").join(session))?;
        let rate = match session.split('-').next() {
            Some("hl7") => per_second(&messages, time, |message| {
                black_box(wire_hl7::read(message, RECEIVED, &wire_hl7::Options::default()));
            }),
            Some("fhir") => per_second(&messages, time, fhir),
            Some("sparkplug") => per_second(&messages, time, |message| {
                let _ = black_box(wire_sparkplug::Payload::decode(message));
            }),
            Some("phd") => {
                // A whole session: the manager keeps the state from one APDU to the next.
                per_second(&[Vec::new()], time, |_| phd(&messages))
            }
            _ => per_second(&messages, time, |payload| {
                let raw = RawMessage { topic, payload, content_type: None, received: RECEIVED };
                black_box(profiles.map(&raw));
            }),
        };
        report.add(key, &format!("codec: {what}"), rate, "/s");
    }
    let coap = per_second(&[REGISTRATION.to_vec()], time, |datagram| {
        let mut session = wire_coap::Session::new(&["s".to_owned()], wire_coap::Limits::default(), 1);
        black_box(session.step(datagram, 0));
    });
    report.add("codec_coap_per_s", "codec: CoAP, a sensor's registration and our answer", coap, "/s");
    let mdib = std::env::var_os("VITALWIRE_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from).join(MDIB);
    match fs::read(&mdib) {
        Ok(bytes) => {
            let rate = per_second(&[bytes], time, |message| {
                if let Ok(tree) = markup::read(message, &markup::Limits::default()) {
                    let _ = black_box(wire_sdc::Mdib::read(&tree));
                }
            });
            report.add("codec_sdc_per_s", "codec: SDC, a device's whole MDIB (39 descriptors, 37 states)", rate, "/s");
        }
        Err(_) => report.note(format!("SDC: skipped, {MDIB} is not in VITALWIRE_DATA")),
    }
    peers(&root, time, &mdib, report)
}

fn fhir(message: &[u8]) {
    if let Ok(resource) = wire_fhir::parse(message) {
        black_box(wire_fhir::validate(&resource, "Observation"));
        black_box(wire_fhir::observation::read(&resource, "Observation"));
    }
}

fn phd(apdus: &[Vec<u8>]) {
    use wire_phd::manager::{Input, Manager};
    let mut manager = Manager::new([1; 8], 0);
    manager.step(Input::Connected, 0);
    for apdu in apdus {
        black_box(manager.step(Input::Apdu(apdu), 0));
    }
}

/// Messages a second, one core, after a warm-up of a tenth of the time.
fn per_second(messages: &[Vec<u8>], time: Duration, mut read: impl FnMut(&[u8])) -> f64 {
    let mut run = |time: Duration| {
        let (start, mut count) = (Instant::now(), 0_u64);
        while start.elapsed() < time {
            for _ in 0..100 {
                messages.iter().for_each(|message| read(message));
                count += messages.len() as u64;
            }
        }
        count as f64 / start.elapsed().as_secs_f64()
    };
    run(time / 10);
    run(time)
}

/// A session's messages, in order.
fn messages(folder: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no session at {}", folder.display()))? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        found.extend(number.map(|number| (number, path)));
    }
    found.sort();
    ensure!(!found.is_empty(), "{} has no messages", folder.display());
    found.into_iter().map(|(_, path)| bytes(&path)).collect()
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    if path.extension().is_none_or(|ending| ending != "hex") {
        return Ok(fs::read(path)?);
    }
    let digits: Vec<u8> = fs::read_to_string(path)?.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or(""), 16);
    digits.chunks(2).map(|two| pair(two).context("two hexadecimal digits")).collect()
}

/// What is independent of us and reads the same: figure, what people read, name in the answer.
const PEERS: [(&str, &str, &str); 7] = [
    ("peer_hl7apy_per_s", "hl7apy: the same PCD-01", "hl7apy"),
    ("peer_bluetooth_sig_per_s", "bluetooth-sig: the same heart rates", "bluetooth-sig"),
    ("peer_fhir_resources_per_s", "fhir.resources: the same Observations", "fhir.resources"),
    ("peer_cbor2_per_s", "cbor2: the same SenML, as CBOR alone", "cbor2"),
    ("peer_pysparkplug_per_s", "pysparkplug: the same birth", "pysparkplug"),
    ("peer_aiocoap_per_s", "aiocoap: the same registration, not answered", "aiocoap"),
    ("peer_sdc11073_per_s", "sdc11073: the same MDIB", "sdc11073"),
];

fn peers(root: &Path, time: Duration, mdib: &Path, report: &mut Report) -> anyhow::Result<()> {
    let python = root.join("target/bench-venv/bin/python");
    if !python.exists() {
        report.note("other libraries: skipped, target/bench-venv is not there (`make bench` makes it)".to_owned());
        return Ok(());
    }
    let output = Command::new(python)
        .arg(root.join("tools/codec_peers.py"))
        .arg(root.join("tests/sessions"))
        .arg(time.as_secs_f64().to_string())
        .arg(mdib)
        .output()
        .context("cannot run tools/codec_peers.py")?;
    ensure!(output.status.success(), "tools/codec_peers.py: {}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    for (key, what, name) in PEERS {
        match told[name].as_f64() {
            Some(rate) => report.add(key, what, rate, "/s"),
            None => report.note(format!("{name}: skipped, it is not in target/bench-venv, or has nothing to read")),
        }
    }
    report.note(
        "codecs: one core each, one after the other; ours go from bytes to measurements in their own units where \
         the peers take the message apart, and the peers are Python (cbor2 and protobuf in C)"
            .to_owned(),
    );
    Ok(())
}
