//! Policies that are refused, and why.

use super::*;

const CHAIN: &str = "name='x'\n[[chain]]\nname='ward'\nrepeat_s=60\nstep=[{role='nurse',after_s=0}]\n";

fn check(text: &str, expected: &str) {
    let error = Policy::parse(&format!("{CHAIN}{text}")).expect_err("refused").to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn the_built_in_policy_compiles() {
    let policy = Policy::built_in();
    assert!(policy.rules.iter().any(|rule| rule.id == "news2"));
    assert!(!policy.limits.is_empty());
}

#[test]
fn errors_name_the_rule_and_the_remedy() {
    check("[[rule]]\nid='a'\ntitle='A'\ngroup='g'\nlevel=[{priority='high',when='HR >'}]", "rule `a`");
    check("[[rule]]\nid='a'\ntitle='A'\ngroup='g'\nchain='no'\nlevel=[{priority='high',when='HR > 1'}]", "chains are ward");
    check("[[limit]]\nmetric='XYZ'\nhigh=1", "reference id");
    check("[[limit]]\nmetric='HR'\nhigh=1\nlow=2", "must hold");
    check("[[limit]]\nmetric='HR'\nhihg=1", "hihg");
}
