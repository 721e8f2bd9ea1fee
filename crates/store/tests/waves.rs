//! Samples: blocks give back what they were given and never panic; how runs are divided into
//! commits changes nothing that is read; drawings are what the samples say.

use std::sync::Arc;

use proptest::prelude::*;
use store::wave::{
    Block, Data, Frame, Outline, Packing, Segment, decode_data, decode_outline, decode_pyramid,
    encode_data, encode_outline, encode_pyramid,
};
use store::{Commit, Read, Span, SqliteStore, Store, WaveStrip};
use vitals::samples::MISSING;
use vitals::{
    EffectiveTime, Quality, Rate, ReceiveTime, Scale, SeriesId, WaveRun, WaveSamples,
};

const SERIES: SeriesId = SeriesId(4);

fn counts() -> impl Strategy<Value = Vec<i32>> {
    let small = (-300..300_i32).prop_map(|count| if count == 7 { MISSING } else { count });
    let extreme = prop_oneof![Just(MISSING), Just(i32::MAX), Just(-i32::MAX), Just(0), any::<i32>()];
    prop_oneof![
        3 => proptest::collection::vec(small, 1..600),
        1 => proptest::collection::vec(extreme, 1..600),
        1 => (1..600_usize).prop_map(|length| vec![MISSING; length]),
    ]
}

fn reals() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![any::<f64>(), Just(f64::NAN), Just(-0.0), (0..99_i32).prop_map(f64::from)];
    proptest::collection::vec(value, 1..600)
}

fn data() -> impl Strategy<Value = Data> {
    prop_oneof![3 => counts().prop_map(Data::Counts), 1 => reals().prop_map(Data::Real)]
}

fn scale() -> impl Strategy<Value = Scale> {
    let part = || prop_oneof![Just(1.0), Just(200.0), Just(-0.5), Just(2.44e-3)];
    (part(), part(), prop_oneof![Just(0.0), Just(-0.0), Just(-1_024.0)])
        .prop_map(|(factor, divisor, offset)| Scale { factor, divisor, offset })
}

fn rate() -> impl Strategy<Value = Rate> {
    prop_oneof![Just((250, 1)), Just((125, 2)), Just((360, 1)), Just((1, 3)), (1..2_000_u32, 1..50_u32)]
        .prop_map(|(n, d)| Rate::new(n, d).expect("neither is 0"))
}

/// A block of these samples, in frames and segments of any size.
fn block() -> impl Strategy<Value = Block> {
    let place = (any::<i64>(), rate(), any::<u64>());
    let frame = (any::<i64>(), any::<u64>(), any::<u16>(), any::<u16>());
    let divisions = proptest::collection::vec((1..80_usize, prop::bool::weighted(0.1), place, frame), 600);
    (data(), scale(), divisions).prop_map(|(data, scale, divisions)| {
        let mut outline = Outline { scale, segments: Vec::new(), frames: Vec::new() };
        let mut left = data.len();
        for (samples, new, (anchor, rate, first), (delay_ms, offset, index, quality)) in divisions {
            let samples = samples.min(left);
            if samples == 0 {
                break;
            }
            left -= samples;
            if new || outline.segments.is_empty() {
                let anchor = EffectiveTime(anchor);
                outline.segments.push(Segment { anchor, rate, first, frames: 0, samples: 0 });
            }
            if let Some(segment) = outline.segments.last_mut() {
                segment.frames += 1;
                segment.samples += samples;
            }
            let quality = Quality::from_bits_retain(quality);
            let samples = samples as u32;
            outline.frames.push(Frame { samples, delay_ms, offset, index, quality });
        }
        Block { outline, data }
    })
}

