//! Every combination of flags of every characteristic that has them: each is read, written back
//! byte for byte, and refused by the right field when it is cut or has a byte too many.

use wire_gatt::{Fault, decode, e2e_crc};

/// A characteristic: its number, bytes of its flags, bytes that are always there, and how many
/// bytes each flag announces (0: a flag that says something by itself). From the GATT
/// Specification Supplement's tables.
struct Shape {
    uuid: u16,
    flags: usize,
    always: usize,
    bits: &'static [usize],
}

const SHAPES: [Shape; 14] = [
    // Blood pressure and cuff: unit, time, pulse, user, status.
    Shape { uuid: 0x2a35, flags: 1, always: 6, bits: &[0, 7, 2, 1, 2] },
    Shape { uuid: 0x2a36, flags: 1, always: 6, bits: &[0, 7, 2, 1, 2] },
    // Temperatures: unit, time, site.
    Shape { uuid: 0x2a1c, flags: 1, always: 4, bits: &[0, 7, 1] },
    Shape { uuid: 0x2a1e, flags: 1, always: 4, bits: &[0, 7, 1] },
    // Weight: unit, time, user, index and height.
    Shape { uuid: 0x2a9d, flags: 1, always: 2, bits: &[0, 7, 1, 4] },
    // Body composition: unit, time, user, nine numbers, several packets.
    Shape { uuid: 0x2a9c, flags: 2, always: 2, bits: &[0, 7, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0] },
    // Oximeter, single: time, status, sensor, amplitude, clock not set.
    Shape { uuid: 0x2a5e, flags: 1, always: 4, bits: &[7, 2, 3, 2, 0] },
    // Oximeter, continuous: fast, slow, status, sensor, amplitude.
    Shape { uuid: 0x2a5f, flags: 1, always: 4, bits: &[4, 4, 2, 3, 2] },
    // Glucose: offset, concentration, unit, status, context.
    Shape { uuid: 0x2a18, flags: 1, always: 9, bits: &[2, 3, 0, 2, 0] },
    // Its context: carbohydrate, meal, tester, exercise, medication, unit, HbA1c, extension.
    Shape { uuid: 0x2a34, flags: 1, always: 2, bits: &[3, 1, 1, 3, 3, 0, 2, 1] },
    // Running: stride, distance, gait.
    Shape { uuid: 0x2a53, flags: 1, always: 3, bits: &[2, 4, 0] },
    // A pump's announcement: itself, five of its manufacturer's.
    Shape { uuid: 0x2b22, flags: 1, always: 0, bits: &[5, 2, 2, 2, 2, 2] },
    // What an oximeter can do: which bits of both status fields it knows, and six that announce nothing.
    Shape { uuid: 0x2a60, flags: 2, always: 0, bits: &[2, 3, 0, 0, 0, 0, 0, 0] },
    // Heart rate without intervals, its width apart: contact, can tell contact, energy.
    Shape { uuid: 0x2a37, flags: 1, always: 1, bits: &[1, 0, 0, 2] },
];

/// Bytes that differ from payload to payload, the same in each run.
fn body(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| ((seed * 31 + at * 7) % 251) as u8).collect()
}

#[test]
fn every_combination_reads_and_writes() {
    let mut payloads = 0;
    for shape in &SHAPES {
        for flags in 0_usize..1 << shape.bits.len() {
            let announced: usize = (0..)
                .zip(shape.bits)
                .filter(|(bit, _)| flags >> bit & 1 == 1)
                .map(|(_, n)| n)
                .sum();
            let mut bytes = flags.to_le_bytes()[..shape.flags].to_vec();
            bytes.extend(body(flags, shape.always + announced));
            check(shape.uuid, &bytes);
            payloads += 1;
        }
    }
    assert_eq!(payloads, 32 + 32 + 8 + 8 + 16 + 8192 + 32 + 32 + 32 + 256 + 8 + 64 + 256 + 16);
}

