//! Whole associations with the bytes that both sides send, and what the manager does when a device
//! errs.

use vitals::Value;
use wire_phd::Apdu;
use wire_phd::manager::{Input, Manager, Output, State};

const MANAGER: [u8; 8] = [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11];

/// A blood pressure monitor with the standard configuration wants to associate: the layout of the
/// examples in IEEE 11073-10407 annex F.
const REQUEST: &str = "e200 0032 80000000 0001 002a 5079 0026 80000000 8000 80000000 00000000 \
     00800000 0008 1122334455667788 02bc 0001 01 00 0000 0000";
/// The manager takes it.
const ACCEPTED: &str = "e300 002c 0000 5079 0026 80000000 8000 80000000 00000000 80000000 0008 \
     8877665544332211 0000 0000 00 00 0000 0000";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex"))
        .collect()
}

fn sent(outputs: &[Output]) -> Vec<Vec<u8>> {
    let only = |output: &Output| match output {
        Output::Send(bytes) => Some(bytes.clone()),
        _ => None,
    };
    outputs.iter().filter_map(only).collect()
}

fn connected() -> Manager {
    let mut manager = Manager::new(MANAGER, 60);
    assert!(manager.step(Input::Connected, 0).is_empty());
    manager
}

fn associated(request: &str) -> (Manager, Vec<Output>) {
    let mut manager = connected();
    let outputs = manager.step(Input::Apdu(&bytes(request)), 0);
    (manager, outputs)
}

/// An event of the device: invoke 0x1236, confirmed or not, its type, its information.
fn event(confirmed: bool, object: u16, kind: u16, info: &[u8]) -> Vec<u8> {
    let mut body = object.to_be_bytes().to_vec();
    body.extend([0; 4]);
    body.extend(kind.to_be_bytes());
    body.extend((info.len() as u16).to_be_bytes());
    body.extend(info);
    let service = 0x0100 + u16::from(confirmed);
    let mut data = [0x1236, service, body.len() as u16].map(u16::to_be_bytes).concat();
    data.extend(body);
    let head = [0xe700, data.len() as u16 + 2, data.len() as u16].map(u16::to_be_bytes).concat();
    [head, data].concat()
}

/// A list's count and length before its bytes.
fn list(count: u16, body: &[u8]) -> Vec<u8> {
    [&[count, body.len() as u16].map(u16::to_be_bytes).concat()[..], body].concat()
}

#[test]
fn a_standard_device_from_hello_to_goodbye() {
    let (mut manager, outputs) = associated(REQUEST);
    assert_eq!(sent(&outputs), [bytes(ACCEPTED)]);
    assert_eq!(manager.state(), State::Operating);
    assert!(matches!(&outputs[2], Output::Configured(known) if known.id == 0x02bc));

    let pressure = [bytes("0003 0006 0078 0050 005d"), bytes("2026112201300000")].concat();
    let mut scan = bytes("0001 0012");
    scan.extend(&pressure);
    scan.extend(bytes("0002 000a 0048 2026112201300000"));
    let report = [bytes("f000 0000"), list(2, &scan)].concat();
    let outputs = manager.step(Input::Apdu(&event(true, 0, 3357, &report)), 1);
    let [Output::Observed(first), Output::Observed(second), Output::Send(answer)] = &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    let both = &first.measurements[0];
    assert_eq!(both.metric.refid(), "MDC_PRESS_BLD_NONINV");
    let Value::Compound(parts) = &both.value else { panic!("{both:?}") };
    let parts: Vec<f64> = parts.iter().map(|part| part.1).collect();
    assert_eq!(parts, [120.0, 80.0, 93.0]);
    assert_eq!(both.device_time.map(|time| time.millis()), Some(1_795_307_400_000));
    assert_eq!(second.measurements[0].metric.refid(), "MDC_PULS_RATE_NON_INV");
    assert_eq!(second.measurements[0].value, Value::Numeric(72.0));
    assert_eq!(answer, &bytes("e700 0012 0010 1236 0201 000a 0000 00000000 0d1d 0000"));

    let outputs = manager.step(Input::AskDevice, 2);
    assert_eq!(sent(&outputs), [bytes("e700 000e 000c 0001 0103 0006 0000 0000 0000")]);
    let attributes = bytes("e700 0018 0016 0001 0203 0010 0000 0001 000a 0984 0006 0004 deadbeef");
    let wrong = manager.clone().step(Input::Apdu(&attributes[..20]), 3);
    assert!(matches!(
        wrong[..],
        [Output::Send(_), Output::Ended { orderly: false }, Output::Problem(_)]
    ));
    let outputs = manager.step(Input::Apdu(&attributes), 3);
    assert_eq!(outputs, [Output::Device(vec![(2436, bytes("0004 deadbeef"))])]);
    assert!(manager.step(Input::Tick, 100_000_000).is_empty(), "nothing is awaited any more");

    let outputs = manager.step(Input::Apdu(&bytes("e400 0002 0000")), 4);
    assert_eq!(outputs, [Output::Send(bytes("e500 0002 0000")), Output::Ended { orderly: true }]);
    assert_eq!(manager.state(), State::Unassociated);
}

