//! A week of 62.5 Hz, frame by frame through mapping and engine: not a sample is lost or drifts, and
//! a sampling clock that runs wrong against the device's own is corrected and recorded.

use engine::{Effect, Engine};
use mapping::{Profiles, RawMessage};
use sim::wire::frame::{self, Channel, Samples};
use vitals::{
    DeviceId, Action, Actor, EffectiveTime, Event, Message, Origin, PatientId, Protocol, ReceiveTime,
    Role, WaveRun,
};

/// 2026-01-01T00:00:00Z, µs since 1970.
const BEGIN_US: i64 = 1_767_225_600_000_000;
/// Samples of a frame: ten seconds.
const SAMPLES: usize = 625;
/// Frames of a week.
const WEEK: u64 = 7 * 86_400 / 10;

/// A monitor whose frames of ten seconds take `frame_us` by its own clock.
struct Play {
    engine: Engine,
    profiles: Profiles,
    frame_us: i64,
    entries: u64,
    counts: Vec<i32>,
}

impl Play {
    fn new(frame_us: i64) -> Self {
        let (profiles, _) = Profiles::compile(&[]);
        let engine = Engine::new(alert::Policy::built_in());
        let mut play = Self { engine, profiles, frame_us, entries: 0, counts: Vec::new() };
        let actor = Actor { name: "kim".into(), role: Role::Nurse };
        let since = Some(EffectiveTime(BEGIN_US - 1_000_000));
        let device = DeviceId::new("weekly").expect("an id");
        play.step(ReceiveTime(BEGIN_US), &Event::Action(actor, Action::Associate { device, patient: patient(), since }));
        play
    }

    fn step(&mut self, at: ReceiveTime, event: &Event) -> Vec<WaveRun> {
        let mut out = Vec::new();
        self.engine.step(self.entries, at, event, &mut out);
        self.entries += 1;
        let runs = out.into_iter().filter_map(|effect| match effect {
            Effect::Samples(_, run) => Some(run),
            _ => None,
        });
        runs.collect()
    }

    /// Frame `number`: what became of its samples.
    fn frame(&mut self, number: u64) -> Vec<WaveRun> {
        self.counts.clear();
        self.counts.extend((0..SAMPLES).map(|at| ((number as usize * SAMPLES + at) % 97) as i32));
        let time_us = BEGIN_US + number as i64 * self.frame_us;
        let channel = Channel {
            metric: 151_724,
            channel: 0,
            rate: (125, 2),
            delay_us: 0,
            quality: 0,
            scale: 0.1,
            offset: 0.0,
            samples: Samples::Counts(&self.counts),
        };
        let mut payload = Vec::new();
        frame::encode(&mut payload, number as u32, time_us, &[channel]);
        let received = ReceiveTime(time_us + self.frame_us + 20_000 + (number as i64 * 7_919) % 40_000);
        let topic = "vitalwire/weekly/waveform";
        let mapped = self.profiles.map(&RawMessage { topic, payload: &payload, content_type: None, received });
        assert!(mapped.problems.is_empty(), "{:?}", mapped.problems);
        let message = Message {
            origin: Origin {
                protocol: Protocol::Mqtt,
                address: topic.to_owned(),
                sender: "weekly".to_owned(),
                message_id: String::new(),
                profile: "native".into(),
            },
            received,
            time_base: mapped.time_base,
            payload,
            content: mapped.content,
            problems: Vec::new(),
        };
        self.step(received, &Event::Message(message))
    }

    /// What did not fit, and the drift in parts per million.
    fn found(&self) -> (Vec<(String, u64)>, Option<i32>) {
        let waves = self.engine.waves(&patient()).expect("a channel was heard");
        assert_eq!(waves.channels.len(), 1);
        (waves.channels[0].counted.clone(), waves.channels[0].line.drift_ppm())
    }
}

fn patient() -> PatientId {
    PatientId::from_identifier("urn:mrn", "w")
}

#[test]
fn a_week_of_62_5_hz_ends_on_the_microsecond() {
    let mut play = Play::new(10_000_000);
    let mut samples = 0;
    for number in 0..WEEK {
        for run in play.frame(number) {
            assert_eq!((run.anchor.0, run.first), (BEGIN_US, samples), "one stretch, counted on");
            assert_eq!((run.rate.numerator(), run.rate.denominator()), (125, 2));
            samples += run.samples.len() as u64;
            assert_eq!(run.end().0, BEGIN_US + (number + 1) as i64 * 10_000_000);
        }
    }
    assert_eq!(samples, WEEK * SAMPLES as u64);
    assert_eq!(play.found(), (Vec::new(), None));
}

/// The sampling clock is slow by 50 parts per million: 30 s in a week.
#[test]
fn a_drift_of_50_parts_per_million_is_corrected_and_recorded() {
    let mut play = Play::new(10_000_500);
    let (mut samples, mut stretches, mut anchor) = (0, 0_u64, None);
    for number in 0..WEEK {
        for run in play.frame(number) {
            samples += run.samples.len() as u64;
            if anchor != Some(run.anchor) {
                (anchor, stretches) = (Some(run.anchor), stretches + 1);
            }
            let off_us = run.end().0 - (BEGIN_US + (number + 1) as i64 * 10_000_500);
            assert!(off_us.abs() <= 48_000, "frame {number} is off by {off_us} µs: three samples");
        }
    }
    assert_eq!(samples, WEEK * SAMPLES as u64, "corrected, not dropped");
    let (counted, drift_ppm) = play.found();
    let corrected = counted.iter().find(|(reason, _)| reason == "wave-drift-corrected").map_or(0, |(_, n)| *n);
    assert_eq!(corrected, stretches - 1, "{counted:?}");
    assert!(corrected > 500, "{corrected} corrections");
    assert_eq!(counted.len(), 1, "{counted:?}");
    let drift_ppm = drift_ppm.expect("recorded");
    assert!((35..=65).contains(&drift_ppm), "{drift_ppm}");
    println!("{corrected} corrections in a week, last {drift_ppm} ppm");
}
