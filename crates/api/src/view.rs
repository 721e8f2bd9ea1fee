//! From what the engine knows to the shapes that clients see.

use alert::{ConditionKey, Episode, EpisodeState};
use engine::{AlertRecord, Current, DeviceLine, PatientView};
use live::Live;
use score::{Band, Part, PartState, Score};
use vitals::{LinkState, Location, MetricCode, Patient, Sex};

use crate::{dto, waves};

/// Metrics that a tile shows first, in this order.
const FIRST: [&str; 12] = [
    "MDC_ECG_HEART_RATE",
    "MDC_PULS_OXIM_PULS_RATE",
    "MDC_PULS_OXIM_SAT_O2",
    "MDC_RESP_RATE",
    "MDC_PRESS_BLD_ART_ABP_SYS",
    "MDC_PRESS_BLD_ART_ABP_DIA",
    "MDC_PRESS_BLD_NONINV_SYS",
    "MDC_PRESS_BLD_NONINV_DIA",
    "MDC_TEMP_BODY",
    "VW_CONSCIOUSNESS",
    "VW_SUPPLEMENTAL_OXYGEN",
    "MDC_AWAY_CO2_ET",
];

/// Whether a patient belongs on the ward page: in a bed, or with a device.
#[must_use]
pub fn on_ward(view: &PatientView) -> bool {
    view.location.is_some() || !view.devices.is_empty()
}

/// A patient's tile.
#[must_use]
pub fn tile(view: &PatientView, now_us: i64) -> dto::Tile {
    let clock = if view.recorded { view.clock } else { now_us };
    let mut values: Vec<dto::CurrentValue> =
        view.values.iter().map(|current| value(current, view, clock)).collect();
    values.sort_by_key(|value| {
        FIRST.iter().position(|metric| *metric == value.metric).unwrap_or(FIRST.len())
    });
    let score = view.scores.iter().find(|(metric, _)| *metric == view.primary);
    dto::Tile {
        patient: patient(&view.patient, view.age_years),
        location: view.location.as_ref().map(location),
        values,
        score: score.map(|(metric, score)| self::score(*metric, score, view)),
        risk: crate::foresight::raised(view, clock),
        alarm: alarm(&view.alerts),
        devices: view
            .devices
            .iter()
            .map(|(id, name, link, silent)| dto::DeviceBrief {
                id: id.to_string(),
                name: name.clone(),
                link: link_name(*link, *silent).to_owned(),
            })
            .collect(),
        recorded: view.recorded,
        waves: !view.waves.is_empty(),
        rhythm: view.rhythm.map(|(code, _)| waves::rhythm(code).to_owned()),
    }
}

/// A patient in one line.
#[must_use]
pub fn patient(patient: &Patient, age_years: Option<f64>) -> dto::PatientBrief {
    let name = &patient.name;
    let full = [name.family.as_str(), name.given.as_str()];
    let record = patient.identifiers.iter().find(|identifier| identifier.kind == "MR");
    let record = record.or(patient.identifiers.first());
    dto::PatientBrief {
        id: patient.id.to_string(),
        name: full.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "),
        mrn: record.map(|identifier| identifier.value.clone()).unwrap_or_default(),
        birth_date: patient.birth_date.clone(),
        age_years: age_years.map(|age| age as u32),
        sex: match patient.sex {
            Sex::Male => "male",
            Sex::Female => "female",
            Sex::Other => "other",
            Sex::Unknown => "unknown",
        }
        .to_owned(),
    }
}

/// A place in one line.
#[must_use]
pub fn location(location: &Location) -> dto::LocationBrief {
    dto::LocationBrief {
        id: location.id.to_string(),
        unit: location.bed.unit.clone(),
        name: location.name.clone(),
    }
}

fn value(current: &Current, view: &PatientView, clock: i64) -> dto::CurrentValue {
    let row = current.metric.metric();
    let state = if !current.quality.usable() {
        dto::ValueState::Doubtful
    } else if view.recorded {
        dto::ValueState::Recorded
    } else if clock >= current.stale_at {
        dto::ValueState::Stale
    } else {
        dto::ValueState::Live
    };
    let primary = view.scores.iter().find(|(metric, _)| *metric == view.primary);
    let points = primary.and_then(|(_, score)| {
        score.parts.iter().find(|part| taken(part, view) == current.metric)?.points
    });
    dto::CurrentValue {
        metric: current.metric.refid(),
        label: row.map_or_else(|| current.metric.refid(), |row| row.label.to_owned()),
        name: row.map_or_else(|| current.metric.refid(), |row| row.name.to_owned()),
        value: (!current.value.is_nan()).then_some(current.value),
        text: text(current.metric, current.value, current.text.as_deref()),
        unit: row.map_or("", |row| row.unit.display()).to_owned(),
        decimals: row.map_or(0, |row| row.decimals),
        time_ms: current.time.millis(),
        received_ms: current.received.millis(),
        state,
        stale_at_ms: current.stale_at.div_euclid(1_000),
        flags: current.quality.names(),
        reading: current.reading.to_string(),
        device: current.device.to_string(),
        points,
        limits: limits(view, current.metric),
    }
}

