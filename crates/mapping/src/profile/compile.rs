//! From a profile file to rules: every key is checked here, so that nothing can surprise later.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use vitals::{Metric, Quality, Unit};

use super::ProfileError;
use super::node::{self, Kind, Node};
use super::path::{Condition, Path};
use super::reader::{Table, nearest};
use super::rules::{
    ChannelRule, DeviceRule, DeviceSource, MeasurementRule, MetricRule, PatientRule, Profile,
    QualityRule, TimeRule, UnitRule, quality_from_text,
};
use crate::payload::Format;
use crate::time::TimeFormat;
use crate::topic::TopicFilter;
use crate::{metric_from_text, unit_from_text};

/// Where uplinks come in: our HTTP route, The Things Stack's MQTT topics, ChirpStack's.
const LORAWAN_TOPICS: [&str; 4] =
    ["lorawan/{integration}/up", "v3/+/devices/+/up", "application/+/device/+/event/up", "application/+/device/+/event/status"];

type Checked<T> = Result<T, ProfileError>;

/// What stands in the TOML file beside a template pair.
pub(crate) struct Companion {
    pub(crate) name: Option<String>,
    pub(crate) filters: Vec<TopicFilter>,
}

pub(super) fn companion(file: &str, text: &str) -> Checked<Companion> {
    let root = node::parse(file, text)?;
    let table = Table::new(file, "", &root, &["name", "topic"])?;
    Ok(Companion { name: table.text("name")?.map(str::to_owned), filters: filters(table)? })
}

pub(super) fn profile(file: &str, text: &str) -> Checked<Profile> {
    let root = node::parse(file, text)?;
    let table = Table::new(
        file,
        "",
        &root,
        &["name", "description", "format", "decoder", "csv", "recorded", "id", "match", "device", "time", "patient", "measurement"],
    )?;
    let matching = section(file, table, "match", &["topic", "payload"])?
        .ok_or_else(|| table.error("match", "missing: say which topics the profile is for"))?;
    let format = format(file, table)?;
    let mut filters = filters(matching)?;
    if filters.is_empty() {
        let usual: &[&str] = match format {
            Format::Lorawan => &LORAWAN_TOPICS,
            Format::Sparkplug => &["spBv1.0/#"],
            _ => &[],
        };
        filters = usual.iter().filter_map(|text| TopicFilter::parse(text).ok()).collect();
    }
    if filters.is_empty() {
        return Err(matching.error("topic", "missing: a topic filter such as `hospital/{device}/vitals`"));
    }
    let stem = file.rsplit('/').next().unwrap_or(file);
    let stem = stem.strip_suffix(".toml").or_else(|| stem.strip_suffix(".json")).unwrap_or(stem);
    let given = device(file, table, "", &filters)?;
    let device = given
        .or_else(|| standard(&format, "$.devEui", "$.id").map(|path| DeviceRule { source: DeviceSource::Path(path), prefix: String::new() }))
        .ok_or_else(|| table.error("device", "missing: say where the device id comes from"))?;
    let decoder = table.text("decoder")?.map(str::to_owned);
    if decoder.is_some() && format != Format::Lorawan {
        return Err(table.error("decoder", "needs format = \"lorawan\""));
    }
    let items = table
        .list("measurement")?
        .filter(|items| !items.is_empty())
        .ok_or_else(|| table.error("measurement", "missing: say at least one measurement"))?;
    let context = Context { file, filters: &filters, format: &format };
    let measurements =
        items.iter().enumerate().map(|(at, item)| context.measurement(at, item)).collect::<Checked<_>>()?;
    Ok(Profile {
        name: table.text("name")?.unwrap_or(stem).to_owned(),
        file: file.to_owned(),
        description: table.text("description")?.unwrap_or("").to_owned(),
        condition: condition(matching, "payload")?,
        recorded: table.flag("recorded")?.unwrap_or(false),
        id: path(table, "id")?.or_else(|| standard(&format, "$.uplink", "")),
        time: time(file, table, "")?.or_else(|| {
            let path = standard(&format, "$.time", "$.timestamp")?;
            let written = if format == Format::Sparkplug { "unix_ms" } else { "rfc3339" };
            Some(TimeRule { path, format: TimeFormat::from_name(written)?, zone: TimeZone::UTC })
        }),
        patient: patient(file, table)?,
        device,
        measurements,
        format,
        decoder,
        script: None,
        filters,
    })
}