#[test]
fn a_device_with_its_own_configuration() {
    let request = REQUEST.replace("02bc", "4000");
    let (mut manager, outputs) = associated(&request);
    assert_eq!(&sent(&outputs)[0][4..6], [0, 3], "accepted, unknown configuration");
    assert_eq!(manager.state(), State::WaitingForConfig);

    // A thermometer: body temperature in °C, a FLOAT and a time.
    let attributes =
        bytes("092f 0004 0002 4b5c 0996 0002 17a0 0a55 000c 0002 0008 0a56 0004 0990 0008");
    let object = [bytes("0006 0001"), list(3, &attributes)].concat();
    let config = [bytes("4000"), list(1, &object)].concat();
    let outputs = manager.step(Input::Apdu(&event(true, 0, 3356, &config)), 1);
    let accepted = bytes("e700 0016 0014 1236 0201 000e 0000 00000000 0d1c 0004 4000 0000");
    assert_eq!(sent(&outputs), [accepted]);
    assert_eq!(manager.state(), State::Operating);
    let Output::Configured(learned) = &outputs[1] else { panic!("{outputs:?}") };
    assert_eq!(learned.encode(), config);

    // 36.6 °C, and one with no valid value; the clock's month is 13.
    for (value, measurements, problems) in [
        ("ff00016e 2026112201300000", 1, 0),
        ("007fffff 2026112201300000", 0, 1),
        ("ff00016e 2026132201300000", 1, 1),
        ("ff00016e 20261122013000ff", 1, 1),
    ] {
        let scan = [bytes("0001 000c"), bytes(value)].concat();
        let report = [bytes("f000 0000"), list(1, &scan)].concat();
        let outputs = manager.step(Input::Apdu(&event(false, 0, 3357, &report)), 1);
        let [Output::Observed(meaning)] = &outputs[..] else { panic!("{outputs:?}") };
        assert_eq!(meaning.measurements.len(), measurements, "{value} {:?}", meaning.problems);
        assert_eq!(meaning.problems.len(), problems, "{value}");
        for measurement in &meaning.measurements {
            assert_eq!(measurement.metric.refid(), "MDC_TEMP_BODY");
            assert_eq!(measurement.value, Value::Numeric(36.6));
        }
    }

    // When it comes back it is known.
    let end = manager.step(Input::Apdu(&bytes("e400 0002 0000")), 2);
    assert_eq!(end.len(), 2);
    let outputs = manager.step(Input::Apdu(&bytes(&request)), 3);
    assert_eq!(&sent(&outputs)[0][4..6], [0, 0], "accepted");
    assert_eq!(manager.state(), State::Operating);
}