/// The payload reads and writes back as it was; cut anywhere it says which field is short; with a
/// byte more it says so.
fn check(uuid: u16, bytes: &[u8]) {
    let payload =
        decode(uuid, bytes).unwrap_or_else(|error| panic!("{uuid:04x} {bytes:02x?}: {error}"));
    assert_eq!(payload.encode(), bytes, "{uuid:04x} {payload:?}");
    for cut in 0..bytes.len() {
        let error = decode(uuid, &bytes[..cut]).expect_err("a field is cut off");
        let Fault::TooShort { needed, left } = error.fault else { panic!("{uuid:04x}: {error}") };
        assert!(error.offset + left == cut && needed > left, "{uuid:04x} at {cut}: {error}");
    }
    let long = [bytes, &[0]].concat();
    let error = decode(uuid, &long).expect_err("a byte too many");
    assert_eq!(error.fault, Fault::TooLong { extra: 1 }, "{uuid:04x}");
    assert_eq!(error.offset, bytes.len());
}

#[test]
fn heart_rate_intervals() {
    for flags in 0_u8..16 {
        for intervals in 0..5 {
            let always = 2 + usize::from(flags & 1) + if flags & 8 == 8 { 2 } else { 0 };
            let mut bytes = body(usize::from(flags), always + 2 * intervals);
            bytes[0] = flags | 16;
            let payload = decode(0x2a37, &bytes).expect("valid");
            assert_eq!(payload.encode(), bytes);
            if intervals > 0 {
                let error =
                    decode(0x2a37, &bytes[..bytes.len() - 1]).expect_err("half an interval");
                assert_eq!(error.field, "rr-interval");
            }
        }
    }
}

#[test]
fn every_combination_of_a_cgm_record() {
    // Trend, quality, warning, calibration, status.
    let bits = [(0, 2), (1, 2), (5, 1), (6, 1), (7, 1)];
    for combination in 0_usize..32 {
        for protected in [false, true] {
            let set = |at: usize| combination >> at & 1 == 1;
            let flags: u8 = (0..5).filter(|at| set(*at)).map(|at| 1 << bits[at].0).sum();
            let extra: usize = (0..5).filter(|at| set(*at)).map(|at| bits[at].1).sum();
            let size = 6 + extra + if protected { 2 } else { 0 };
            let mut record = vec![size as u8, flags];
            record.extend(body(combination, 4 + extra));
            if protected {
                record.extend(e2e_crc(&record).to_le_bytes());
            }
            let twice = record.repeat(2);
            for bytes in [&record, &twice] {
                let payload = decode(0x2aa7, bytes).expect("valid");
                assert_eq!(&payload.encode(), bytes, "{payload:?}");
            }
            for cut in 1..record.len() {
                let error = decode(0x2aa7, &twice[..record.len() + cut]).expect_err("cut");
                assert!(
                    error.offset >= record.len() && matches!(error.fault, Fault::TooShort { .. })
                );
            }
            if protected {
                for at in 2..record.len() {
                    let mut wrong = record.clone();
                    wrong[at] ^= 1;
                    let error = decode(0x2aa7, &wrong).expect_err("a bit is wrong");
                    assert_eq!((error.field, error.fault), ("e2e-crc", Fault::Checksum));
                }
            }
        }
    }
}

#[test]
fn check_sums_stand_behind_fixed_values() {
    // Status, session start, run time: with and without; the feature always has one.
    for (uuid, length) in [(0x2aa9_u16, 5), (0x2aaa, 9), (0x2aab, 2)] {
        let bare = body(3, length);
        check_protected(uuid, &bare, &e2e_crc(&bare).to_le_bytes());
    }
    // A pump's values have a counter before the check sum.
    for (uuid, length) in [(0x2b20_u16, 2), (0x2b21, 5)] {
        let mut bare = body(3, length);
        if uuid == 0x2b21 {
            bare[4] = 1;
        }
        let counted = [&bare[..], &[42]].concat();
        let tail = [&[42][..], &e2e_crc(&counted).to_le_bytes()].concat();
        check_protected(uuid, &bare, &tail);
    }
    let feature = [0x00, 0x10, 0x00, 0x59];
    let tail = e2e_crc(&feature).to_le_bytes();
    let with = [&feature[..], &tail].concat();
    assert_eq!(decode(0x2aa8, &with).expect("valid").encode(), with);
    let without = [0x00, 0x00, 0x00, 0x59, 0xff, 0xff];
    assert_eq!(decode(0x2aa8, &without).expect("valid").encode(), without);
    assert_eq!(
        decode(0x2aa8, &feature).expect_err("cut").fault,
        Fault::TooShort { needed: 2, left: 0 }
    );
}