/// Where an uplink or a Sparkplug message has something by itself, if the profile says nothing.
fn standard(format: &Format, lorawan: &str, sparkplug: &str) -> Option<Path> {
    match format {
        Format::Lorawan => Path::parse(lorawan).ok(),
        Format::Sparkplug => Path::parse(sparkplug).ok(),
        _ => None,
    }
}

/// A sub-table, with its known keys.
fn section<'a>(
    file: &'a str,
    table: Table<'a>,
    key: &'static str,
    known: &[&str],
) -> Checked<Option<Table<'a>>> {
    table.node(key).map(|node| Table::new(file, key, node, known)).transpose()
}

fn filters(table: Table<'_>) -> Checked<Vec<TopicFilter>> {
    table
        .texts("topic")?
        .into_iter()
        .map(|text| TopicFilter::parse(text).map_err(|message| table.error("topic", message)))
        .collect()
}

fn path(table: Table<'_>, key: &str) -> Checked<Option<Path>> {
    table
        .text(key)?
        .map(|text| Path::parse(text).map_err(|message| table.error(key, message)))
        .transpose()
}

fn needed(table: Table<'_>, key: &str) -> Checked<Path> {
    path(table, key)?.ok_or_else(|| table.error(key, "missing: a JSONPath into the payload"))
}

fn condition(table: Table<'_>, key: &str) -> Checked<Option<Condition>> {
    table
        .text(key)?
        .map(|text| Condition::parse(text).map_err(|message| table.error(key, message)))
        .transpose()
}

fn format(file: &str, table: Table<'_>) -> Checked<Format> {
    let csv = section(file, table, "csv", &["delimiter", "columns"])?;
    let format = match table.text("format")?.unwrap_or("json") {
        "json" => Format::Json,
        "cbor" => Format::Cbor,
        "number" => Format::Number,
        "text" => Format::Text,
        "lorawan" => Format::Lorawan,
        "sparkplug" => Format::Sparkplug,
        "csv" => {
            let delimiter = csv.map_or(Ok(None), |csv| csv.text("delimiter"))?.unwrap_or(",");
            let columns = csv.map_or(Ok(Vec::new()), |csv| csv.texts("columns"))?;
            let mut chars = delimiter.chars();
            let (Some(delimiter), None) = (chars.next(), chars.next()) else {
                return Err(table.error("csv", "the delimiter must be one character"));
            };
            let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
            Format::Csv { delimiter, columns: (!columns.is_empty()).then_some(columns) }
        }
        _ => return Err(table.error("format", format!("must be one of {}", Format::NAMES.join(", ")))),
    };
    if csv.is_some() && !matches!(format, Format::Csv { .. }) {
        return Err(table.error("csv", "needs format = \"csv\""));
    }
    Ok(format)
}

fn device(file: &str, table: Table<'_>, at: &str, filters: &[TopicFilter]) -> Checked<Option<DeviceRule>> {
    let Some(node) = table.node("device") else { return Ok(None) };
    let key = if at.is_empty() { "device".to_owned() } else { format!("{at}.device") };
    let inner = Table::new(file, &key, node, &["topic", "path", "constant", "prefix"])?;
    let source = match (inner.text("topic")?, path(inner, "path")?, inner.text("constant")?) {
        (Some(name), None, None) => {
            if let Some(filter) = filters.iter().find(|filter| !filter.names().any(|n| n == name)) {
                let message = format!("`{}` captures no `{{{name}}}`", filter.text());
                return Err(inner.error("topic", message));
            }
            DeviceSource::Topic(name.to_owned())
        }
        (None, Some(path), None) => DeviceSource::Path(path),
        (None, None, Some(text)) => DeviceSource::Constant(text.to_owned()),
        _ => return Err(table.error("device", "needs exactly one of topic, path and constant")),
    };
    Ok(Some(DeviceRule { source, prefix: inner.text("prefix")?.unwrap_or("").to_owned() }))
}

