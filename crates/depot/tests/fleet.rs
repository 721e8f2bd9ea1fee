//! The fleet as a whole: inventory, policy, advisories, campaigns and habits survive a restart and
//! another program.

use std::path::Path;

use depot::{Depot, DepotError, Source};
use fleet::campaign::{Facts, Plan, Report, Ring, Step};
use fleet::firmware::Minimum;
use fleet::habit::Heard;
use fleet::inventory::Item;
use vitals::DeviceId;

const NOW: i64 = 1_893_456_000_000_000;

fn pump(device: &str, firmware: &str) -> Item {
    Item {
        device: device.to_owned(),
        manufacturer: "Acme".to_owned(),
        model: "P2".to_owned(),
        firmware: firmware.to_owned(),
        ..Item::default()
    }
}

fn open(folder: &Path) -> Depot {
    Depot::open(folder, None).expect("a depot")
}

#[test]
fn an_inventory_from_several_sources() {
    let folder = tempfile::tempdir().expect("a folder");
    let depot = open(folder.path());
    let listed = Item { asset: "INV-7".to_owned(), firmware: "1.0".to_owned(), ..pump("p1", "") };
    assert_eq!(depot.put_items(&[listed], Source::List, NOW).expect("kept"), 1);
    // The device itself knows its firmware best; what only the list knows stays.
    assert_eq!(depot.heard_items(&[pump("p1", "2.3"), pump("p2", "2.4.1")], NOW + 1).expect("kept"), 2);
    assert_eq!(depot.heard_items(&[pump("p1", "2.3")], NOW + 2).expect("kept"), 0, "nothing new");
    let minimum = Minimum { manufacturer: "ACME Inc.".to_owned(), model: "P2".to_owned(), version: "2.4".to_owned() };
    depot.set_minimums(vec![minimum.clone()]).expect("a policy");
    let bad = Minimum { version: "new".to_owned(), ..minimum };
    assert!(matches!(depot.set_minimums(vec![bad]), Err(DepotError::Wrong(_))));
    let again = open(folder.path());
    let told: Vec<String> = again
        .inventory()
        .expect("an inventory")
        .iter()
        .map(|e| format!("{} {} {} {}", e.item.device, e.item.firmware, e.item.asset, again.verdict(&e.item).expect("a verdict").name()))
        .collect();
    assert_eq!(told, ["p1 2.3 INV-7 below", "p2 2.4.1  ok"]);
    again.remove_item("p2").expect("known");
    assert_eq!(depot.inventory().expect("an inventory").len(), 1, "another program's change is seen");
}

#[test]
fn advisories_and_what_people_say_to_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let depot = open(folder.path());
    depot.heard_items(&[pump("p1", "2.3"), pump("p2", "2.4.1")], NOW).expect("kept");
    let table = "id,manufacturer,model,versions,cvss\nCVE-2099-1,Acme,P2,<2.4,9.8\n";
    assert_eq!(depot.import_advisory("office.csv", table.as_bytes(), "sec", NOW).expect("a table"), 1);
    let sbom = br#"{"bomFormat":"CycloneDX","components":[{"name":"zlib","purl":"pkg:generic/zlib@1.2.11"}]}"#;
    depot.attach_sbom(sbom, &["p2".to_owned()]).expect("an SBOM");
    assert!(matches!(depot.attach_sbom(sbom, &["p9".to_owned()]), Err(DepotError::Unknown("device"))));
    let table = "id,purl,versions,cvss\nCVE-2099-2,pkg:generic/zlib,<1.2.12,7.5\n";
    depot.import_advisory("zlib.csv", table.as_bytes(), "sec", NOW).expect("a table");
    let told = |depot: &Depot| -> Vec<String> {
        let found = depot.vulnerabilities().expect("findings").into_iter();
        found.map(|f| format!("{} {} {} {}", f.finding.device, f.finding.id, f.finding.severity, f.acknowledged.is_some())).collect()
    };
    assert_eq!(told(&depot), ["p1 CVE-2099-1 critical false", "p2 CVE-2099-2 high false"]);
    assert!(depot.acknowledge("CVE-2099-1", "p1", " ", "sec", NOW).is_err(), "no reason");
    assert!(depot.acknowledge("CVE-0", "", "x", "sec", NOW).is_err(), "no such one");
    depot.acknowledge("CVE-2099-1", "", "behind a firewall", "sec", NOW).expect("said");
    assert_eq!(told(&open(folder.path())), ["p2 CVE-2099-2 high false", "p1 CVE-2099-1 critical true"]);
    assert!(depot.import_advisory("x", b"{}", "sec", NOW).is_err_and(|e| e.is_asked_wrong()));
}

