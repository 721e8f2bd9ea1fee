//! An edge, its spool and its centre with a network between them that is cut, loses, repeats and
//! delays, and with crashes on both sides: 200 seeds. Whatever happens, each value arrives once and
//! in order, and each episode is one alert (DU-1, AL-1). A failure prints its seed.

use std::collections::BTreeMap;

use alert::{ChangeKind, ConditionKey, Policy};
use edge::{Batch, Health, Piece, Ready, Spool};
use engine::{AlertRecord, Effect, Engine};
use vitals::metric::code;
use vitals::time::SECOND;
use vitals::{
    Content, DeviceId, DeviceTime, Event, Identifier, Measurement, Message, MetricCode, Origin,
    Passed, PassedAlert, PassedScore, PatientId, PatientRef, Point, Protocol, Quality, Reading, ReceiveTime,
    Relayed, SeriesId, TimeBase, Value,
};

const BEGIN_S: i64 = 1_767_225_600;
const CASES: u64 = 200;
/// Seconds that devices speak, and seconds until all is delivered.
const SPEAKS: i64 = 420;
const ENDS: i64 = 520;

struct Lots(u64);

impl Lots {
    fn next(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea, Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
    fn within(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below((to - from) as u64)).expect("small")
    }
    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

fn patient() -> PatientRef {
    let identifier = Identifier { system: "urn:mrn".into(), value: "1".into(), kind: "MR".into() };
    PatientRef { id: PatientId::from_identifier("urn:mrn", "1"), identifiers: vec![identifier], name: None }
}

/// What the monitor says at a second: well, ill from `from` to `to`, well again.
fn values(second: i64, (from, to): (i64, i64)) -> [(MetricCode, f64); 3] {
    let ill = (from..to).contains(&second);
    // Distinct values, so that a mistaken order shows.
    let wave = (second % 3) as f64;
    if ill {
        [(code::HEART_RATE, 128.0 + wave), (code::RESP_RATE, 30.0), (code::SPO2, 84.0)]
    } else {
        [(code::HEART_RATE, 78.0 + wave), (code::RESP_RATE, 15.0), (code::SPO2, 97.0)]
    }
}

fn message(at: i64, values: &[(MetricCode, f64)]) -> Message {
    let measurements = values.iter().map(|(metric, value)| Measurement {
        metric: *metric,
        value: Value::Numeric(*value),
        unit: metric.metric().expect("known").unit,
        device_time: Some(DeviceTime(at)),
        quality: Quality::empty(),
        channel: 0,
    });
    let reading = Reading {
        device: DeviceId::new("m1").expect("valid"),
        patient: Some(patient()),
        measurements: measurements.collect(),
    };
    Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: "vitalwire/m1/measurements".into(),
            sender: "m1".into(),
            message_id: String::new(),
            profile: "native".into(),
        },
        received: ReceiveTime(at),
        time_base: TimeBase::Live,
        payload: vec![1, 2, 3],
        content: vec![Content::Reading(reading)],
        problems: Vec::new(),
    }
}

fn clinical(record: &AlertRecord) -> bool {
    !matches!(record.episode.condition, ConditionKey::Gap(_))
}

/// The edge: a journal, an engine, and what its store keeps of alerts.
struct Near {
    engine: Engine,
    journal: Vec<(i64, Event)>,
    alerts: Vec<(u64, AlertRecord)>,
    /// The series of the early-warning score, and its points.
    series: Option<SeriesId>,
    scores: Vec<(u64, PassedScore)>,
}

impl Near {
    fn step(&mut self, at: i64, event: Event) {
        let offset = self.journal.len() as u64;
        let mut out = Vec::new();
        self.engine.step(offset, ReceiveTime(at), &event, &mut out);
        self.journal.push((at, event));
        for effect in out {
            match effect {
                Effect::Alert(record) => self.alerts.push((offset, *record)),
                Effect::SeriesOpened(id, key) if key.metric == code::NEWS2 => self.series = Some(id),
                Effect::Point(id, point) if Some(id) == self.series => {
                    let patient = PatientId::from_identifier("urn:mrn", "1");
                    let (at, received, value) = (point.time, point.received, point.value);
                    self.scores.push((offset, PassedScore { patient, metric: code::NEWS2, at, received, value }));
                }
                _ => {}
            }
        }
    }

    /// Everything from a journal position on, as pieces.
    fn pieces(&self, from: u64) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (offset, (at, event)) in self.journal.iter().enumerate().skip(from as usize) {
            if let Event::Message(message) = event {
                pieces.push(Piece { at: *at, what: Passed::Message(Box::new(message.clone())) });
            }
            for (_, record) in self.alerts.iter().filter(|(of, _)| *of == offset as u64) {
                let alert = PassedAlert {
                    episode: record.episode.id,
                    patient: record.patient.clone(),
                    because: vec![code::SPO2],
                    record: serde_json::to_string(record).expect("a record"),
                };
                pieces.push(Piece { at: *at, what: Passed::Alert(Box::new(alert)) });
            }
            let scores = self.scores.iter().filter(|(of, _)| *of == offset as u64);
            pieces.extend(scores.map(|(_, score)| Piece { at: *at, what: Passed::Score(score.clone()) }));
        }
        pieces
    }
}

