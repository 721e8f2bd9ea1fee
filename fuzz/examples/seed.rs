//! Puts samples into the fuzz targets' corpora, so that a run begins inside the formats and not at
//! their first bytes: `cargo run --manifest-path fuzz/Cargo.toml --example seed`.
//!
//! The samples are the cases of the crates' tests, the files in `seeds/`, and bytes written by our
//! own encoders. What is there already stays.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use journal::Encoded;
use mapping::{Profiles, RawMessage};
use store::wave::{
    self, Data, Frame, Outline, Packing, Segment, encode_data, encode_outline, encode_pyramid,
};
use vitals::samples::MISSING;
use vitals::{
    Actor, DeviceId, EffectiveTime, Event, LinkState, Message, Origin, Protocol, Quality, Rate,
    ReceiveTime, Role, Scale,
};
use wire_mqtt::codec::encode::{self, Block, PublishHead};
use wire_mqtt::{Qos, Version};

/// Topics of the target `profile_map`, in its order.
const PROFILE_TOPICS: [&str; 6] =
    ["hospital/", "gateway/", "spotcheck/", "wearables/", "patch/", ""];

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut corpus = Corpus { root: root.join("corpus"), count: 0 };
    mapping_cases(&root.join("../crates/mapping/tests/cases"), &mut corpus)?;
    profiles(&root.join("../profiles"), &mut corpus)?;
    seed_files(&root.join("seeds"), &mut corpus)?;
    packets(&mut corpus)?;
    journal(&mut corpus)?;
    recordings(&mut corpus)?;
    wave_blocks(&mut corpus)?;
    println!("{} seeds in {}", corpus.count, corpus.root.display());
    Ok(())
}

struct Corpus {
    root: PathBuf,
    count: usize,
}

impl Corpus {
    fn add(&mut self, target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
        let folder = self.root.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{name}")), bytes)?;
        self.count += 1;
        Ok(())
    }
}

fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found =
        fs::read_dir(folder)?.map(|item| Ok(item?.path())).collect::<io::Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A small recording in every form that the targets read.
fn recordings(corpus: &mut Corpus) -> io::Result<()> {
    use record::{Annotation, Channel, Recording, Segment, Start, edf, wfdb};
    use vitals::{Rate, Scale};

    let rate = |n, d| Rate::new(n, d).expect("not zero");
    let scale = Scale { factor: 1.0, divisor: 200.0, offset: 0.0 };
    let segment = |first, samples| Segment { anchor_us: 0, first, scale, samples };
    let channel = |label: &str, rate, segments| Channel {
        label: label.to_owned(),
        metric: None,
        unit: "mV".to_owned(),
        rate,
        segments,
    };
    let mark = |tick, code, text: &str| Annotation {
        tick,
        rate: rate(250, 1),
        duration_us: None,
        code,
        subtype: 1,
        channel: 1,
        number: 2,
        text: text.to_owned(),
    };
    let recording = Recording {
        start: Start::At(1_700_000_000_250_000),
        channels: vec![
            channel("II", rate(250, 1), vec![segment(0, (-30..30).collect()), segment(5_000, vec![7; 8])]),
            channel("RESP", rate(125, 2), vec![segment(0, vec![1, 2, i32::MIN, 4])]),
        ],
        annotations: vec![mark(1, 1, ""), mark(5_000, 28, "(AFIB")],
        ..Recording::default()
    };
    let wrong = |error: record::Error| io::Error::other(error.to_string());
    for (file, bytes) in wfdb::write(&recording, "a", wfdb::Options::default()).map_err(wrong)?.files {
        if file.ends_with(".hea") {
            corpus.add("wfdb_header", &file, &bytes)?;
        }
    }
    corpus.add("wfdb_header", "wild", b"a 2 250/24000(5) 9 31:25.894 1/06/2000\n~ 212x4:1+24 20(-1600)/mmHg 12 0 -1 7 0 ABP\na.dat 80\n#x")?;
    for format in 0..13_u8 {
        let data: Vec<u8> = (0..96).map(|at: u8| at.wrapping_mul(37)).collect();
        corpus.add("wfdb_signal", &format.to_string(), &[&[format, 3, 0], &data[..]].concat())?;
    }
    let (bytes, _) = wfdb::write_annotations(&recording.annotations, rate(125, 2)).map_err(wrong)?;
    corpus.add("wfdb_annotations", "two", &bytes)?;
    for contiguous in [false, true] {
        let options = edf::Options { contiguous, rescale: false };
        let (bytes, _) = edf::write(&recording, options).map_err(wrong)?;
        corpus.add("edf", if contiguous { "c" } else { "d" }, &bytes)?;
    }
    Ok(())
}