/// The limits in force of one metric.
#[must_use]
pub fn limits(view: &PatientView, metric: MetricCode) -> Option<dto::Limits> {
    let limit = view.limits.iter().find(|limit| limit.metric == metric)?;
    let own = view.own_limits.contains(&metric);
    let followed = view.followed.iter().any(|limit| limit.metric == metric);
    Some(dto::Limits {
        low: limit.low,
        high: limit.high,
        source: match (own, followed) {
            (true, _) => "patient",
            (false, true) => "own-normal",
            (false, false) => "policy",
        }
        .to_owned(),
    })
}

/// The text of a value: its own, else the word for an enumeration's number.
#[must_use]
pub fn text(metric: MetricCode, value: f64, own: Option<&str>) -> Option<String> {
    own.filter(|text| !text.is_empty()).or_else(|| engine::word(metric, value)).map(str::to_owned)
}

/// The metric that a part of a score was taken from: the heart rate may stand for the pulse. The one
/// with the value that was used; else the first that there is.
fn taken(part: &Part, view: &PatientView) -> MetricCode {
    let sources = engine::sources(part.metric);
    let of = |metric: &MetricCode| view.values.iter().find(|current| current.metric == *metric);
    let same = |metric: &&MetricCode| of(metric).is_some_and(|c| Some(c.value) == part.value);
    let found = sources.iter().find(same).or_else(|| sources.iter().find(|m| of(m).is_some()));
    found.copied().unwrap_or(part.metric)
}

fn label(metric: MetricCode) -> String {
    metric.metric().map_or_else(String::new, |row| row.label.to_owned())
}

/// A score with its parts and recent past.
#[must_use]
pub fn score(metric: MetricCode, score: &Score, view: &PatientView) -> dto::ScoreView {
    let trend = view.trends.iter().find(|trend| trend.metric == metric);
    dto::ScoreView {
        name: score.name.to_owned(),
        value: score.value,
        complete: score.complete,
        band: match score.band {
            Band::None => "none",
            Band::Low => "low",
            Band::LowMedium => "low-medium",
            Band::Medium => "medium",
            Band::High => "high",
        }
        .to_owned(),
        response: score.response.to_owned(),
        note: score.note.to_owned(),
        source: score.source.to_owned(),
        parts: score
            .parts
            .iter()
            .map(|part| dto::ScorePart {
                metric: taken(part, view).refid(),
                label: label(taken(part, view)),
                value: part.value,
                points: part.points,
                state: match part.state {
                    PartState::Used => "used",
                    PartState::Missing => "missing",
                    PartState::Aged => "aged",
                    PartState::Undecided => "undecided",
                }
                .to_owned(),
            })
            .collect(),
        trend: trend
            .map(|trend| {
                trend.points.iter().map(|(time, value)| (time.div_euclid(1_000), *value)).collect()
            })
            .unwrap_or_default(),
        time_ms: view.scored_at.div_euclid(1_000),
    }
}

fn alarm(open: &[Episode]) -> dto::AlarmSummary {
    // What sounds goes before what somebody has, then the more urgent, then the older.
    let first = open.iter().max_by_key(|episode| {
        (episode.priority, episode.state.sounding(), std::cmp::Reverse(episode.raised_at))
    });
    dto::AlarmSummary {
        priority: first.map_or("none", |episode| episode.priority.name()).to_owned(),
        count: u32::try_from(open.len()).unwrap_or(u32::MAX),
        title: first.map(|episode| episode.title.clone()).unwrap_or_default(),
        episode: first.map(|episode| episode.id.to_string()).unwrap_or_default(),
        since_ms: first.map(|episode| episode.raised_at.div_euclid(1_000)),
        acknowledged: !open.is_empty() && open.iter().all(|episode| !episode.state.sounding()),
        sounding: open.iter().any(|episode| episode.state.sounding()),
    }
}

