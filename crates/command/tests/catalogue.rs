//! What may be asked of which device.

use std::collections::BTreeMap;

use command::Catalogue;
use vitals::{CommandValue, Device, DeviceId};

fn device(manufacturer: &str, model: &str) -> Device {
    let mut device = Device::announced(DeviceId::new("d").expect("valid"));
    device.manufacturer = manufacturer.into();
    device.model = model.into();
    device
}

#[test]
fn a_device_that_no_file_names_takes_nothing() {
    let catalogue = Catalogue::built_in();
    let names = |manufacturer, model| {
        let device = device(manufacturer, model);
        catalogue.of(&device).iter().map(|offered| offered.offer.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("vitalwire", "Simulated monitor"), ["identify", "start-nibp", "set-alarm-limit"]);
    assert!(names("Vitalwire", "Other").is_empty() && names("", "").is_empty());
}

#[test]
fn a_device_that_does_not_say_what_it_is_is_named_by_its_id() {
    let mut catalogue = Catalogue::default();
    let command = "[[profile.command]]\nname = \"x\"\ntitle = \"X\"\nclass = \"locate\"\nexpires-s = 9\nanswer-s = 9\n";
    catalogue.add(&format!("[[profile]]\ndevices = [\"P60*\", \"Q1\"]\n{command}")).expect("good");
    for (id, offers) in [("P6013", 1), ("Q1", 1), ("Q12", 0), ("p6013", 0)] {
        let device = Device::announced(DeviceId::new(id).expect("valid"));
        assert_eq!(catalogue.of(&device).len(), offers, "{id}");
    }
    assert!(catalogue.add(&format!("[[profile]]\nmanufacturer = \"A\"\n{command}")).is_err(), "it names no device");
}

#[test]
fn parameters_are_checked_one_by_one() {
    let catalogue = Catalogue::built_in();
    let device = device("Vitalwire", "Simulated monitor");
    let offers = catalogue.of(&device);
    let limit = offers.iter().find(|offered| offered.offer.name == "set-alarm-limit").expect("offered").offer;
    let number = |n| Some(CommandValue::Number(n));
    let text = |t: &str| Some(CommandValue::Choice(t.into()));
    for (which, rate, other, expected) in [
        (text("low"), number(40.0), None, "ok"),
        (text("low"), number(19.0), None, "`rate` must be a number from 20 to 250 /min"),
        (text("low"), number(f64::NAN), None, "`rate` must be a number from 20 to 250 /min"),
        (text("middle"), number(40.0), None, "`limit` must be one of: low, high"),
        (None, number(40.0), None, "`limit` is missing"),
        (text("low"), text("40"), None, "`rate` must be a number from 20 to 250 /min"),
        (text("low"), number(40.0), number(1.0), "the command has no parameter of that name; it has: limit, rate"),
    ] {
        let mut said = BTreeMap::new();
        for (name, value) in [("limit", which), ("rate", rate), ("x", other)] {
            value.and_then(|value| said.insert(name.to_owned(), value));
        }
        let told = limit.parameters(&said).map_or_else(|fault| fault.to_string(), |_| "ok".to_owned());
        assert_eq!(told, expected);
    }
}

#[test]
fn a_file_that_contradicts_itself_is_left_out_whole() {
    let file = |body: &str| {
        format!(
            "[[profile]]\nmanufacturer = \"A\"\nmodels = [\"P*\"]\n[[profile.command]]\nname = \"x\"\n\
             title = \"X\"\n{body}"
        )
    };
    for (body, expected) in [
        ("class = \"therapy\"\ntwo-person = true\nread-back = \"answer\"\nexpires-s = 9\nanswer-s = 9", "ok"),
        ("class = \"therapy\"\nread-back = \"answer\"\nexpires-s = 9\nanswer-s = 9", "two-person"),
        ("class = \"therapy\"\ntwo-person = true\nexpires-s = 9\nanswer-s = 9", "read-back"),
        ("class = \"magic\"\nexpires-s = 9\nanswer-s = 9", "class must be"),
        ("class = \"locate\"\nexpires-s = 0\nanswer-s = 9", "1 to 86400"),
        ("class = \"locate\"\nread-back = \"metric 7 y\"\nexpires-s = 9\nanswer-s = 9", "read-back must be"),
        ("class = \"locate\"\nexpires-s = 9\nanswer-s = 9\nretry = 3", "unknown field"),
    ] {
        let mut catalogue = Catalogue::default();
        let told = catalogue.add(&file(body)).map_or_else(|error| error.to_string(), |()| "ok".into());
        assert!(told.contains(expected), "{body}: {told}");
        assert_eq!(catalogue.of(&device("A", "P9")).len(), usize::from(expected == "ok"));
    }
}