#[test]
fn a_campaign_from_its_draft_to_the_last_device() {
    let folder = tempfile::tempdir().expect("a folder");
    let depot = open(folder.path());
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tuf/good");
    depot.trust_root(&std::fs::read(samples.join("1.root.json")).expect("a root")).expect("a root");
    let target = depot.import_firmware(&samples, NOW).expect("taken")[0].signed.target();
    depot.heard_items(&[pump("p1", "2.3"), pump("p2", "2.3"), pump("p3", "2.4.1")], NOW).expect("kept");
    let plan = Plan { rings: vec![Ring::Percent(100)], soak_min: 0, ..Plan::careful("spring", target.clone()) };
    let forged = Plan { target: depot::Target { sha256: "0".repeat(64), ..target }, ..plan.clone() };
    assert!(matches!(depot.create_campaign(forged, NOW), Err(DepotError::Unknown(_))), "not signed");
    let number = depot.create_campaign(plan, NOW).expect("a campaign");
    depot.resume_campaign(number).expect("a draft");
    let facts = |on_patient| move |device: &str| Facts {
        on_patient: on_patient && device == "p2",
        online: true,
        version: "2.3".to_owned(),
        ..Facts::default()
    };
    let told = depot.tick_campaigns(facts(true), NOW).expect("ticked");
    assert_eq!(told.iter().map(|c| (c.device.as_str(), c.command)).collect::<Vec<_>>(), [("p1", "update")]);
    let json = serde_json::to_string(&told[0]).expect("JSON");
    assert!(json.contains("\"url\":\"/api/v1/fleet/firmware/") && json.contains("\"campaign\":1"), "{json}");
    assert!(depot.command_for("p2", &facts(true)("p2")).expect("asked").is_none(), "on a patient");
    // After a restart the offer still stands.
    let depot = open(folder.path());
    assert!(depot.command_for("p1", &facts(true)("p1")).expect("asked").is_some());
    assert!(depot.report_update("p2", &Report::Installed, NOW).is_err(), "nothing was offered to it");
    for report in [Report::Downloading, Report::Installed, Report::Running("2.4.1".to_owned())] {
        depot.report_update("p1", &report, NOW).expect("in hand");
    }
    let told = depot.tick_campaigns(facts(false), NOW + 1).expect("ticked");
    assert_eq!(told.iter().map(|c| c.device.as_str()).collect::<Vec<_>>(), ["p2"], "off the patient now");
    let told = depot.pause_campaign(number, "lunch", NOW + 2).expect("running");
    assert_eq!(told.iter().map(|c| c.command).collect::<Vec<_>>(), ["withdraw"]);
    let steps: Vec<Step> = depot.campaign(number).expect("known").members.values().map(|m| m.step).collect();
    assert_eq!(steps, [Step::Confirmed, Step::Eligible]);
}

#[test]
fn habits_survive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let depot = open(folder.path());
    let device = DeviceId::new("m1").expect("an id");
    let hear = |depot: &Depot, topic: &str, from: i64, count: i64| {
        for at in from..from + count {
            let received_us = NOW + at * 5_000_000;
            depot.hear(&Heard { device: &device, topic, address: None, received_us, measurements: &[] });
        }
    };
    hear(&depot, "measurements", 0, 400);
    assert_eq!(depot.keep_habits().expect("kept"), 1);
    let depot = open(folder.path());
    hear(&depot, "measurements", 400, 10);
    assert_eq!(depot.take_findings().expect("asked"), []);
    hear(&depot, "shell", 410, 10);
    assert_eq!(depot.take_findings().expect("asked").len(), 1);
    let events = depot.events(Some("m1"), 10).expect("events");
    assert_eq!(events.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(), ["kind"]);
    assert_eq!(depot.events(Some("m2"), 10).expect("events").len(), 0);
}