/// An alert.
#[must_use]
pub fn alert(record: &AlertRecord, live: &Live) -> dto::Alert {
    let episode = &record.episode;
    let view = live.patient(&record.patient);
    let place = record.location.as_ref();
    let locations = live.locations();
    dto::Alert {
        episode: episode.id.to_string(),
        condition: match &episode.condition {
            ConditionKey::Rule(id) => id.clone(),
            ConditionKey::Limit(metric) => format!("limit {}", metric.refid()),
            ConditionKey::Gap(_) => "silence".to_owned(),
            ConditionKey::Alarm(_) => "alarm".to_owned(),
        },
        title: episode.title.clone(),
        reason: episode.reason.clone(),
        priority: episode.priority.name().to_owned(),
        state: episode.state.name().to_owned(),
        patient: view.map(|view| patient(&view.patient, view.age_years)),
        location: place
            .and_then(|id| locations.iter().find(|location| location.id == *id))
            .map(location),
        device: record.device.as_ref().map(ToString::to_string),
        group: episode.group.clone(),
        raised_ms: episode.raised_at.div_euclid(1_000),
        changed_ms: record.at.millis(),
        resolved_ms: (episode.state == EpisodeState::Resolved).then(|| record.at.millis()),
        taken_by: episode.taken.as_ref().map(|taken| taken.by.clone()).unwrap_or_default(),
        quiet_until_ms: episode
            .taken
            .as_ref()
            .and_then(|taken| taken.until)
            .map(|until| until.div_euclid(1_000)),
        assigned: episode.assigned.name().to_owned(),
        escalates_ms: episode.escalates_at.map(|at| at.div_euclid(1_000)),
        level: episode.level,
        readings: episode.readings.iter().map(ToString::to_string).collect(),
    }
}

/// An open alert as the patient's view has it.
#[must_use]
pub fn open_alert(episode: &Episode, view: &PatientView, live: &Live) -> dto::Alert {
    let record = AlertRecord {
        episode: episode.clone(),
        kind: alert::ChangeKind::Raised,
        actor: String::new(),
        detail: String::new(),
        at: vitals::ReceiveTime(episode.changed_at),
        patient: view.patient.id.clone(),
        location: view.location.as_ref().map(|location| location.id.clone()),
        device: None,
    };
    self::alert(&record, live)
}

/// A connection in one word.
#[must_use]
pub fn link_name(link: LinkState, silent: bool) -> &'static str {
    match (link, silent) {
        (LinkState::Lost, _) => "lost",
        (_, true) => "silent",
        (LinkState::Online, false) => "online",
        (LinkState::Offline, false) => "offline",
    }
}

/// A device, as the devices page shows it.
#[must_use]
pub fn device(line: &DeviceLine, live: &Live) -> dto::DeviceView {
    let device = &line.device;
    let model = [device.manufacturer.as_str(), device.model.as_str()];
    let patient = line.patient.as_ref().and_then(|id| live.patient(id));
    let locations = live.locations();
    let place = device
        .location
        .as_ref()
        .and_then(|id| locations.iter().find(|location| location.id == *id));
    dto::DeviceView {
        id: device.id.to_string(),
        name: device.name.clone(),
        model: model.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "),
        serial: device.serial.clone(),
        version: device.version.clone(),
        link: link_name(line.link, line.silent).to_owned(),
        standing: if line.known || !line.associations.is_empty() { "known" } else { "announced" }
            .to_owned(),
        patient: patient.map(|view| self::patient(&view.patient, view.age_years)),
        on_patient: line.patient.is_some(),
        location: place.map(location),
        protocol: line.protocol.name().to_owned(),
        last_seen_ms: line.heard_at.map(vitals::ReceiveTime::millis),
        messages: line.messages,
        values: line.values,
        per_minute: (line.per_minute * 10.0).round() / 10.0,
        problems: line.problems,
        clock_offset_ms: line.ahead_us.map(|us| us.div_euclid(1_000)),
        clock: match line.clock {
            engine::ClockState::Unknown => "unknown",
            engine::ClockState::None => "none",
            engine::ClockState::Good => "good",
            engine::ClockState::Off => "off",
        }
        .to_owned(),
        battery: line.battery,
        delay_ms: line.delay_us.map(|us| us.div_euclid(1_000)),
        metrics: line.metrics.iter().map(|metric| metric.refid()).collect(),
    }
}
