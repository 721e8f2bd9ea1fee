//! Whatever the bytes: no panic, and what reads, writes the same bytes.

use proptest::prelude::*;
use wire_phd::Apdu;
use wire_phd::config::Configuration;
use wire_phd::manager::{Input, Manager};
use wire_phd::standard::{KNOWN, standard};

/// APDUs with a valid outer shape, so that the inner ones are reached.
fn apdus() -> impl Strategy<Value = Vec<u8>> {
    let service = prop_oneof![
        Just(0x0100_u16),
        Just(0x0101),
        Just(0x0103),
        Just(0x0105),
        Just(0x0107),
        Just(0x0201),
        Just(0x0203),
        Just(0x0300),
        Just(0x0400),
        any::<u16>()
    ];
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        (3355_u16..3375, proptest::collection::vec(0_u8..12, 0..60)).prop_map(|(kind, info)| {
            let mut body = vec![0; 6];
            body.extend(kind.to_be_bytes());
            body.extend((info.len() as u16).to_be_bytes());
            body.extend(info);
            body
        }),
    ];
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        (service, body).prop_map(|(service, body)| {
            let length = body.len() as u16;
            let head = [0xe700, length + 8, length + 6, 1, service, length];
            [head.map(u16::to_be_bytes).concat(), body].concat()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_bytes(bytes in apdus()) {
        if let Ok(apdu) = Apdu::decode(&bytes) {
            prop_assert_eq!(apdu.encode(), bytes.clone());
        }
        for configuration in [0x02bc_u16, 0x4000] {
            let mut manager = Manager::new([1; 8], 0);
            manager.step(Input::Connected, 0);
            let mut hello = HELLO.to_vec();
            hello[44..46].copy_from_slice(&configuration.to_be_bytes());
            manager.step(Input::Apdu(&hello), 0);
            manager.step(Input::Apdu(&bytes), 1);
            manager.step(Input::Tick, i64::MAX);
        }
    }

    #[test]
    fn any_configuration(bytes in proptest::collection::vec(0_u8..9, 0..60)) {
        if let Ok(configuration) = Configuration::decode(&bytes) {
            prop_assert_eq!(configuration.encode(), bytes);
        }
    }
}

const HELLO: [u8; 54] = [
    0xe2, 0, 0, 0x32, 0x80, 0, 0, 0, 0, 1, 0, 0x2a, 0x50, 0x79, 0, 0x26, 0x80, 0, 0, 0, 0x80, 0,
    0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 1, 0, 0, 0,
    0, 0,
];

#[test]
fn standard_configurations_read_as_if_sent() {
    for (id, name) in KNOWN {
        let configuration = standard(id).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(Configuration::decode(&configuration.encode()), Ok(configuration.clone()));
        for object in &configuration.objects {
            assert!(matches!(object.value_map(), Ok(Some(_))), "{name}");
        }
    }
    assert!(standard(0x4000).is_none());
}
