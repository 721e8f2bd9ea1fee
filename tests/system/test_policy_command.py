"""`vitalwire policy` as the security officer runs it: a decision explained in words, rules printed, files of rules checked;
and a start with rules that are not understood."""

import json
import os
import subprocess

import pytest

from support.server import Server, binary

SECOND_FACTOR = """@id("administration-needs-a-second-factor")
@text("Programs have none, so they are left out.")
forbid (principal, action in Action::"administration", resource)
unless { context.strong || principal.kind == "service" };
"""
# A file of rules, and what is said of it.
WRONG = [
    ("permit (principal, action, resource", ["site.cedar:1", "end of input"]),
    ("permit (principal, action, resource);\n", ["site.cedar:1", "needs a name", "@id"]),
    ('@id("x")\n@text("t")\npermit (principal in Role::"nurse", action in Action::"sea-patients", resource);\n',
     ["site.cedar:3", "unrecognized action", "did you mean"]),
    ('@id("x")\n@text("t")\npermit (principal in Role::"nurse", action in Action::"administration", resource)\n'
     "when { principal.shoe_size > 40 };\n", ["site.cedar:", "shoe_size"]),
    ('@id("nurse")\n@text("t")\npermit (principal, action in Action::"administration", resource);\n',
     ['there is a rule "nurse" already', "default.cedar:", "rename"]),
    ("", []),
]


@pytest.fixture
def house(tmp_path):
    """A data folder with a nurse of the ICU."""
    server = Server(tmp_path / "data", open=False, environment={"VITALWIRE_PASSWORD": "correct horse battery 9"})
    server.run("user", "add", "nora", "--role", "nurse", "--unit", "ICU")
    return server


def run(house, *arguments):
    """The command's exit code and all that it said."""
    done = subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=120, env=house.environment)
    return done.returncode, done.stdout + done.stderr


def check(house, *asked):
    return run(house, "policy", "check", "--data", str(house.data), *asked)


# What is asked, and what the answer says: the verdict, the rule, its sentence, what would do.
ASKED = [
    (("--as", "nora", "--do", "see-patients", "--patient", "p-1", "--patient-unit", "ICU"),
     ["allowed: see-patients", "permitted by nurse (default.cedar:", "@text(", "cares for patients at the bedside"]),
    (("--as", "nora", "--do", "see-patients", "--patient", "p-1", "--patient-unit", "Ward 2"),
     ["denied: see-patients", "forbidden by own-patients-only (default.cedar:", "patients of their own units", "principal.units.contains",
      "the unit Ward 2 among the account's", "a place in the patient's care team", "an emergency access (break-glass)"]),
    (("--role", "engineer", "--do", "see-patients"), ["denied: see-patients"]),
    (("--role", "nurse", "--route", "GET /api/v1/audit"), ["denied: see-audit"]),
    (("--role", "administrator", "--do", "manage-users"), ["allowed: manage-users", "permitted by administrator"]),
]


@pytest.mark.parametrize("asked, said", ASKED, ids=[" ".join(asked) for asked, _ in ASKED])
def test_check_explains_a_decision_in_words(house, asked, said):
    code, text = check(house, *asked)
    assert code == 0, text
    for words in said:
        assert words in text, f"{words!r} is not in:\n{text}"
    told = json.loads(check(house, *asked, "--json")[1])
    assert told["allowed"] == text.startswith("allowed")


def test_a_rule_of_the_site_is_in_force_and_named(house):
    (house.data / "policy").mkdir()
    (house.data / "policy" / "site.cedar").write_text(SECOND_FACTOR)
    asked = ("--role", "administrator", "--do", "manage-users")
    code, text = check(house, *asked)
    assert code == 0 and text.startswith("denied"), text
    assert "forbidden by administration-needs-a-second-factor (site.cedar:" in text and "context.strong" in text
    assert check(house, *asked, "--strong")[1].startswith("allowed")


@pytest.mark.parametrize("wrong, said", [
    (("--role", "wizard", "--do", "see-patients"), "one of nurse, "),
    (("--as", "nobody", "--do", "see-patients"), "no account of that name"),
    (("--role", "nurse", "--do", "sea-patients"), "see-patients"),
    (("--role", "nurse", "--route", "GET /nowhere"), "GET /api/v1/ward"),
    (("--do", "see-patients"), "--role"),
])
def test_a_question_that_makes_no_sense_is_told_so(house, wrong, said):
    code, text = check(house, *wrong)
    assert code == 2 and said in text, (code, text)


def test_show_prints_all_rules_or_one(house):
    code, text = run(house, "policy", "show", "--data", str(house.data))
    assert code == 0 and text.count("@id(") == text.count("@text(") >= 10
    code, one = run(house, "policy", "show", "own-patients-only", "--data", str(house.data))
    assert code == 0 and one.count("@id(") == 1 and one.strip() in text
    code, none = run(house, "policy", "show", "own-patience-only", "--data", str(house.data))
    assert code == 2 and "no rule of that name" in none


@pytest.mark.parametrize("rules, said", WRONG, ids=range(len(WRONG)))
def test_validate_says_where_and_why(house, tmp_path, rules, said):
    file = tmp_path / "site.cedar"
    file.write_text(rules)
    code, text = run(house, "policy", "validate", str(file))
    assert code == (2 if said else 0), text
    for words in said:
        assert words in text, f"{words!r} is not in:\n{text}"


def test_validate_takes_good_rules_and_no_missing_file(house, tmp_path):
    file = tmp_path / "site.cedar"
    file.write_text(SECOND_FACTOR)
    code, text = run(house, "policy", "validate", str(file))
    assert code == 0 and "1 rule, it fits the schema" in text, text
    code, text = run(house, "policy", "validate", str(tmp_path / "elsewhere.cedar"))
    assert code == 2 and "cannot read" in text and "elsewhere.cedar" in text


@pytest.mark.parametrize("rules, said", [w for w in WRONG if w[1]], ids=range(len(WRONG) - 1))
def test_a_start_with_broken_rules_ends_with_2_and_says_what_to_do(house, rules, said):
    folder = house.data / "policy"
    folder.mkdir()
    (folder / "site.cedar").write_text(rules)
    ports = [flag for door in ("--http", "--mqtt", "--mllp") for flag in (door, "127.0.0.1:0")]
    code, text = run(house, "serve", "--data", str(house.data), *ports)
    assert code == 2, text
    for words in [*said, str(folder), "Mend the file, or take it out", "vitalwire policy validate"]:
        assert words in text, f"{words!r} is not in:\n{text}"
    assert "vitalwire is running" not in text, "it answers nobody"
    # Taken out again, it starts as before.
    os.remove(folder / "site.cedar")
    house.start()
    house.stop()


def test_a_reader_who_has_had_enough_is_no_failure():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run([binary(), "policy", "numbers"], stdout=nobody, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