fn time(file: &str, table: Table<'_>, at: &str) -> Checked<Option<TimeRule>> {
    let Some(node) = table.node("time") else { return Ok(None) };
    let key = if at.is_empty() { "time".to_owned() } else { format!("{at}.time") };
    let inner = Table::new(file, &key, node, &["path", "format", "zone"])?;
    let name = inner.text("format")?.unwrap_or("rfc3339");
    let format = TimeFormat::from_name(name).ok_or_else(|| {
        let names = TimeFormat::NAMES.join(", ");
        inner.error("format", format!("must be one of {names}, or a strptime pattern such as %d.%m.%Y %H:%M:%S"))
    })?;
    let zone = match inner.text("zone")? {
        None => TimeZone::UTC,
        Some(name) => crate::time::zone(name)
            .ok_or_else(|| inner.error("zone", "not an IANA time zone such as Europe/Berlin"))?,
    };
    Ok(Some(TimeRule { path: needed(inner, "path")?, format, zone }))
}

fn patient(file: &str, table: Table<'_>) -> Checked<Option<PatientRule>> {
    let Some(inner) = section(file, table, "patient", &["path", "system"])? else { return Ok(None) };
    let system = inner
        .text("system")?
        .ok_or_else(|| inner.error("system", "missing: who hands out the identifier, as a URI"))?;
    Ok(Some(PatientRule { path: needed(inner, "path")?, system: system.to_owned() }))
}

/// What the rules of one file share.
struct Context<'a> {
    file: &'a str,
    filters: &'a [TopicFilter],
    format: &'a Format,
}

impl Context<'_> {
    fn measurement(&self, at: usize, node: &Node) -> Checked<MeasurementRule> {
        let key = format!("measurement[{at}]");
        let table = Table::new(
            self.file,
            &key,
            node,
            &[
                "metric", "loinc", "value", "each", "when", "required", "unit", "unit_path", "scale", "offset",
                "map", "channel", "channel_path", "quality", "time", "device", "rate",
            ],
        )?;
        let value = match path(table, "value")? {
            Some(path) => path,
            None if matches!(self.format, Format::Number | Format::Text) => {
                Path::parse("$").map_err(|message| table.error("value", message))?
            }
            None => return Err(table.error("value", "missing: a JSONPath to the value")),
        };
        let metric = metric(self.file, table, &key)?;
        let unit = unit(table)?;
        if let (MetricRule::Fixed(metric), UnitRule::Fixed(unit)) = (&metric, &unit)
            && metric.normalise(1.0, *unit).is_none()
        {
            let message = format!("{} is in {} and can't be in {}", metric.refid, metric.unit.ucum(), unit.ucum());
            return Err(table.error("unit", message));
        }
        Ok(MeasurementRule {
            each: path(table, "each")?,
            when: condition(table, "when")?,
            metric,
            value,
            required: table.flag("required")?.unwrap_or(false),
            unit,
            scale: table.number("scale")?.unwrap_or(1.0),
            offset: table.number("offset")?.unwrap_or(0.0),
            map: number_map(table)?,
            channel: channel(table)?,
            quality: quality(self.file, table, &key)?,
            time: time(self.file, table, &key)?,
            device: device(self.file, table, &key, self.filters)?,
            rate: rate(table)?,
            key,
        })
    }
}

fn metric(file: &str, table: Table<'_>, at: &str) -> Checked<MetricRule> {
    let unknown = |table: Table<'_>, key: &str| {
        table.error(key, "no table knows this metric: use an IEEE 11073 reference id, its code or a LOINC code")
    };
    if let Some(code) = table.text("loinc")? {
        if table.node("metric").is_some() {
            return Err(table.error("loinc", "give either metric or loinc"));
        }
        return Metric::by_loinc(code).map(MetricRule::Fixed).ok_or_else(|| unknown(table, "loinc"));
    }
    match table.node("metric") {
        None => Err(table.error("metric", "missing: say metric or loinc")),
        Some(Node { kind: Kind::Text(name), .. }) => {
            metric_from_text(name).map(MetricRule::Fixed).ok_or_else(|| {
                let mut error = unknown(table, "metric");
                let refids: Vec<&str> = Metric::all().map(|metric| metric.refid).collect();
                let hint = nearest(&name.to_uppercase(), &refids);
                error.message.push_str(&format!("; the nearest reference id is {hint}"));
                error
            })
        }
        Some(node) => {
            let key = format!("{at}.metric");
            let inner = Table::new(file, &key, node, &["path", "map"])?;
            let mut map = HashMap::new();
            for entry in inner.map("map")?.unwrap_or(&[]) {
                let metric = match &entry.node.kind {
                    Kind::Text(name) => metric_from_text(name),
                    _ => None,
                };
                let metric = metric.ok_or_else(|| {
                    let mut error = unknown(inner, "map");
                    error.line = entry.line.or(error.line);
                    error.key = format!("{key}.map.{}", entry.key);
                    error
                })?;
                map.insert(entry.key.clone(), metric);
            }
            Ok(MetricRule::FromPayload { path: needed(inner, "path")?, map })
        }
    }
}