/// Each case's payload, for the targets that read such payloads; and the event it becomes.
fn mapping_cases(folder: &Path, corpus: &mut Corpus) -> io::Result<()> {
    for case in paths(folder)? {
        let name = stem(&case);
        let topic = fs::read_to_string(case.join("topic"))?;
        let topic = topic.trim();
        for file in paths(&case)?.iter().filter(|file| stem(file) == "payload") {
            let mut payload = fs::read(file)?;
            if file.extension().is_some_and(|ending| ending == "hex") {
                payload = unhex(&payload);
            }
            match payload.first() {
                _ if topic.ends_with("/waveform") => {
                    // The target puts magic, version and checksum around it.
                    let inner = payload.get(5..payload.len() - 4).unwrap_or_default();
                    corpus.add("waveform_frame", &name, inner)?;
                }
                Some(0x80..) => corpus.add("senml_cbor", &name, &payload)?,
                _ => corpus.add("senml_json", &name, &payload)?,
            }
            let choice = PROFILE_TOPICS.iter().position(|begin| topic.starts_with(begin));
            let choice = u8::try_from(choice.unwrap_or(5)).expect("six topics");
            corpus.add("profile_map", &name, &[&[choice], &payload[..]].concat())?;
            let raw = RawMessage {
                topic,
                payload: &payload,
                content_type: None,
                received: ReceiveTime(1_700_000_000_000_000),
            };
            let mapped = Profiles::default().map(&raw);
            let event = Event::Message(Message {
                origin: Origin {
                    protocol: Protocol::Mqtt,
                    address: topic.into(),
                    sender: "c-1".into(),
                    message_id: String::new(),
                    profile: mapped.profile,
                },
                received: ReceiveTime(1_700_000_000_000_000),
                time_base: mapped.time_base,
                payload: payload.clone(),
                content: mapped.content,
                problems: mapped.problems,
            });
            events(&name, &[event], corpus)?;
        }
    }
    Ok(())
}

/// Shipped profiles as profiles of their own; templates with a payload for `iomt_template`.
fn profiles(folder: &Path, corpus: &mut Corpus) -> io::Result<()> {
    for file in paths(folder)?.iter().filter(|file| file.is_file()) {
        let text = fs::read(file)?;
        corpus.add("profile_map", &stem(file), &[&[5], &text[..]].concat())?;
    }
    let example = folder.join("iomt/example");
    let content = fs::read(example.join("devicecontent.json"))?;
    let mapping = fs::read(example.join("fhirmapping.json"))?;
    for (at, payload) in [
        r#"{"sensor": "s", "when": "2026-01-01T12:00:00Z", "saturation": 97, "pulse": 61}"#,
        r#"{"Body": {"scale": "w", "when": "2026-01-01T12:00:00Z", "kilos": "71.5"}}"#,
    ]
    .iter()
    .enumerate()
    {
        let whole = [&content[..], &[0], &mapping, &[0], payload.as_bytes()].concat();
        corpus.add("iomt_template", &at.to_string(), &whole)?;
    }
    Ok(())
}

/// `seeds/<target>/<file>`, or one sample a line in a `.lines` file; HL7 lines end with CR.
fn seed_files(folder: &Path, corpus: &mut Corpus) -> io::Result<()> {
    for target in paths(folder)? {
        let name = stem(&target);
        for file in paths(&target)? {
            let bytes = fs::read(&file)?;
            if file.extension().is_some_and(|ending| ending == "lines") {
                for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
                    corpus.add(&name, &at.to_string(), line)?;
                }
            } else if name == "hl7_message" {
                let message = String::from_utf8_lossy(&bytes).replace('\n', "\r");
                corpus.add(&name, &stem(&file), message.as_bytes())?;
                let framed = wire_hl7::mllp::frame(message.as_bytes());
                corpus.add("mllp_frames", &stem(&file), &[&[9], &framed[..]].concat())?;
            } else {
                corpus.add(&name, &stem(&file), &bytes)?;
            }
        }
    }
    Ok(())
}