fn check_protected(uuid: u16, bare: &[u8], tail: &[u8]) {
    let with = [bare, tail].concat();
    for bytes in [bare, &with] {
        assert_eq!(decode(uuid, bytes).expect("valid").encode(), bytes, "{uuid:04x}");
    }
    // An op code with a wrong bit is another request, of another length: its byte is left alone.
    let code = if uuid == 0x2b27 { 3 } else { usize::from(uuid == 0x2aac) };
    for at in code.min(with.len() - tail.len())..with.len() {
        let mut wrong = with.clone();
        wrong[at] ^= 0x80;
        let error = decode(uuid, &wrong).expect_err("a bit is wrong");
        assert_eq!((error.field, error.fault), ("e2e-crc", Fault::Checksum), "{uuid:04x} {at}");
    }
}

#[test]
fn a_pumps_history() {
    // Type, and the length of its data; the last is a type without a table.
    for (code, length) in [
        (0x000f_u16, 10),
        (0x005a, 9),
        (0x0069, 9),
        (0x0099, 5),
        (0x00ff, 9),
        (0x0303, 2),
        (0x030c, 2),
        (0x0330, 2),
        (0x0395, 6),
    ] {
        let mut bare = code.to_le_bytes().to_vec();
        bare.extend(body(1, 6));
        let mut data = body(8, length);
        data[0] &= 0xfe;
        bare.extend(data);
        assert_eq!(decode(0x2b28, &bare).expect("valid").encode(), bare, "{code:04x}");
        let counted = [&bare[..], &[7]].concat();
        let with = [&counted[..], &e2e_crc(&counted).to_le_bytes()].concat();
        assert_eq!(decode(0x2b28, &with).expect("valid").encode(), with, "{code:04x}");
        if code != 0x0395 {
            let error = decode(0x2b28, &bare[..bare.len() - 1]).expect_err("cut");
            assert!(matches!(error.fault, Fault::TooShort { .. }), "{code:04x} {error}");
            let error = decode(0x2b28, &[&bare[..], &[0]].concat()).expect_err("long");
            assert_eq!(error.fault, Fault::TooLong { extra: 1 }, "{code:04x}");
        }
    }
}

/// Operands of a pump's control points by op code, without a protection.
fn pump_payloads() -> Vec<(u16, Vec<u8>)> {
    let mut all = Vec::new();
    let mut put = |uuid: u16, code: u16, operand: &[u8]| all.push((uuid, [&code.to_le_bytes()[..], operand].concat()));
    put(0x2b24, 0x0303, &[0x0c, 0x03, 0x0f]);
    put(0x2b24, 0x030c, &[0xff, 0x00]);
    for bare in [0x0330, 0x0365, 0x0395, 0x03c0, 0x03f3] {
        put(0x2b24, bare, &[]);
    }
    for count in [0_u8, 1, 7] {
        put(0x2b24, 0x033f, &[&[count][..], &body(3, usize::from(count) * 2)].concat());
    }
    put(0x2b24, 0x0356, &[1, 0, 0x33]);
    put(0x2b24, 0x039a, &body(4, 6));
    put(0x2b24, 0x03a6, &[0x0f, 0x33]);
    put(0x2b24, 0x03a9, &[0x0f, 0x33, 0xff, 0xff, 0xff, 0xff]);
    put(0x2b24, 0x03cf, &body(5, 8));
    // Every combination of the flags of a bolus, of a basal rate, and of insulin on board.
    for flags in 0_u8..32 {
        let announced = [2, 1, 1].iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, n)| n).sum::<usize>();
        put(0x2b24, 0x0359, &[&[flags][..], &body(6, 9 + announced)].concat());
    }
    for flags in 0_u8..8 {
        let announced = [7, 1, 1].iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, n)| n).sum::<usize>();
        put(0x2b24, 0x036a, &[&[flags][..], &body(7, 3 + announced)].concat());
    }
    put(0x2b24, 0x03fc, &[0, 5, 0]);
    put(0x2b24, 0x03fc, &[1, 5, 0, 30, 0]);
    put(0x2b25, 0x0f55, &[0x5a, 0x0f, 0x74]);
    put(0x2b25, 0x0f5a, &[0x55]);
    for announcement in [0x0f69, 0x0f96, 0x0f99, 0x0fa5] {
        put(0x2b25, announcement, &[0x34, 0x12]);
    }
    all
}