fn unit(table: Table<'_>) -> Checked<UnitRule> {
    match (table.text("unit")?, path(table, "unit_path")?) {
        (Some(_), Some(_)) => Err(table.error("unit_path", "give either unit or unit_path")),
        (None, Some(path)) => Ok(UnitRule::FromPayload(path)),
        (None, None) => Ok(UnitRule::Own),
        (Some(text), None) => unit_from_text(text)
            .map(|unit: Unit| UnitRule::Fixed(unit))
            .ok_or_else(|| table.error("unit", "no table knows this unit: use a UCUM code such as mm[Hg]")),
    }
}

fn number_map(table: Table<'_>) -> Checked<Option<HashMap<String, f64>>> {
    let Some(entries) = table.map("map")? else { return Ok(None) };
    entries
        .iter()
        .map(|entry| match entry.node.kind {
            Kind::Number(number) if number.is_finite() => Ok((entry.key.clone(), number)),
            _ => {
                let mut error = table.error("map", "each text stands for a number");
                error.line = entry.line.or(error.line);
                error.key = format!("{}.{}", error.key, entry.key);
                Err(error)
            }
        })
        .collect::<Checked<_>>()
        .map(Some)
}

fn channel(table: Table<'_>) -> Checked<ChannelRule> {
    match (table.number("channel")?, path(table, "channel_path")?) {
        (Some(_), Some(_)) => Err(table.error("channel_path", "give either channel or channel_path")),
        (None, Some(path)) => Ok(ChannelRule::FromPayload(path)),
        (None, None) => Ok(ChannelRule::Fixed(0)),
        (Some(number), None) if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) => {
            Ok(ChannelRule::Fixed(number as u32))
        }
        _ => Err(table.error("channel", "must be a whole number from 0")),
    }
}

fn quality(file: &str, table: Table<'_>, at: &str) -> Checked<Option<QualityRule>> {
    let Some(node) = table.node("quality") else { return Ok(None) };
    let key = format!("{at}.quality");
    let inner = Table::new(file, &key, node, &["path", "map", "questionable_below", "invalid_below"])?;
    let mut map: HashMap<String, Quality> = HashMap::new();
    for entry in inner.map("map")?.unwrap_or(&[]) {
        let flags = match &entry.node.kind {
            Kind::Text(text) => quality_from_text(text),
            _ => None,
        };
        let flags = flags.ok_or_else(|| {
            inner.error("map", "must be ok, questionable, invalid, calibrating, test or manual")
        })?;
        map.insert(entry.key.clone(), flags);
    }
    Ok(Some(QualityRule {
        path: needed(inner, "path")?,
        map,
        questionable_below: inner.number("questionable_below")?,
        invalid_below: inner.number("invalid_below")?,
    }))
}

/// `rate = 250` or `rate = "125/2"`, in hertz.
fn rate(table: Table<'_>) -> Checked<Option<(u32, u32)>> {
    let wrong = || table.error("rate", "must be a rate in hertz: a number or a fraction such as \"125/2\"");
    match table.node("rate").map(|node| &node.kind) {
        None => Ok(None),
        Some(Kind::Number(number)) => {
            let milli = (number * 1_000.0).round();
            if !(1.0..4.0e9).contains(&milli) {
                return Err(wrong());
            }
            let (mut a, mut b) = (milli as u32, 1_000_u32);
            while b != 0 {
                (a, b) = (b, a % b);
            }
            Ok(Some((milli as u32 / a, 1_000 / a)))
        }
        Some(Kind::Text(text)) => {
            let (numerator, denominator) = text.split_once('/').ok_or_else(wrong)?;
            match (numerator.trim().parse(), denominator.trim().parse()) {
                (Ok(n), Ok(d)) if n > 0 && d > 0 => Ok(Some((n, d))),
                _ => Err(wrong()),
            }
        }
        Some(_) => Err(wrong()),
    }
}