/// A client's first minute, in both versions.
fn packets(corpus: &mut Corpus) -> io::Result<()> {
    for (version, name) in [(Version::V3, "v3"), (Version::V5, "v5")] {
        let mut out = Vec::new();
        let block = Block::new().session_expiry_s(60).receive_maximum(10).user("k", "v");
        encode::connect(&mut out, version, "c-1", false, 30, Some(("u", "p")), &block);
        corpus.add("mqtt_packet", &format!("connect-{name}"), &out)?;
        encode::subscribe(&mut out, version, 1, &[("vitalwire/+/command", 1), ("$share/g/#", 2)]);
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            let head = PublishHead { qos, packet_id: 7, alias: Some(1), ..PublishHead::default() };
            encode::publish(&mut out, version, &head, "a/b", b"{}", usize::MAX);
        }
        encode::ping_req(&mut out);
        encode::disconnect_normal(&mut out);
        corpus.add("mqtt_packet", &format!("session-{name}"), &out)?;
    }
    Ok(())
}

fn journal(corpus: &mut Corpus) -> io::Result<()> {
    let device = DeviceId::new("m-1").expect("a device id");
    let link = Event::Link { device, state: LinkState::Lost, reason: "will message".into() };
    let policy = Event::Policy(Actor { name: "seed".into(), role: Role::Engineer }, "[limits]".into());
    events("small", &[Event::Tick, link, policy], corpus)
}

/// Events one by one, and together as the entries of a segment.
fn events(name: &str, events: &[Event], corpus: &mut Corpus) -> io::Result<()> {
    let mut segment = vec![1];
    for (at, event) in events.iter().enumerate() {
        let encoded = Encoded::new(event, None).expect("a small event").bytes;
        corpus.add("journal_event", &format!("{name}-{at}"), &encoded)?;
        if let Ok(length) = u16::try_from(encoded.len()) {
            segment.extend_from_slice(&length.to_le_bytes());
            segment.extend_from_slice(&encoded);
        }
    }
    corpus.add("journal_segment", name, &segment)
}

fn unhex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text
        .iter()
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .filter_map(|digit| u8::try_from(digit).ok())
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect()
}

/// Blocks of samples: counts with holes, wide counts, floats; fresh and sealed.
fn wave_blocks(corpus: &mut Corpus) -> io::Result<()> {
    let counts = |n: i32, factor: i32| if n % 50 == 7 { MISSING } else { (n * n % 91) * factor };
    let all = [
        ("small", Data::Counts((0..40).map(|n| counts(n, 1)).collect())),
        ("counts", Data::Counts((0..500).map(|n| counts(n, 1)).collect())),
        ("wide", Data::Counts((0..500).map(|n| counts(n, 9_000)).collect())),
        ("floats", Data::Real((0..300).map(|n| f64::from(counts(n, 1)) / 3.0).collect())),
    ];
    for (name, data) in all {
        let (samples, rate) = (data.len(), Rate::new(125, 2).expect("not 0"));
        let segment = Segment { anchor: EffectiveTime(1_700_000_000_000_000), rate, first: 9, frames: 2, samples };
        let frame = |samples: usize, offset| Frame {
            samples: samples as u32,
            delay_ms: 1_040,
            offset,
            index: 0,
            quality: Quality::empty(),
        };
        let frames = vec![frame(30, 500), frame(samples - 30, 777)];
        let outline = Outline { scale: Scale { divisor: 200.0, ..Scale::ONE }, segments: vec![segment], frames };
        let block = wave::Block { outline, data };
        for (kind, packing) in [("fresh", Packing::Fresh), ("sealed", Packing::Sealed)] {
            let (outline, pyramid) = (encode_outline(&block.outline), encode_pyramid(&block).0);
            let mut bytes = (outline.len() as u16).to_le_bytes().to_vec();
            bytes.extend((pyramid.len() as u16).to_le_bytes());
            bytes.extend([outline, pyramid, encode_data(&block.data, packing)].concat());
            corpus.add("wave_block", &format!("{name}-{kind}"), &bytes)?;
        }
    }
    Ok(())
}