fn bits(data: &Data) -> Vec<u64> {
    match data {
        Data::Counts(counts) => counts.iter().map(|count| *count as u64).collect(),
        Data::Real(values) => values.iter().map(|value| value.to_bits()).collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn blocks_give_back_what_they_were_given(block in block()) {
        let outline = decode_outline(&encode_outline(&block.outline)).expect("it was just encoded");
        prop_assert!(outline.scale.is_same(&block.outline.scale));
        prop_assert_eq!(&outline, &block.outline);
        for packing in [Packing::Fresh, Packing::Sealed] {
            let bytes = encode_data(&block.data, packing);
            let decoded = decode_data(&bytes, block.data.len()).expect("it was just encoded");
            prop_assert_eq!(bits(&decoded), bits(&block.data));
        }
    }

    #[test]
    fn pyramids_hold_every_extreme(block in block()) {
        let (bytes, tip) = encode_pyramid(&block);
        let bins = decode_pyramid(&bytes, &block.outline).expect("it was just encoded");
        let value = |at: usize| match &block.data {
            Data::Counts(counts) => block.outline.scale.value(counts[at]),
            Data::Real(values) => values[at],
        };
        let range = |part: std::ops::Range<usize>| {
            let range = part.fold((f64::NAN, f64::NAN), |(low, high), at| (low.min(value(at)), high.max(value(at))));
            (!range.0.is_nan()).then_some(range)
        };
        let mut base = vec![0];
        for segment in &block.outline.segments {
            base.push(base[base.len() - 1] + segment.samples);
        }
        for bin in &bins {
            prop_assert_eq!(bin.value, range(base[bin.segment] + bin.begin..base[bin.segment] + bin.end));
        }
        prop_assert_eq!(bins.iter().map(|bin| bin.end - bin.begin).sum::<usize>(), block.data.len());
        prop_assert_eq!(tip, range(0..block.data.len()));
    }

    #[test]
    fn damaged_blocks_never_panic(
        block in block(),
        at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        cut in any::<prop::sample::Index>(),
        count in 0..700_usize,
    ) {
        let harm = |mut bytes: Vec<u8>| {
            let position = at.index(bytes.len());
            bytes[position] ^= flip;
            let cut = bytes[..cut.index(bytes.len())].to_vec();
            [bytes, cut]
        };
        for bytes in harm(encode_outline(&block.outline)) {
            if let Ok(outline) = decode_outline(&bytes) {
                prop_assert_eq!(outline.segments.iter().map(|s| s.frames).sum::<usize>(), outline.frames.len());
                let _ = decode_pyramid(&encode_pyramid(&block).0, &outline);
            }
        }
        for bytes in harm(encode_pyramid(&block).0) {
            let _ = decode_pyramid(&bytes, &block.outline);
        }
        for packing in [Packing::Fresh, Packing::Sealed] {
            for bytes in harm(encode_data(&block.data, packing)) {
                let _ = decode_data(&bytes, block.data.len());
                let _ = decode_data(&bytes, count);
            }
        }
    }
}

/// Runs of a channel as an engine would give them: some stretches, frames without overlap in a
/// stretch, some lost, some late, some sent again.
fn runs() -> impl Strategy<Value = Vec<WaveRun>> {
    let frame = (1..200_usize, 0..12_u8, any::<u32>(), 0..40_u64);
    let stretch = (rate(), scale(), -3..200_i64, prop::bool::weighted(0.15), proptest::collection::vec(frame, 1..40));
    let mixed = proptest::collection::vec(stretch, 1..6);
    (mixed, any::<u64>()).prop_map(|(stretches, seed)| {
        let mut out: Vec<WaveRun> = Vec::new();
        let mut anchor = 1_700_000_000_000_000_i64;
        for (rate, scale, gap, real, frames) in stretches {
            let mut first = 0;
            for (length, fate, noise, delay) in frames {
                // Some are lost.
                if fate != 1 {
                    out.push(WaveRun {
                        anchor: EffectiveTime(anchor),
                        rate,
                        first,
                        scale: if real { Scale::ONE } else { scale },
                        samples: samples(length, noise, real),
                        received: ReceiveTime(anchor + rate.micros(first) + delay as i64 * 1_000),
                        offset: 100 + out.len() as u64 * 3 / 2,
                        index: (out.len() % 2) as u16,
                        quality: if fate == 2 { Quality::ARTEFACT } else { Quality::empty() },
                    });
                }
                first += length as u64;
            }
            // A correction of a few milliseconds, or a gap.
            anchor += rate.micros(first) + gap * if gap < 0 { 1_000 } else { 1_000_000 };
        }
        // Some are late by a few places, some come again.
        let mut state = seed | 1;
        for at in 0..out.len() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let other = (at + 1 + (state >> 60) as usize).min(out.len() - 1);
            match (state >> 40) % 16 {
                0 => out.swap(at, other),
                1 => out.push(out[at].clone()),
                _ => {}
            }
        }
        out
    })
}

