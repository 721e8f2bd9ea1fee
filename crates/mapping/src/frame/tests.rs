//! The frame: what is written is read again, and any bytes get an answer.

use proptest::prelude::*;

use super::*;
use vitals::samples::MISSING;

/// The frame that the encoders in `docs/interfaces/encoders` write when asked for `--example`.
fn example() -> Frame {
    let ramp = |n: i32, step: i32| (0..n).map(|i| i * step - 40).collect::<Vec<_>>();
    let mut with_gap = ramp(8, 11);
    with_gap[3] = MISSING;
    let channel = |metric, encoding, samples| Channel {
        metric: MetricCode(metric),
        channel: 0,
        unit_mdc: 0,
        rate_numerator: 125,
        rate_denominator: 2,
        delay_us: 0,
        quality: 0,
        encoding,
        scale: 0.5,
        offset: -1.25,
        samples,
    };
    Frame {
        flags: FLAG_HAS_TIME,
        sequence: 4_711,
        time: DeviceTime(1_700_000_000_123_456),
        channels: vec![
            channel(150_036, Encoding::I16, with_gap.clone()),
            Channel { channel: 2, delay_us: -8_000, quality: 1, ..channel(150_036, Encoding::I24, ramp(4, -70_000)) },
            Channel { unit_mdc: 266_016, ..channel(150_036, Encoding::I32, ramp(3, 1_000_000)) },
            channel(150_036, Encoding::DeltaVarint, with_gap),
        ],
    }
}

#[test]
fn the_example_is_the_published_one() {
    let published = include_str!("../../../../docs/interfaces/encoders/example.hex");
    let hex: String = example().encode().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, published.split_whitespace().collect::<String>());
}

#[test]
fn damage_is_named() {
    let good = example().encode();
    let check = |bytes: &[u8], expected: FrameError| assert_eq!(decode(bytes), Err(expected));
    check(b"", FrameError::Magic);
    check(&good[..10], FrameError::Length);
    check(&good[..good.len() - 1], FrameError::Checksum);
    let mut bad = good.clone();
    bad[4] = 2;
    check(&bad, FrameError::Version(2));
    bad = good.clone();
    bad[30] ^= 1;
    check(&bad, FrameError::Checksum);
    let mut long = good[..good.len() - 4].to_vec();
    long.push(0);
    let crc = crc32fast::hash(&long).to_le_bytes();
    long.extend_from_slice(&crc);
    check(&long, FrameError::Length);
}

#[test]
fn one_bad_channel_loses_itself_alone() {
    let mut frame = example();
    frame.channels[1].scale = f64::NAN;
    let (read, faults) = decode(&frame.encode()).expect("a frame");
    assert_eq!(faults, [FrameError::Numbers(1)]);
    assert_eq!(read.channels.len(), 3);
}

fn channels() -> impl Strategy<Value = Channel> {
    let sample = prop_oneof![
        3 => -0x7fff..0x7fff_i32,
        1 => Just(MISSING),
    ];
    let encoding = prop_oneof![
        Just(Encoding::I16),
        Just(Encoding::I24),
        Just(Encoding::I32),
        Just(Encoding::DeltaVarint),
    ];
    (any::<[u32; 3]>(), 1..u32::MAX, 1..9_u32, any::<i32>(), any::<u8>(), encoding, proptest::collection::vec(sample, 0..40))
        .prop_map(|(words, rate_numerator, rate_denominator, delay_us, quality, encoding, samples)| Channel {
            metric: MetricCode(words[0]),
            channel: words[1],
            unit_mdc: words[2],
            rate_numerator,
            rate_denominator,
            delay_us,
            quality,
            encoding,
            scale: 0.25,
            offset: 3.0,
            samples,
        })
}

proptest! {
    #[test]
    fn decoding_undoes_encoding(
        flags: u8,
        sequence: u32,
        time: i64,
        channels in proptest::collection::vec(channels(), 0..5),
    ) {
        let frame = Frame { flags, sequence, time: DeviceTime(time), channels };
        prop_assert_eq!(decode(&frame.encode()), Ok((frame, Vec::new())));
    }

    #[test]
    fn any_bytes_get_an_answer(mut bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode(&bytes);
        // With the magic, version and checksum right, so that the rest is reached too.
        let mut body = b"VWWF\x01".to_vec();
        body.append(&mut bytes);
        body.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
        let _ = decode(&body);
    }
}
