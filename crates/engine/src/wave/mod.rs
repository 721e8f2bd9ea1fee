//! Waveforms: where the samples of a message belong, what the patient's channels say together, and
//! what becomes of that as values and alerts.
//!
//! Each patient, and each device that is on nobody, has its channels here; a patient's are analysed
//! by [`signal::bedside`]. A part of the engine's state holds them, so a restart goes on in the
//! middle of a beat.

mod analyse;
mod found;
mod timeline;

use serde::{Deserialize, Serialize};
use vitals::metric::code;
use vitals::time::SECOND;
use vitals::{
    DeviceId, EffectiveTime, Measurement, MetricCode, PatientId, Quality, Rate, SampleArray, Samples,
    Scale, SeriesId, TimeBase, WaveRun, WaveSamples,
};
use signal::WaveKind;
use signal::bedside::Bedside;

pub(crate) use analyse::Waiting;
pub use timeline::Timeline;

use crate::effect::Effect;
use crate::message::Source;
use crate::{Engine, Step};
use timeline::{Arrival, Placed};

/// Channels not heard for this long no longer have the passing of time analysed.
const FORGOTTEN: i64 = 60 * SECOND;

/// Whose channels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Patient(PatientId),
    Device(DeviceId),
}

impl Owner {
    /// As parts of the state are named.
    pub(crate) fn part(&self) -> String {
        match self {
            Self::Patient(id) => format!("waves/patient/{id}"),
            Self::Device(id) => format!("waves/device/{id}"),
        }
    }

    pub(crate) fn of_part(name: &str) -> Option<Self> {
        let (kind, id) = name.strip_prefix("waves/")?.split_once('/')?;
        match kind {
            "patient" => PatientId::new(id).ok().map(Self::Patient),
            "device" => DeviceId::new(id).ok().map(Self::Device),
            _ => None,
        }
    }
}

/// The waveforms of one patient, or of one device that is on nobody.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Waves {
    /// Channels, in order of appearance.
    pub channels: Vec<WaveChannel>,
    /// The rhythm that holds, by number, and since when.
    pub rhythm: Option<(u8, EffectiveTime)>,
    bedside: Bedside,
    /// When the rhythm was last kept as a value.
    rhythm_kept: i64,
    /// When a live sample last came, on our clock.
    heard_at: i64,
}

/// One waveform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaveChannel {
    /// Where its samples are kept.
    pub series: SeriesId,
    /// By which device.
    pub device: DeviceId,
    /// Of what.
    pub metric: MetricCode,
    /// Which of several like channels of the device.
    pub channel: u32,
    /// Its time line.
    pub line: Timeline,
    /// Signal quality, 0 to 100, and the number of the reason why it is bad (0: it is not).
    pub quality: Option<(u8, u8)>,
    /// What did not fit, by reason.
    pub counted: Vec<(String, u64)>,
    /// The scale of the last samples.
    scale: Scale,
    recorded: bool,
}

/// Which kind of waveform a metric is, for the analysis.
fn kind_of(metric: MetricCode) -> WaveKind {
    let Some(row) = metric.metric() else { return WaveKind::Other };
    match metric {
        code::PLETH => WaveKind::Pleth,
        code::ABP | code::ART => WaveKind::ArterialPressure,
        code::IMPEDANCE | code::RESP => WaveKind::Respiration,
        _ if row.refid.starts_with("MDC_ECG_ELEC_POTL") => WaveKind::Ecg,
        _ => WaveKind::Other,
    }
}

impl Engine {
    /// Takes in the samples of one measurement: places them, keeps them, and lets those of a patient
    /// wait for [`Engine::analyse_waiting`].
    pub(crate) fn samples(
        &mut self,
        source: &Source<'_>,
        (measurement, array): (&Measurement, &SampleArray),
        named: Option<&PatientId>,
        index: u16,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        if array.is_empty() {
            return;
        }
        let device = &source.reading.device;
        let (time, flags) = self.start_of(source, measurement, array);
        let (subject, _) = self.subject(device, named, time, out);
        let (metric, channel) = (measurement.metric, measurement.channel);
        let series = self.series_of(device, subject.as_ref(), metric, channel, out);
        let owner = match &subject {
            Some(patient) => {
                self.ensure_patient(patient);
                Owner::Patient(patient.clone())
            }
            None => Owner::Device(device.clone()),
        };
        let recorded = source.message.time_base == TimeBase::Recorded;
        let quality = measurement.quality | flags;
        let arrival = Arrival {
            time: time.0,
            own_clock: !flags.intersects(Quality::NO_DEVICE_TIME | Quality::CLOCK_CORRECTED),
            received: (!recorded).then_some(source.message.received.0),
            sequence: array.sequence,
            rate: array.rate,
            count: array.len() as u64,
        };
        let array = array.resolve(&source.message.payload);
        let waves = self.waves.entry(owner.clone()).or_default();
        let at = waves.channel(series, device, (metric, channel), array.scale);
        let line = &mut waves.channels[at];
        if line.recorded != recorded {
            (line.recorded, line.line) = (recorded, Timeline::default());
        }
        let mut placed = line.line.place(&arrival);
        if !line.scale.is_same_gain(&array.scale) {
            placed.counted.push(("wave-gain-changed", 1));
        }
        line.scale = array.scale;
        line.count(&placed, out);
        let run = |samples, anchor, first| WaveRun {
            anchor: EffectiveTime(anchor),
            rate: array.rate,
            first,
            scale: array.scale,
            samples,
            received: source.message.received,
            offset: cx.offset,
            index,
            quality,
        };
        // A recording that is added while the patient is heard is kept, not taken for the present.
        let beside_live = recorded && self.now.0.saturating_sub(waves.heard_at) < FORGOTTEN;
        if !recorded {
            waves.heard_at = self.now.0;
        }
        self.touch_waves(&owner);
        let shown = subject.as_ref().is_some_and(|id| {
            self.touch_patient(id);
            let time = EffectiveTime(arrival.time);
            let state = self.patients.get_mut(id);
            state.is_some_and(|state| state.advance(time, self.now, source.message.time_base))
        });
        for part in &placed.parts {
            let samples = slice(&array.samples, part.from as usize, part.to as usize);
            let run = run(samples, part.anchor, part.first);
            out.push(Effect::Samples(series, run.clone()));
            if let Some(patient) = subject.clone().filter(|_| part.newest && !beside_live) {
                self.waiting.push(Waiting { patient, channel: at, run, begins: part.begins, shown });
            }
        }
    }