#[test]
fn reports_in_every_shape() {
    // An oximeter of its own: saturation as 1, and a scanner over it and its status as 2.
    let one = bytes("092f 0004 0002 4bb8 0996 0002 0220 0a55 0008 0001 0004 0a4c 0002");
    let map = bytes("0a53 0012 0001 000e 0001 0002 0008 0a4c 0002 0947 0002");
    let objects = [bytes("0006 0001"), list(3, &one), bytes("0010 0002"), list(1, &map)].concat();
    let config = [bytes("4001"), list(2, &objects)].concat();
    let values = |value: &str| bytes(value);
    let fixed = list(1, &values("0001 0002 0061"));
    let variable = list(1, &values("0001 0002 000c 0a4c 0002 0061 0947 0002 4000"));
    let grouped = list(1, &values("0004 0061 4000"));
    let several = |body: &[u8]| list(1, &[&[0, 7][..], body].concat());
    for (object, kind, body, questionable, person) in [
        (0, 3357, fixed.clone(), false, None),
        (0, 3358, variable.clone(), true, None),
        (0, 3359, several(&fixed), false, Some(7)),
        (0, 3360, several(&variable), true, Some(7)),
        (2, 3362, variable.clone(), true, None),
        (2, 3363, fixed.clone(), false, None),
        (2, 3364, grouped.clone(), true, None),
        (2, 3365, several(&variable), true, Some(7)),
        (2, 3366, several(&fixed), false, Some(7)),
        (2, 3367, several(&grouped), true, Some(7)),
        (2, 3368, variable.clone(), true, None),
        (2, 3369, fixed.clone(), false, None),
        (2, 3370, grouped.clone(), true, None),
        (2, 3371, several(&variable), true, Some(7)),
        (2, 3372, several(&fixed), false, Some(7)),
        (2, 3373, several(&grouped), true, Some(7)),
    ] {
        let (mut manager, _) = associated(&REQUEST.replace("02bc", "4001"));
        manager.step(Input::Apdu(&event(true, 0, 3356, &config)), 0);
        let report = [bytes("f000 0001"), body].concat();
        let outputs = manager.step(Input::Apdu(&event(false, object, kind, &report)), 1);
        let [Output::Observed(meaning)] = &outputs[..] else { panic!("{kind}: {outputs:?}") };
        assert_eq!(meaning.person, person, "{kind}");
        let measurement = &meaning.measurements[0];
        assert_eq!(measurement.value, Value::Numeric(97.0), "{kind}");
        assert_eq!(measurement.quality.usable(), !questionable, "{kind}");
        for cut in 0..report.len() {
            let outputs = manager.step(Input::Apdu(&event(true, object, kind, &report[..cut])), 1);
            assert!(
                matches!(outputs[..], [Output::Send(_), Output::Problem(_)]),
                "{kind} at {cut}"
            );
            assert_eq!(manager.state(), State::Operating, "one bad report ends nothing");
        }
    }
}

#[test]
fn an_ecg() {
    // Lead II in mV: eight samples of 16 bits at 250 Hz; 0 to 2000 stand for -10 to 10 mV.
    let lead = bytes(
        "092f 0004 0002 0102 0996 0002 10b2 096d 0006 0008 10 0c 0000 098d 0004 00000020 \
         096f 000c 00fffff6 0000000a 0000 07d0 0a55 0008 0001 0004 0a48 0012",
    );
    let config = [bytes("4002"), list(1, &[bytes("0009 0001"), list(6, &lead)].concat())].concat();
    let (mut manager, _) = associated(&REQUEST.replace("02bc", "4002"));
    let outputs = manager.step(Input::Apdu(&event(true, 0, 3356, &config)), 0);
    assert!(matches!(outputs[1], Output::Configured(_)), "{outputs:?}");
    let scan = bytes("0001 0012 0010 03e8 044c 0000 07d0 03e8 03e9 03e7 03e8");
    let report = [bytes("f000 0000"), list(1, &scan)].concat();
    let outputs = manager.step(Input::Apdu(&event(false, 0, 3357, &report)), 1);
    let [Output::Observed(meaning)] = &outputs[..] else { panic!("{outputs:?}") };
    assert_eq!(meaning.problems, []);
    let measurement = &meaning.measurements[0];
    assert_eq!(measurement.metric.refid(), "MDC_ECG_ELEC_POTL_II");
    let Value::SampleArray(wave) = &measurement.value else { panic!("{measurement:?}") };
    assert_eq!(wave.rate.hz(), 250.0);
    let expected = [0.0, 1.0, -10.0, 10.0, 0.0, 0.01, -0.01, 0.0];
    assert!(wave.values().iter().zip(expected).all(|(value, told)| (value - told).abs() < 1e-12));
    assert_eq!(wave.len(), 8);
}