#[test]
fn a_pumps_control_points() {
    for (uuid, bare) in pump_payloads() {
        let counted = [&bare[..], &[42]].concat();
        let with = [&counted[..], &e2e_crc(&counted).to_le_bytes()].concat();
        for bytes in [&bare, &with] {
            assert_eq!(&decode(uuid, bytes).expect("valid").encode(), bytes, "{uuid:04x} {bytes:02x?}");
        }
        for cut in 0..bare.len() {
            let error = decode(uuid, &bare[..cut]).expect_err("a field is cut off");
            assert!(matches!(error.fault, Fault::TooShort { .. }), "{uuid:04x} at {cut}: {error}");
        }
        for extra in [1, 2, 4] {
            let long = [&bare[..], &vec![0; extra][..]].concat();
            assert_eq!(decode(uuid, &long).expect_err("too long").fault, Fault::TooLong { extra }, "{uuid:04x}");
        }
        let wrong = [&counted[..], &(e2e_crc(&counted) ^ 1).to_le_bytes()].concat();
        assert_eq!(decode(uuid, &wrong).expect_err("a bit is wrong").fault, Fault::Checksum, "{uuid:04x} {bare:02x?}");
    }
    // Commands whose operand stays bytes, and what is answered at length.
    for (uuid, code) in [(0x2b25_u16, 0x114b_u16), (0x2b25, 0x1122), (0x2b25, 0x7777), (0x2b26, 0x0fc3)] {
        for length in [0, 1, 2, 3, 9] {
            let bare = [&code.to_le_bytes()[..], &body(9, length)].concat();
            let counted = [&bare[..], &[1]].concat();
            let with = [&counted[..], &e2e_crc(&counted).to_le_bytes()].concat();
            for bytes in [&bare, &with] {
                assert_eq!(&decode(uuid, bytes).expect("valid").encode(), bytes, "{uuid:04x} {code:04x}");
            }
        }
    }
    assert_eq!(decode(0x2b24, &[0x77, 0x77]).expect_err("unknown").field, "op code");
}

#[test]
fn asking_a_pump_for_its_history() {
    let mut all = vec![vec![0x55, 0x0f], vec![0x66, 0x0f, 9, 0, 0, 0], vec![0x0f, 0x0f, 0x33, 0xf0]];
    for code in [0x33_u8, 0x3c, 0x5a] {
        all.extend([0x33, 0x66, 0x69].map(|operator| vec![code, operator]));
        for filter in [0x0f, 0x33, 0x3c] {
            all.extend([0x3c, 0x55].map(|operator| vec![code, operator, filter, 4, 0, 0, 0]));
            all.push(vec![code, 0x5a, filter, 4, 0, 0, 0, 9, 0, 0, 0]);
        }
    }
    for bare in all {
        let counted = [&bare[..], &[7]].concat();
        check_protected(0x2b27, &bare, &[&[7][..], &e2e_crc(&counted).to_le_bytes()].concat());
        for cut in 0..bare.len() {
            let error = decode(0x2b27, &bare[..cut]).expect_err("a field is cut off");
            assert!(matches!(error.fault, Fault::TooShort { .. }), "at {cut}: {error}");
        }
    }
    for (bytes, field) in [(&[9, 0][..], "op code"), (&[0x33, 0x0f], "operator"), (&[0x55, 0x33], "operator")] {
        assert_eq!(decode(0x2b27, bytes).expect_err("no such").field, field);
    }
}