    /// When the first sample was true. Without a time of the device: so long before the message came
    /// as its samples last.
    fn start_of(
        &self,
        source: &Source<'_>,
        measurement: &Measurement,
        array: &SampleArray,
    ) -> (EffectiveTime, Quality) {
        let (time, flags) = self.time_of(source, measurement.device_time);
        if measurement.device_time.is_some() {
            return (time, flags);
        }
        (time.plus(-array.rate.micros(array.len() as u64)), flags)
    }

    /// Time passes: channels that have fallen silent are seen to be so.
    pub(crate) fn pass_time(&mut self, cx: &mut Step, out: &mut Vec<Effect>) {
        let now = self.now.0;
        let mut judge = Vec::new();
        let listening: Vec<PatientId> = self
            .waves
            .iter()
            .filter(|(_, waves)| now.saturating_sub(waves.heard_at) < FORGOTTEN)
            .filter_map(|(owner, _)| match owner {
                Owner::Patient(id) => Some(id.clone()),
                Owner::Device(_) => None,
            })
            .collect();
        for id in listening {
            let owner = Owner::Patient(id.clone());
            if let Some(waves) = self.waves.get_mut(&owner) {
                waves.bedside.pass(now, &mut self.findings);
            }
            if self.findings.is_empty() {
                continue;
            }
            self.touch_waves(&owner);
            if self.take_findings(&id, true, cx, out) {
                judge.push(id);
            }
        }
        for id in judge {
            self.judge_patient(&id, cx, out);
        }
    }

    /// The patient is another one: what comes next goes to that one's channels.
    pub(crate) fn forget_waves(&mut self, patient: &PatientId) {
        let owner = Owner::Patient(patient.clone());
        if self.waves.remove(&owner).is_some() {
            self.touch_waves(&owner);
        }
    }

    /// The waveforms of a patient.
    #[must_use]
    pub fn waves(&self, patient: &PatientId) -> Option<&Waves> {
        self.waves.get(&Owner::Patient(self.directory.resolve(patient).clone())).map(|waves| &**waves)
    }
}

impl Waves {
    fn channel(
        &mut self,
        series: SeriesId,
        device: &DeviceId,
        (metric, channel): (MetricCode, u32),
        scale: Scale,
    ) -> usize {
        if let Some(at) = self.channels.iter().position(|known| known.series == series) {
            return at;
        }
        self.channels.push(WaveChannel {
            series,
            device: device.clone(),
            metric,
            channel,
            line: Timeline::default(),
            quality: None,
            counted: Vec::new(),
            scale,
            recorded: false,
        });
        self.channels.len() - 1
    }
}

impl WaveChannel {
    /// The rate of the stretch that lasts.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        self.line.rate()
    }

    fn count(&mut self, placed: &Placed, out: &mut Vec<Effect>) {
        for (reason, number) in &placed.counted {
            out.push(Effect::Counted(reason));
            match self.counted.iter_mut().find(|(known, _)| known == reason) {
                Some((_, count)) => *count += number,
                None => self.counted.push(((*reason).to_owned(), *number)),
            }
        }
    }
}

/// Samples `from .. to`; what could not be read from a payload has been resolved before.
fn slice(samples: &Samples, from: usize, to: usize) -> WaveSamples {
    match samples {
        Samples::Counts(counts) => WaveSamples::Counts(counts[from..to].into()),
        Samples::Real(values) => WaveSamples::Real(values[from..to].into()),
        Samples::InPayload { .. } => WaveSamples::Counts([].into()),
    }
}