/// The centre: a journal, an engine, what it concluded; and a checkpoint.
struct Far {
    engine: Engine,
    journal: Vec<(i64, Event)>,
    effects: Vec<(u64, Effect)>,
    checkpoint: (Vec<(String, Vec<u8>)>, usize, usize),
}

impl Far {
    fn step(&mut self, at: i64, event: Event) {
        let offset = self.journal.len() as u64;
        let mut out = Vec::new();
        self.engine.step(offset, ReceiveTime(at), &event, &mut out);
        self.journal.push((at, event));
        self.effects.extend(out.into_iter().map(|effect| (offset, effect)));
    }

    fn check(&mut self) {
        self.checkpoint = (self.engine.whole_state(), self.journal.len(), self.effects.len());
    }

    /// Killed: what was concluded since the checkpoint is concluded again.
    fn crash(&mut self) {
        let (state, entries, effects) = self.checkpoint.clone();
        let mut engine = Engine::new(Policy::built_in());
        engine.restore(state).expect("it was just written");
        self.engine = engine;
        self.effects.truncate(effects);
        let again = self.journal.split_off(entries);
        for (at, event) in again {
            self.step(at, event);
        }
    }

    fn take(&mut self, now: i64, batch: &Batch) {
        for (number, bytes) in &batch.pieces {
            let what = Batch::read_piece(bytes).expect("well-formed");
            let edge = DeviceId::new("edge-1").expect("valid");
            let relayed = Relayed { edge, spool: batch.spool, line: batch.line, number: *number, what };
            self.step(now, Event::Relayed(relayed));
        }
    }

    fn alerts(&self) -> Vec<&AlertRecord> {
        let all = self.effects.iter().filter_map(|(_, effect)| match effect {
            Effect::Alert(record) => Some(&**record),
            _ => None,
        });
        all.filter(|record| clinical(record)).collect()
    }
}

/// One run: what happened near and far.
fn run(seed: u64) -> (Near, Far, (i64, i64)) {
    let mut lots = Lots(seed);
    // In memory where there is such a folder: crashes here are of the program, not of the machine.
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let folder = folder.expect("a folder");
    let file = folder.path().join("spool.db");
    let open = || Spool::open(&file, None, 77 + seed, 64 << 20).expect("opens");
    let mut spool = open();
    let mut near = Near {
        engine: Engine::new(Policy::built_in()),
        journal: Vec::new(),
        alerts: Vec::new(),
        series: None,
        scores: Vec::new(),
    };
    let mut far = Far {
        engine: Engine::new(Policy::built_in()),
        journal: Vec::new(),
        effects: Vec::new(),
        checkpoint: (Vec::new(), 0, 0),
    };
    let begins = lots.within(40, 200);
    let ill = (begins, begins + lots.within(30, 150));
    let cut_at = lots.within(20, 320);
    let cut = (cut_at, (cut_at + lots.within(2, 260)).min(ENDS - 40));
    let mut delayed: Vec<(i64, Batch)> = Vec::new();
    far.check();
    for half in 0..ENDS * 2 {
        let (second, at) = (half / 2, BEGIN_S * SECOND + half * SECOND / 2);
        near.step(at, Event::Tick);
        far.step(at, Event::Tick);
        if half % 2 == 1 && second < SPEAKS {
            near.step(at + 1_000, Event::Message(message(at + 1_000, &values(second, ill))));
        }
        if lots.chance(3) {
            drop(std::mem::replace(&mut spool, open()));
        }
        let pieces = near.pieces(spool.cursor());
        if !pieces.is_empty() && !lots.chance(5) {
            spool.take(&pieces, near.journal.len() as u64).expect("the disk takes it");
        }
        if lots.chance(2) {
            far.crash();
        }
        if lots.chance(5) {
            far.check();
        }
        if (cut.0..cut.1).contains(&second) {
            continue;
        }
        let now = at + 2_000;
        delayed.retain(|(due, batch)| {
            if *due <= now {
                far.take(now, batch);
            }
            *due > now
        });
        for _ in 0..lots.below(4) {
            let Some(Ready { line, pieces }) = spool.next(4_096).expect("reads") else { break };
            let batch = Batch {
                spool: spool.id(), line, sent_at: at, pieces, health: Health::default(),
            };
            let read = Batch::read(&batch.write()).expect("reads back");
            if lots.chance(10) {
                break;
            }
            far.take(now, &read);
            if lots.chance(10) {
                delayed.push((now + lots.within(1, 40) * SECOND, read.clone()));
            }
            if lots.chance(10) {
                break;
            }
            spool.done(line, batch.pieces.iter().map(|(number, _)| *number)).expect("the disk takes it");
        }
    }
    assert_eq!(spool.fill().pieces, [0; 3], "seed {seed}: all is delivered");
    (near, far, cut)
}

