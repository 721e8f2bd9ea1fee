//! The shipped response bands, value by value as the publications give them.

use alert::{Conditions, Limits, Policy, Priority, band_sets};
use vitals::metric::code;
use vitals::MetricCode;

const CHAIN: &str = "name = 'x'\n[[chain]]\nname = 'ward'\nrepeat_s = 60\nstep = [{ role = 'nurse', after_s = 0 }]\n";

fn including(name: &str) -> Policy {
    Policy::parse(&format!("include = ['{name}']\n{CHAIN}")).expect("compiles")
}

/// Priority of what holds after values have stood for ten minutes.
fn priority(policy: &Policy, age: f64, values: &[(MetricCode, f64)]) -> Option<Priority> {
    let mut conditions = Conditions::default();
    conditions.configure(policy, &Limits { unit: None, age_years: Some(age), own: &[] });
    let value = |term| values.iter().find(|(metric, _)| *metric == term).map(|(_, value)| *value);
    conditions.judge(&value, 0);
    conditions.judge(&value, 600_000_000);
    conditions.active().iter().map(|active| active.priority).max()
}

/// From each value of the list on, up to the next, this priority.
fn check(name: &str, metric: MetricCode, age: f64, bands: &[(f64, Option<Priority>)], last: f64) {
    let policy = including(name);
    for (at, (from, expected)) in bands.iter().enumerate() {
        let below = bands.get(at + 1).map_or(last, |next| next.0);
        let mut value = *from;
        while value < below {
            assert_eq!(priority(&policy, age, &[(metric, value)]), *expected, "{name} at {value}");
            let step = if metric == code::SHOCK_INDEX { 0.03 } else { 1.0 };
            value = ((value + step) * 100.0).round() / 100.0;
        }
    }
}

const LOW: Option<Priority> = Some(Priority::Low);
const MEDIUM: Option<Priority> = Some(Priority::Medium);
const HIGH: Option<Priority> = Some(Priority::High);

#[test]
fn each_band_asks_as_published() {
    check("news2-rcp-2017", code::NEWS2, 50.0, &[(0.0, None), (5.0, MEDIUM), (7.0, HIGH)], 21.0);
    check("mews-subbe-2001", code::MEWS, 50.0, &[(0.0, None), (3.0, LOW), (5.0, HIGH)], 15.0);
    check("pews-bedside-2011", code::PEWS, 3.0, &[(0.0, None), (3.0, LOW), (5.0, MEDIUM), (7.0, HIGH)], 27.0);
    check("qsofa-sepsis3-2016", code::QSOFA, 50.0, &[(0.0, None), (2.0, MEDIUM)], 4.0);
    check("sirs-accp-1992", code::SIRS, 50.0, &[(0.0, None), (2.0, LOW)], 5.0);
    check("sofa-sepsis3-2016", code::SOFA, 50.0, &[(0.0, None), (2.0, LOW)], 25.0);
    check("meows-singh-2012", code::MEOWS, 29.0, &[(0.0, None), (2.0, MEDIUM)], 15.0);
    check("shock-index", code::SHOCK_INDEX, 50.0, &[(0.3, None), (0.9, LOW), (1.0, MEDIUM)], 2.0);
}

#[test]
fn one_red_parameter_asks_for_a_review_below_the_key_threshold() {
    let policy = including("news2-rcp-2017");
    let at = |total, most| priority(&policy, 50.0, &[(code::NEWS2, total), (code::NEWS2_MAX, most)]);
    assert_eq!(at(3.0, 3.0), LOW);
    assert_eq!(at(4.0, 2.0), None);
    assert_eq!(at(4.0, 3.0), LOW);
    assert_eq!(at(6.0, 3.0), MEDIUM);
    assert_eq!(at(9.0, 3.0), HIGH);
}

#[test]
fn scores_ask_only_for_those_they_were_made_for() {
    assert_eq!(priority(&including("news2-rcp-2017"), 15.0, &[(code::NEWS2, 9.0)]), None);
    assert_eq!(priority(&including("mews-subbe-2001"), 10.0, &[(code::MEWS, 9.0)]), None);
    assert_eq!(priority(&including("pews-bedside-2011"), 19.0, &[(code::PEWS, 9.0)]), None);
}

#[test]
fn every_set_says_its_source_and_can_be_taken_together() {
    let sets = band_sets();
    assert!(sets.iter().all(|set| set.source.len() > 20 && !set.title.is_empty() && set.text.contains("[[rule]]")));
    let names: Vec<String> = sets.iter().map(|set| format!("'{}'", set.name)).collect();
    let policy = Policy::parse(&format!("include = [{}]\n{CHAIN}", names.join(", "))).expect("compiles");
    assert_eq!(policy.rules.len(), sets.len());
}

#[test]
fn a_sites_own_rule_takes_the_place_of_the_included_one() {
    let own = "[[rule]]\nid = 'news2'\ntitle = 'Ours'\ngroup = 'g'\nlevel = [{ priority = 'low', when = 'NEWS2 >= 9' }]\n";
    let policy = Policy::parse(&format!("include = ['news2-rcp-2017']\n{CHAIN}{own}")).expect("compiles");
    assert_eq!(policy.rules.iter().map(|rule| rule.title.as_str()).collect::<Vec<_>>(), ["Ours"]);
    let error = Policy::parse(&format!("include = ['news3']\n{CHAIN}")).expect_err("no such set").to_string();
    assert!(error.contains("news2-rcp-2017"), "{error}");
}