#[test]
fn what_devices_can_do() {
    for (uuid, length) in [(0x2a51_u16, 2), (0x2a49, 2), (0x2a54, 2), (0x2a9e, 4), (0x2a9b, 4)] {
        check(uuid, &body(9, length));
    }
    // A pump's features: the check sum stands first, over all behind it.
    let rest = [5, 0x64, 0x00, 0xff, 0x80, 0x00];
    let with = [&e2e_crc(&rest).to_le_bytes()[..], &rest].concat();
    check(0x2b23, &with);
    for at in [0, 2, 3, 6] {
        let mut wrong = with.clone();
        wrong[at] ^= 0x80;
        assert_eq!(decode(0x2b23, &wrong).expect_err("a bit is wrong").fault, Fault::Checksum, "{at}");
    }
    check(0x2b23, &[0xff, 0xff, 0, 0x64, 0x00, 0xfe, 0x80, 0x00]);
    assert_eq!(decode(0x2b23, &[1, 0, 0, 0x64, 0, 0, 0, 0]).expect_err("neither").field, "e2e-crc");
}

#[test]
fn control_points() {
    let calibration = [4, 0x64, 0x00, 5, 0, 0x11, 60, 0, 1, 0, 0];
    let sops: Vec<Vec<u8>> = (1_u8..=28)
        .map(|code| match code {
            1 | 3 => vec![code, 5],
            4 | 6 => [&[code], &calibration[1..]].concat(),
            5 => vec![code, 0xff, 0xff],
            7..=24 if code % 3 != 2 => vec![code, 0x78, 0x00],
            28 => vec![code, 4, 1],
            _ => vec![code],
        })
        .collect();
    for bytes in &sops {
        check_protected(0x2aac, bytes, &e2e_crc(bytes).to_le_bytes());
    }
    assert_eq!(decode(0x2aac, &[29]).expect_err("unknown").fault, Fault::Code { code: 29 });
    let time = [0xea, 0x07, 11, 22, 1, 30, 0];
    let mut racp: Vec<Vec<u8>> = vec![vec![3, 0], vec![5, 0, 9, 0], vec![6, 0, 1, 6]];
    for code in [1, 2, 4] {
        racp.extend([1, 5, 6].map(|operator| vec![code, operator]));
        for operator in [2, 3] {
            racp.push(vec![code, operator, 1, 4, 0]);
            racp.push([&[code, operator, 2][..], &time].concat());
        }
        racp.push(vec![code, 4, 1, 4, 0, 9, 0]);
        racp.push([&[code, 4, 2][..], &time, &time].concat());
    }
    for bytes in &racp {
        check(0x2a52, bytes);
    }
    for (bytes, field) in [
        (&[9, 0][..], "op code"),
        (&[1, 7], "operator"),
        (&[1, 0], "operator"),
        (&[3, 1], "operator"),
        (&[1, 2, 3, 0, 0], "filter type"),
    ] {
        assert_eq!(decode(0x2a52, bytes).expect_err("no such").field, field);
    }
}

#[test]
fn fixed_values_and_texts() {
    for (uuid, length) in [
        (0x2a38_u16, 1),
        (0x2a1d, 1),
        (0x2a19, 1),
        (0x2a23, 8),
        (0x2a50, 7),
        (0x2a2b, 10),
        (0x2a0f, 2),
    ] {
        check(uuid, &body(9, length));
    }
    assert_eq!(decode(0x2a24, b"Cuff 7\0\0").expect("text").encode(), b"Cuff 7");
    let error = decode(0x2a29, b"ab\xff").expect_err("no text");
    assert_eq!((error.fault, error.offset), (Fault::Text, 2));
    assert_eq!(decode(0x1234, &[]).expect_err("unknown").fault, Fault::Unknown { number: 0x1234 });
    assert_eq!(
        decode(0x2a35, &[0, 1, 2, 3]).expect_err("cut").to_string(),
        "diastolic at byte 3: 2 bytes are needed, 1 are left"
    );
}