#[test]
fn what_a_device_may_not_do() {
    let abort = |reason: u16| [&[0xe6, 0, 0, 2][..], &reason.to_be_bytes()].concat();
    // Before an association: data and answers abort; aborts are disregarded.
    for (apdu, answer) in [
        (event(true, 0, 3357, &[]), Some(abort(0))),
        (bytes(ACCEPTED), Some(abort(0))),
        (bytes("e400 0002 0000"), Some(abort(0))),
        (bytes("e500 0002 0000"), None),
        (bytes("e600 0002 0000"), None),
        (bytes("ffff 0000"), Some(abort(0))),
    ] {
        let mut manager = connected();
        let outputs = manager.step(Input::Apdu(&apdu), 0);
        assert_eq!(sent(&outputs), answer.into_iter().collect::<Vec<_>>(), "{apdu:02x?}");
        assert_eq!(manager.state(), State::Unassociated);
    }
    // Associations that can't be: another protocol, version, encoding.
    for (from, to, result) in [
        ("5079", "5080", 4_u16),
        ("0032 80000000", "0032 40000000", 8),
        ("0026 80000000 8000", "0026 80000000 4000", 5),
        ("0026 80000000", "0026 40000000", 5),
    ] {
        let (manager, outputs) = associated(&REQUEST.replace(from, to));
        assert_eq!(sent(&outputs)[0][4..6], result.to_be_bytes(), "{from} {to}");
        assert_eq!(manager.state(), State::Unassociated);
    }
    // A second request, and a configuration that nobody asked for, abort.
    for apdu in [bytes(REQUEST), event(true, 0, 3356, &bytes("4000 0000 0000"))] {
        let (mut manager, _) = associated(REQUEST);
        let outputs = manager.step(Input::Apdu(&apdu), 1);
        assert_eq!(outputs, [Output::Send(abort(0)), Output::Ended { orderly: false }]);
    }
    // No configuration in ten seconds; no answer in three.
    let (mut manager, _) = associated(&REQUEST.replace("02bc", "4000"));
    assert!(manager.step(Input::Tick, 9_999_999).is_empty());
    assert_eq!(sent(&manager.step(Input::Tick, 10_000_000)), [abort(3)]);
    let (mut manager, _) = associated(REQUEST);
    manager.step(Input::AskDevice, 0);
    assert_eq!(sent(&manager.step(Input::Tick, 3_000_000)), [abort(2)]);
    // A service that a manager does not have, an event that is no report.
    let (mut manager, _) = associated(REQUEST);
    let outputs =
        manager.step(Input::Apdu(&bytes("e700 000e 000c 0009 0103 0006 0000 0000 0000")), 1);
    assert_eq!(sent(&outputs), [bytes("e700 000c 000a 0009 0300 0004 0001 0000")]);
    let outputs = manager.step(Input::Apdu(&event(true, 0, 9999, &[])), 1);
    assert_eq!(sent(&outputs), [bytes("e700 000c 000a 1236 0300 0004 0009 0000")]);
}

#[test]
fn both_sides_may_end_it() {
    let (mut manager, _) = associated(REQUEST);
    assert_eq!(sent(&manager.step(Input::Release, 1)), [bytes("e400 0002 0000")]);
    assert_eq!(manager.state(), State::Disassociating);
    // What was on its way is disregarded; a request of the device's own is answered.
    assert!(manager.step(Input::Apdu(&event(true, 0, 3357, &[])), 1).is_empty());
    assert_eq!(
        sent(&manager.step(Input::Apdu(&bytes("e400 0002 0000")), 1)),
        [bytes("e500 0002 0000")]
    );
    let outputs = manager.step(Input::Apdu(&bytes("e500 0002 0000")), 1);
    assert_eq!(outputs, [Output::Ended { orderly: true }]);
    let (mut manager, _) = associated(REQUEST);
    assert_eq!(manager.step(Input::Disconnected, 1), [Output::Ended { orderly: false }]);
    assert!(manager.step(Input::Apdu(&bytes(REQUEST)), 1).is_empty(), "nothing is connected");
}

#[test]
fn apdus_read_and_write() {
    let whole = [
        REQUEST,
        ACCEPTED,
        "e400 0002 0001",
        "e500 0002 0000",
        "e600 0002 0003",
        "e700 000e 000c 0001 0103 0006 0000 0000 0000",
        "e700 0010 000e 0001 0103 0008 0000 0001 0002 0984",
        "e700 0016 0014 0001 0105 000e 0001 0001 0008 0000 0a46 0002 8040",
        "e700 0014 0012 0001 0107 000c 0000 0c1b 0006 f000 0000 0000",
        "e700 0018 0016 0001 0203 0010 0000 0001 000a 0984 0006 0004 deadbeef",
        "e700 000c 000a 0001 0207 0004 0000 0c1b",
        "e700 000c 000a 0001 0300 0004 0001 0000",
        "e700 000a 0008 0001 0400 0002 0002",
    ];
    for (at, hex) in whole.iter().enumerate() {
        let bytes = bytes(hex);
        // A done action without its arguments' length is cut.
        if at == 10 {
            assert!(Apdu::decode(&bytes).is_err());
            continue;
        }
        let apdu = Apdu::decode(&bytes).unwrap_or_else(|error| panic!("{hex}: {error}"));
        assert_eq!(apdu.encode(), bytes, "{hex}");
        for cut in 0..bytes.len() {
            assert!(Apdu::decode(&bytes[..cut]).is_err(), "{hex} cut at {cut}");
        }
        assert!(Apdu::decode(&[&bytes[..], &[0]].concat()).is_err(), "{hex} with a byte too many");
    }
    let error = Apdu::decode(&bytes("e300 002c 0009")).expect_err("cut");
    assert_eq!(error.to_string(), "apdu-length at byte 4: 44 bytes are needed, 2 are left");
}
