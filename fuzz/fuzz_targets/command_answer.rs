//! What a device says of a command, and a site's file of commands: taken, or refused with a word; what
//! is taken keeps to its limits and means the same both times; parameters that fit are as many as asked.
#![no_main]

use std::collections::BTreeMap;

use command::{Answer, Catalogue, Kind};
use libfuzzer_sys::fuzz_target;
use vitals::{CommandStep, CommandValue, Device, DeviceId};

fuzz_target!(|bytes: &[u8]| {
    let found = Answer::read(bytes);
    if let Ok(answer) = &found {
        assert!(bytes.len() <= 4 << 10 && answer.step.is_answer());
        match &answer.step {
            CommandStep::Failed { reason } => assert!(reason.chars().count() <= 200),
            CommandStep::Done { read_back } => {
                assert!(read_back.len() <= 32);
                for (_, value) in read_back {
                    assert!(!matches!(value, CommandValue::Number(number) if !number.is_finite()));
                }
            }
            _ => {}
        }
    }
    assert_eq!(found, Answer::read(bytes));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut catalogue = Catalogue::default();
    if let Err(error) = catalogue.add(text) {
        assert!(!error.to_string().is_empty() && catalogue == Catalogue::default());
    }
    let Ok(id) = DeviceId::new("pump-1") else { return };
    for offered in catalogue.of(&Device::announced(id)) {
        let fitting = |kind: &Kind| match kind {
            Kind::Number { low, .. } => CommandValue::Number(*low),
            Kind::Choice { choices } => CommandValue::Choice(choices.first().cloned().unwrap_or_default()),
            Kind::Flag => CommandValue::Flag(true),
        };
        let said: BTreeMap<_, _> =
            offered.offer.parameter.iter().map(|p| (p.name.clone(), fitting(&p.kind))).collect();
        if let Ok(parameters) = offered.offer.parameters(&said) {
            assert_eq!(parameters.len(), offered.offer.parameter.len());
        }
        let _ = offered.offer.read_back();
    }
});
