//! Apple Health's `export.xml` (what "Export All Health Data" on an iPhone writes): a gigabyte of
//! records, read one by one in constant memory, each as a data point in the shape of Open mHealth.
//!
//! What is absent: where the bytes come from and where data points go; what a schema means
//! (`mapping`).

mod kinds;

use std::collections::BTreeMap;
use std::io::BufRead;

use jiff::fmt::strtime;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Value, json};

/// How a time is written: `2023-11-14 22:13:20 +0100`.
const TIME: &str = "%Y-%m-%d %H:%M:%S %z";
/// Largest piece of the file between two tags or of one tag, in bytes: a record takes a few hundred.
const PIECE_MAX: usize = 1 << 20;

/// Why reading ends early.
#[derive(Debug, thiserror::Error)]
pub enum AppleHealthError {
    /// The XML is broken.
    #[error("not the XML of an export at byte {0}")]
    Xml(u64),
    /// A tag that no export has.
    #[error("a tag is longer than {PIECE_MAX} bytes")]
    Long,
    /// Another file.
    #[error("this is no export of Apple Health: the outermost element is not HealthData")]
    Other,
}

/// An export on its way through.
pub struct Export<R: BufRead> {
    reader: Reader<R>,
    buffer: Vec<u8>,
    /// How deep in other records, whose own records stand in the file a second time.
    nested: usize,
    begun: bool,
    ended: bool,
    open: Option<Found>,
    counts: Counts,
}

/// What was found in the file so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Data points given.
    pub points: u64,
    /// Records that are read by no rule, by their type.
    pub passed: BTreeMap<String, u64>,
    /// Records whose time or value can't be read.
    pub broken: u64,
}

/// A record whose end is not there yet.
struct Found {
    point: Option<Value>,
}

impl<R: BufRead> Export<R> {
    /// Begins to read.
    pub fn new(input: R) -> Self {
        let mut reader = Reader::from_reader(input);
        reader.config_mut().check_end_names = false;
        Self {
            reader,
            buffer: Vec::new(),
            nested: 0,
            begun: false,
            ended: false,
            open: None,
            counts: Counts::default(),
        }
    }