fn samples(length: usize, noise: u32, real: bool) -> WaveSamples {
    let count = |at: usize| {
        let count = (noise.wrapping_mul(at as u32 + 1) >> 22) as i32 - 512;
        if count == 0 { MISSING } else { count }
    };
    if real {
        WaveSamples::Real((0..length).map(|at| Scale::ONE.value(count(at)) / 3.0).collect())
    } else {
        WaveSamples::Counts((0..length).map(count).collect::<Arc<[i32]>>())
    }
}

fn stored(runs: &[WaveRun], at_once: usize, folder: &std::path::Path) -> SqliteStore {
    let mut store = SqliteStore::open(&folder.join(format!("{at_once}.sqlite"))).expect("the store opens");
    for (checkpoint, some) in (1..).zip(runs.chunks(at_once)) {
        let waves = some.iter().map(|run| (SERIES, run.clone())).collect();
        store.commit(&Commit { checkpoint, waves, ..Commit::default() }).expect("a commit succeeds");
    }
    store
}

/// Each run once, as the store counts them.
fn distinct(runs: &[WaveRun]) -> Vec<WaveRun> {
    let mut seen = std::collections::HashSet::new();
    runs.iter().filter(|run| seen.insert((run.offset, run.index))).cloned().collect()
}

fn check_overview(reader: &dyn Read, runs: &[WaveRun], columns: usize) -> Result<(), TestCaseError> {
    let found = reader.wave_overview(SERIES, Span::ALL, columns).expect("it can be drawn");
    prop_assert!(found.len() <= columns);
    let mut shown = 0;
    for run in runs {
        let mut values = Vec::new();
        run.values(&mut values);
        for (at, value) in (0..).zip(values).filter(|(_, value)| !value.is_nan()) {
            let time = run.time_of(at);
            let holds = found.iter().any(|column| {
                (column.start..column.end).contains(&time) && column.min <= value && value <= column.max
                    && column.quality.contains(run.quality)
            });
            prop_assert!(holds, "no column shows {value} at {time:?}");
            shown += 1;
        }
    }
    prop_assert_eq!(shown == 0, found.is_empty());
    // No column shows more than there is.
    let mut all = Vec::new();
    for run in runs {
        run.values(&mut all);
    }
    for column in &found {
        prop_assert!(all.contains(&column.min) && all.contains(&column.max));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn commits_change_nothing_that_is_read(runs in runs(), size in 1..40_usize, columns in 1..300_usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let read = |store: &SqliteStore| store.reader().wave_strip(SERIES, Span::ALL).expect("samples can be read");
        let (whole, parts) = (stored(&runs, 1_000_000, folder.path()), stored(&runs, size, folder.path()));
        let strips = read(&parts);
        // NaN is not equal to itself; everything that is told of a strip is in its text.
        prop_assert_eq!(format!("{strips:?}"), format!("{:?}", read(&whole)));
        let mut expected = distinct(&runs);
        let key = |run: &WaveRun| (run.offset, run.index);
        let mut found: Vec<WaveRun> = strips.iter().flat_map(WaveStrip::runs).collect();
        expected.sort_by_key(key);
        found.sort_by_key(key);
        prop_assert_eq!(format!("{found:?}"), format!("{expected:?}"));
        check_overview(parts.reader().as_ref(), &expected, columns)?;
        check_overview(whole.reader().as_ref(), &expected, columns)?;
    }
}

/// Whatever the length of the last batch that the packing works in.
#[test]
fn blocks_of_every_length_are_read_back() {
    for length in 1..=1_100_usize {
        let wave = |at: usize| ((at as f64 / 9.0).sin() * 300.0) as i32 + (at * at % 7) as i32;
        for shift in [0, 70_000] {
            let data = Data::Counts((0..length).map(|at| wave(at) + shift).collect());
            let bytes = encode_data(&data, Packing::Sealed);
            assert_eq!(decode_data(&bytes, length), Ok(data), "{length} samples from {shift}");
        }
        let data = Data::Real((0..length).map(|at| f64::from(wave(at)) * 0.37).collect());
        assert_eq!(decode_data(&encode_data(&data, Packing::Sealed), length), Ok(data), "{length} values");
    }
}