/// Episodes by name: how many changes of each kind.
fn raised(records: &[&AlertRecord]) -> BTreeMap<String, usize> {
    let mut groups = BTreeMap::new();
    for record in records.iter().filter(|record| record.kind == ChangeKind::Raised) {
        *groups.entry(record.episode.group.clone()).or_default() += 1;
    }
    groups
}

/// The edge's scores that the centre kept.
fn scores(far: &Far) -> Vec<Point> {
    let (mut series, mut kept) = (None, Vec::new());
    for (_, effect) in &far.effects {
        match effect {
            Effect::SeriesOpened(id, key) if key.device.as_str() == "edge-1" => series = Some(*id),
            Effect::Point(id, point) if Some(*id) == series => kept.push(*point),
            _ => {}
        }
    }
    kept
}

/// Scores of the time of a cut are the edge's, once, in order, and marked.
fn check_scores(seed: u64, near: &Near, far: &Far, cut_us: (i64, i64)) {
    let kept = scores(far);
    assert!(kept.iter().all(|point| point.quality.contains(Quality::LATE | Quality::DERIVED)), "seed {seed}");
    let is = |score: &PassedScore, point: &Point| score.at == point.time && score.value == point.value;
    let mut said = near.scores.iter();
    for point in &kept {
        assert!(said.any(|(_, score)| is(score, point)), "seed {seed}: scores that the edge said, once and in order");
    }
    let held = |score: &PassedScore| score.received.0 > cut_us.0 && score.received.0 + 11 * SECOND < cut_us.1;
    for (_, score) in near.scores.iter().filter(|(_, score)| held(score)) {
        assert!(kept.iter().any(|point| is(score, point)), "seed {seed}: a score of the time of the cut is at the centre");
    }
}

#[test]
fn two_hundred_cuts_lose_nothing_repeat_nothing_and_raise_no_second_alert() {
    for seed in 0..CASES {
        let (near, far, cut) = run(seed);
        let sent: Vec<f64> = near.journal.iter().filter_map(|(_, event)| {
            let (_, _, first) = event.message()?.readings().next()?;
            match first.value {
                Value::Numeric(value) => Some(value),
                _ => None,
            }
        }).collect();
        let mut series = None;
        let mut arrived = Vec::new();
        for (_, effect) in &far.effects {
            match effect {
                Effect::SeriesOpened(id, key) if key.metric == code::HEART_RATE => series = Some(*id),
                Effect::Point(id, point) if Some(*id) == series => arrived.push(*point),
                _ => {}
            }
        }
        let values: Vec<f64> = arrived.iter().map(|point| point.value).collect();
        assert_eq!(values, sent, "seed {seed}: values once and in order");
        assert!(arrived.is_sorted_by_key(|point| point.time), "seed {seed}");
        let cut_us = |second: i64| (BEGIN_S + second) * SECOND;
        check_scores(seed, &near, &far, (cut_us(cut.0), cut_us(cut.1)));
        for point in &arrived {
            let held = point.received.0 > cut_us(cut.0) && point.received.0 + 11 * SECOND < cut_us(cut.1);
            if held {
                assert!(point.quality.contains(Quality::LATE), "seed {seed}: held back and not marked");
            }
        }
        let theirs: Vec<&AlertRecord> =
            near.alerts.iter().map(|(_, record)| record).filter(|record| clinical(record)).collect();
        let ours = far.alerts();
        assert!(!raised(&theirs).is_empty(), "seed {seed}: there was something to raise");
        assert_eq!(raised(&ours), raised(&theirs), "seed {seed}, cut {cut:?}: one episode, one alert\nnear {:?}\nfar {:?}", told(&theirs), told(&ours));
        let ends = |records: &[&AlertRecord]| {
            records.iter().filter(|record| record.kind == ChangeKind::Resolved).count()
        };
        assert_eq!(ends(&ours), ends(&theirs), "seed {seed}: and one end\nnear {:?}\nfar {:?}", told(&theirs), told(&ours));
    }
}

fn told(records: &[&AlertRecord]) -> Vec<(i64, &'static str, String)> {
    let of = |record: &&AlertRecord| {
        (record.at.0 / SECOND - BEGIN_S, record.kind.name(), record.episode.group.clone())
    };
    records.iter().map(of).collect()
}