    /// What was found so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    fn step(&mut self) -> Result<Option<Value>, AppleHealthError> {
        self.buffer.clear();
        let mut buffer = std::mem::take(&mut self.buffer);
        let event = self.reader.read_event_into(&mut buffer);
        let done = match event {
            Ok(Event::Start(tag)) => self.start(&tag, false),
            Ok(Event::Empty(tag)) => self.start(&tag, true),
            Ok(Event::End(tag)) => Ok(self.end(tag.name().as_ref())),
            Ok(Event::Eof) => {
                self.ended = true;
                if self.begun { Ok(None) } else { Err(AppleHealthError::Other) }
            }
            // The document type that every export carries, and white space.
            Ok(_) => Ok(None),
            Err(_) => Err(AppleHealthError::Xml(self.reader.error_position())),
        };
        if buffer.len() > PIECE_MAX {
            return Err(AppleHealthError::Long);
        }
        self.buffer = buffer;
        done
    }

    fn start(&mut self, tag: &BytesStart<'_>, empty: bool) -> Result<Option<Value>, AppleHealthError> {
        let name = tag.name();
        if !self.begun {
            self.begun = name.as_ref() == "HealthData";
            return if self.begun { Ok(None) } else { Err(AppleHealthError::Other) };
        }
        match name.as_ref() {
            "Correlation" if !empty => self.nested += 1,
            "Record" if self.nested == 0 => {
                let point = self.record(tag);
                if empty {
                    return Ok(self.give(point));
                }
                self.open = Some(Found { point });
            }
            "MetadataEntry" => {
                let manual = attribute(tag, "key").as_deref() == Some("HKWasUserEntered")
                    && attribute(tag, "value").as_deref() == Some("1");
                if let Some(point) = self.open.as_mut().and_then(|found| found.point.as_mut()).filter(|_| manual) {
                    point["header"]["modality"] = Value::from("self-reported");
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn end(&mut self, name: &str) -> Option<Value> {
        match name {
            "Correlation" => self.nested = self.nested.saturating_sub(1),
            "Record" => {
                let found = self.open.take()?;
                return self.give(found.point);
            }
            _ => {}
        }
        None
    }

    fn give(&mut self, point: Option<Value>) -> Option<Value> {
        self.counts.points += u64::from(point.is_some());
        point
    }

    fn record(&mut self, tag: &BytesStart<'_>) -> Option<Value> {
        let kind = attribute(tag, "type").unwrap_or_default();
        let value = attribute(tag, "value").unwrap_or_default();
        let Some(rule) = kinds::rule(&kind, &value) else {
            // As many names as Apple has, not as many as a file makes up.
            let known = self.counts.passed.len() < 1_000 || self.counts.passed.contains_key(&kind);
            *self.counts.passed.entry(if known { kind } else { "others".to_owned() }).or_default() += 1;
            return None;
        };
        let point = (|| {
            let time = |name: &str| strtime::parse(TIME, attribute(tag, name)?).ok()?.to_timestamp().ok();
            let (start, end) = (time("startDate")?, time("endDate")?);
            let (amount, unit) = if rule.lasts {
                ((end.as_second() - start.as_second()) as f64 / 60.0, "min".to_owned())
            } else {
                let amount: f64 = value.parse().ok()?;
                (amount, attribute(tag, "unit").unwrap_or_default())
            };
            let (amount, unit) = kinds::usual(amount, &unit);
            let frame = if start == end {
                json!({"date_time": start.to_string()})
            } else {
                json!({"time_interval": {"start_date_time": start.to_string(), "end_date_time": end.to_string()}})
            };
            let mut body = json!({rule.field: {"value": amount, "unit": unit}, "effective_time_frame": frame});
            if rule.schema == "blood-glucose" {
                body["specimen_source"] = Value::from("capillary blood");
            }
            let schema = json!({"namespace": "omh", "name": rule.schema, "version": "1.0"});
            Some(json!({"header": {"schema_id": schema, "modality": "sensed"}, "body": body}))
        })();
        self.counts.broken += u64::from(point.is_none());
        point
    }
}

impl<R: BufRead> Iterator for Export<R> {
    type Item = Result<Value, AppleHealthError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.step() {
                Ok(None) => {}
                Ok(Some(point)) => return Some(Ok(point)),
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = tag.attributes().flatten().find(|attribute| attribute.key.as_ref() == name)?;
    unescape(&found.value).ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData (Record*)>\n\
        <!ATTLIST HealthData locale CDATA #REQUIRED>\n]>\n<HealthData locale=\"de_DE\">\n<ExportDate value=\"2023-11-15 08:00:00 +0100\"/>\n";

    fn record(kind: &str, unit: &str, value: &str) -> String {
        format!("<Record type=\"{kind}\" sourceName=\"Own &quot;test&quot;\" unit=\"{unit}\" creationDate=\"2023-11-14 23:14:00 +0100\" \
            startDate=\"2023-11-14 23:13:20 +0100\" endDate=\"2023-11-14 23:13:20 +0100\" value=\"{value}\"/>\n")
    }

    fn read(text: &str) -> (Vec<Value>, Counts, Option<String>) {
        let mut export = Export::new(text.as_bytes());
        let (mut points, mut failed) = (Vec::new(), None);
        for point in export.by_ref() {
            match point {
                Ok(point) => points.push(point),
                Err(error) => failed = Some(error.to_string()),
            }
        }
        (points, export.counts().clone(), failed)
    }

    #[test]
    fn records_become_data_points() {
        let rate = record("HKQuantityTypeIdentifierHeartRate", "count/min", "71");
        let entered = rate.replace("/>", ">\n <MetadataEntry key=\"HKWasUserEntered\" value=\"1\"/>\n</Record>");
        let within = format!("<Correlation type=\"x\">{}</Correlation>\n", record("HKQuantityTypeIdentifierBloodPressureSystolic", "mmHg", "120"));
        let sleep = "<Record type=\"HKCategoryTypeIdentifierSleepAnalysis\" startDate=\"2023-11-13 23:00:00 +0100\" \
            endDate=\"2023-11-14 06:30:00 +0100\" value=\"HKCategoryValueSleepAnalysisAsleepCore\"/>";
        let awake = sleep.replace("AsleepCore", "Awake");
        let odd = record("HKQuantityTypeIdentifierHeartRate", "count/min", "fast");
        let text = [HEAD, &rate, &entered, &within, &record("HKQuantityTypeIdentifierOxygenSaturation", "%", "0.97"),
            &record("HKQuantityTypeIdentifierBloodGlucose", "mmol&lt;180.1558800000541&gt;/L", "5.5"), sleep, &awake, &odd,
            &record("HKQuantityTypeIdentifierUVExposure", "count", "3"), "</HealthData>\n"].concat();
        let (points, counts, failed) = read(&text);
        assert_eq!(failed, None);
        let told: Vec<String> = points.iter().map(|point| {
            let body = point["body"].as_object().expect("a body");
            let (field, value) = body.iter().next().expect("a value");
            let frame = &body["effective_time_frame"];
            let time = frame.get("date_time").unwrap_or(&frame["time_interval"]["end_date_time"]);
            format!("{field} {} {} {} {}", value["value"], value["unit"].as_str().unwrap_or(""), time.as_str().unwrap_or(""),
                point["header"]["modality"].as_str().unwrap_or(""))
        }).collect();
        assert_eq!(told, [
            "heart_rate 71.0 beats/min 2023-11-14T22:13:20Z sensed",
            "heart_rate 71.0 beats/min 2023-11-14T22:13:20Z self-reported",
            "oxygen_saturation 97.0 % 2023-11-14T22:13:20Z sensed",
            "blood_glucose 5.5 mmol/L 2023-11-14T22:13:20Z sensed",
            "sleep_duration 450.0 min 2023-11-14T05:30:00Z sensed",
        ]);
        let passed: Vec<(&str, u64)> = counts.passed.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
        assert_eq!(passed, [("HKCategoryTypeIdentifierSleepAnalysis", 1), ("HKQuantityTypeIdentifierUVExposure", 1)]);
        assert_eq!((counts.points, counts.broken), (5, 1));
    }

    #[test]
    fn another_file_and_a_broken_one_are_told() {
        assert!(read("<html></html>").2.is_some_and(|why| why.contains("no export")));
        assert!(read("").2.is_some());
        let cut = [HEAD, &record("HKQuantityTypeIdentifierHeartRate", "count/min", "71"), "<Record type=\"x"].concat();
        let (points, _, failed) = read(&cut);
        assert_eq!((points.len(), failed.is_some()), (1, true));
    }

    /// A file that is never all in memory: its text is made while it is read.
    #[test]
    fn a_long_file_is_read_in_pieces() {
        use std::io::{BufReader, Read};
        let one = record("HKQuantityTypeIdentifierStepCount", "count", "12");
        let many = 200_000_usize;
        let body = std::iter::repeat_n(one.into_bytes(), many);
        struct Pieces<I: Iterator<Item = Vec<u8>>>(I, Vec<u8>, usize);
        impl<I: Iterator<Item = Vec<u8>>> Read for Pieces<I> {
            fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
                if self.2 == self.1.len() {
                    let Some(next) = self.0.next() else { return Ok(0) };
                    (self.1, self.2) = (next, 0);
                }
                let count = out.len().min(self.1.len() - self.2);
                out[..count].copy_from_slice(&self.1[self.2..self.2 + count]);
                self.2 += count;
                Ok(count)
            }
        }
        let whole = std::iter::once(HEAD.as_bytes().to_vec()).chain(body).chain(std::iter::once(b"</HealthData>".to_vec()));
        let mut export = Export::new(BufReader::new(Pieces(whole, Vec::new(), 0)));
        assert_eq!(export.by_ref().filter(Result::is_ok).count(), many);
        assert!(export.buffer.capacity() <= PIECE_MAX);
    }
}
