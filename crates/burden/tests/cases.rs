//! Figures of small made-up wards, as data. A file of `tests/cases` says what there was, and after
//! `---` lines that the table of figures must hold; a line that begins with `!` must not be there.

use burden::{Alert, Call, Extreme, Input, Monitored, Priority, Settings, Verdict, csv, figures};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use vitals::EpisodeId;

fn micros(text: &str) -> i64 {
    let time: DateTime = text.parse().expect("a time such as 2026-11-16T03:00:00");
    time.to_zoned(TimeZone::UTC).expect("in range").timestamp().as_microsecond()
}

fn seconds(text: &str) -> i64 {
    (text.parse::<f64>().expect("seconds") * 1e6) as i64
}

/// `alert 2026-11-16T03:00:00 lasted priority unit bed device rule key=value…`
fn alerts(words: &[&str], number: usize) -> Vec<Alert> {
    let [at, lasted, priority, unit, bed, device, rule] = words[..7] else { panic!("seven words") };
    let told = |text: &str| if text == "-" { String::new() } else { text.replace('_', " ") };
    let option = |name: &str| words[7..].iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let (count, every) = (option("n").map_or(1, |n| n.parse().expect("a number")), option("every").map_or(0, seconds));
    (0..count)
        .map(|index| {
            let raised = micros(at) + index * every;
            let calls = option("calls").unwrap_or("0").split(',').map(|call| Call {
                at: raised + seconds(call.trim_end_matches('p')),
                passed_on: call.ends_with('p'),
            });
            Alert {
                episode: EpisodeId { offset: number as u64, index: index as u16 },
                raised,
                ended: (lasted != "open").then(|| raised + seconds(lasted)),
                priority: match priority {
                    "high" => Priority::High,
                    "medium" => Priority::Medium,
                    _ => Priority::Low,
                },
                unit: told(unit).into(),
                bed: told(bed).into(),
                device: told(device).into(),
                rule: told(rule).into(),
                taken: option("taken").map(|taken| {
                    let (after, role) = taken.split_once(':').expect("seconds:role");
                    (raised + seconds(after), role.into())
                }),
                calls: calls.collect(),
                verdict: option("verdict").map(|name| Verdict::from_name(name).expect("a verdict")),
                extreme: option("value").map(|text| {
                    let below = text.contains('<');
                    let (value, mark) = text.split_once(['<', '>']).expect("value<mark");
                    let number = |text: &str| text.parse().expect("a number");
                    Extreme { metric: told(rule), unit: "%".into(), mark: number(mark), below, value: number(value) }
                }),
            }
        })
        .collect()
}

fn read(text: &str) -> (Input, Settings) {
    let (mut input, mut settings) = (Input::default(), Settings::default());
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] | ["#", ..] => {}
            ["zone", name] => settings.zone = TimeZone::get(name).expect("a zone"),
            ["from", at] => input.from = micros(at),
            ["to", at] => (input.to, input.now) = (micros(at), micros(at)),
            ["monitored", unit, bed, days] => input.monitored.push(Monitored {
                unit: (*unit).to_owned(),
                bed: (*bed).to_owned(),
                days: days.parse().expect("days"),
            }),
            ["alert", rest @ ..] => input.alerts.extend(alerts(rest, number)),
            _ => panic!("line {number} is not understood: {line}"),
        }
    }
    (input, settings)
}

fn check(name: &str, text: &str) {
    let (given, expected) = text.split_once("---\n").expect("what there was, ---, what is told");
    let (input, settings) = read(given);
    let table = csv(&figures(&input, &settings));
    for line in expected.lines().filter(|line| !line.is_empty()) {
        let (absent, line) = line.strip_prefix('!').map_or((false, line), |line| (true, line));
        let there = table.lines().any(|other| other == line || (absent && other.starts_with(line)));
        assert!(there != absent, "{name}: {line}\nin\n{table}");
    }
}

#[test]
fn figures_of_small_wards() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases");
    let mut count = 0;
    for file in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = file.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("readable");
        check(&path.file_name().unwrap_or_default().to_string_lossy(), &text);
        count += 1;
    }
    assert!(count >= 6, "{count} cases");
}

#[test]
fn nothing_comes_of_nothing() {
    let table = csv(&figures(&Input::default(), &Settings::default()));
    assert!(table.contains("all,,,alerts,0\r\n"));
    assert!(!table.contains("a bed-day"));
}
