//! Parquet: a table with one row a sample, ordered by channel and time.
//!
//! Columns: `time` (microseconds since 1970, UTC) or, where the recording's date is not known,
//! `time_us` (microseconds after its start); `channel` (its number, from 0), `label`, `unit`, `count`
//! (what the converter gave) and `value` (in `unit`). Missing samples have no row. The file's metadata
//! has, for each channel, `channel.<number>` = `<label>|<unit>|<rate>|<metric>`.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use vitals::samples::MISSING;

use crate::{Channel, Error, Recording};

/// Rows of a row group, about: each group is of one channel.
const GROUP: usize = 1 << 20;

/// Writes the samples of `recording` as a Parquet file.
///
/// # Errors
/// If the table can't be built, which samples can't bring about.
pub fn parquet(recording: &Recording) -> Result<Vec<u8>, Error> {
    build(recording).map_err(|error| Error::DoesNotFit(format!("the Parquet table can't be built ({error})")))
}

fn build(recording: &Recording) -> Result<Vec<u8>, ParquetError> {
    let time = match recording.start_us() {
        Some(_) => "required int64 time (TIMESTAMP(MICROS,true))",
        None => "required int64 time_us",
    };
    let schema = format!(
        "message samples {{ {time}; required int32 channel; required binary label (STRING); \
         required binary unit (STRING); required int32 count; required double value; }}"
    );
    let schema = Arc::new(parse_message_type(&schema)?);
    let mut out = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut out, schema, Arc::new(properties(recording)))?;
    for (number, channel) in recording.channels.iter().enumerate() {
        let rows = Rows::of(recording, channel);
        for from in (0..rows.times.len()).step_by(GROUP) {
            let to = (from + GROUP).min(rows.times.len());
            let mut group = writer.next_row_group()?;
            let size = to - from;
            column::<Int64Type>(&mut group, &rows.times[from..to])?;
            column::<Int32Type>(&mut group, &vec![number as i32; size])?;
            column::<ByteArrayType>(&mut group, &vec![ByteArray::from(channel.label.as_str()); size])?;
            column::<ByteArrayType>(&mut group, &vec![ByteArray::from(channel.unit.as_str()); size])?;
            column::<Int32Type>(&mut group, &rows.counts[from..to])?;
            column::<DoubleType>(&mut group, &rows.values[from..to])?;
            group.close()?;
        }
    }
    writer.close()?;
    Ok(out)
}

fn properties(recording: &Recording) -> WriterProperties {
    let described = recording.channels.iter().enumerate().map(|(number, channel)| {
        let rate = format!("{}/{}", channel.rate.numerator(), channel.rate.denominator());
        let metric = channel.metric.map(|metric| metric.refid()).unwrap_or_default();
        let text = format!("{}|{}|{rate}|{metric}", channel.label, channel.unit);
        KeyValue::new(format!("channel.{number}"), text)
    });
    let delta = |builder: parquet::file::properties::WriterPropertiesBuilder, name: &str| {
        let path = ColumnPath::from(name);
        builder
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
    };
    let builder = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("vitalwire".to_owned())
        .set_key_value_metadata(Some(described.collect()));
    ["time", "time_us", "count"].into_iter().fold(builder, delta).build()
}

fn column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>, values: &[T::T]) -> Result<(), ParquetError> {
    let missing = || ParquetError::General("the schema has fewer columns".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

/// The rows of one channel, column by column.
struct Rows {
    times: Vec<i64>,
    counts: Vec<i32>,
    values: Vec<f64>,
}

impl Rows {
    fn of(recording: &Recording, channel: &Channel) -> Self {
        let zero = recording.start_us().unwrap_or(0);
        let size = channel.present();
        let mut rows = Self {
            times: Vec::with_capacity(size),
            counts: Vec::with_capacity(size),
            values: Vec::with_capacity(size),
        };
        for segment in &channel.segments {
            for (at, count) in segment.samples.iter().enumerate().filter(|(_, count)| **count != MISSING) {
                rows.times.push(zero.saturating_add(segment.time_us(channel.rate, at as u64)));
                rows.counts.push(*count);
                rows.values.push(segment.scale.value(*count));
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Segment, Start};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use vitals::{Rate, Scale};

    #[test]
    fn rows_come_back() {
        let segment = Segment {
            anchor_us: 0,
            first: 0,
            scale: Scale { factor: 1.0, divisor: 200.0, offset: 0.0 },
            samples: vec![1, MISSING, 3],
        };
        let channel = Channel {
            label: "II".to_owned(),
            metric: None,
            unit: "mV".to_owned(),
            rate: Rate::new(250, 1).expect("not zero"),
            segments: vec![segment],
        };
        let recording = Recording { start: Start::At(1_000_000), channels: vec![channel], ..Recording::default() };
        let bytes = parquet(&recording).expect("written");
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("a Parquet file");
        let rows: Vec<String> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row").to_string()).collect();
        assert_eq!(
            rows,
            [
                "{time: 1970-01-01 00:00:01.000000 +00:00, channel: 0, label: \"II\", unit: \"mV\", count: 1, value: 0.005}",
                "{time: 1970-01-01 00:00:01.008000 +00:00, channel: 0, label: \"II\", unit: \"mV\", count: 3, value: 0.015}"
            ]
        );
        assert!(parquet(&Recording::default()).is_ok());
    }
}
