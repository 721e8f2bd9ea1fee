"""`vitalwire model` as whoever wants to check the shipped models runs it: trained twice from the same folder, the same bytes;
judged beside published scores; shown with its card."""

import csv
import json
import random
import subprocess
from pathlib import Path

import numpy
import pytest

from support.server import binary

SHIPPED = Path(__file__).parents[2] / "crates/predict/models/sepsis.json"

VARIABLES = (
    "HR O2Sat Temp SBP MAP DBP Resp EtCO2 BaseExcess HCO3 FiO2 pH PaCO2 SaO2 AST BUN Alkalinephos Calcium Chloride Creatinine "
    "Bilirubin_direct Glucose Lactate Magnesium Phosphate Potassium Bilirubin_total TroponinI Hct Hgb PTT WBC Fibrinogen Platelets"
).split()
FACTS = "Age Gender Unit1 Unit2 HospAdmTime ICULOS SepsisLabel".split()
# At rest, by how much an hour of getting worse changes it.
VITALS = {"HR": (80, 4), "O2Sat": (97, -0.4), "Temp": (36.8, 0.1), "SBP": (125, -4), "MAP": (88, -2.5), "DBP": (70, -2), "Resp": (16, 0.8)}


def record(lot):
    """One made-up patient in the shape of the Challenge 2019; three in ten get sepsis."""
    hours = lot.randrange(24, 48)
    onset = lot.randrange(10, hours) if lot.random() < 0.3 else None
    lines = ["|".join(VARIABLES + FACTS)]
    for hour in range(hours):
        worse = 0 if onset is None else min(max(hour - onset + 8, 0), 14)
        values = dict.fromkeys(VARIABLES, "NaN")
        for name, (rest, step) in VITALS.items():
            if lot.random() < 0.9:
                values[name] = f"{(rest + step * worse) * lot.uniform(0.98, 1.02):.1f}"
        label = int(onset is not None and hour >= onset)
        lines.append("|".join([*values.values(), "61", "1", "NaN", "NaN", "-3", str(hour + 1), str(label)]))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A folder of 120 patients."""
    folder = tmp_path_factory.mktemp("cohort")
    lot = random.Random(6)
    for number in range(120):
        (folder / f"p{number:06}.psv").write_text(record(lot))
    return folder


def run(*arguments):
    """The command's result."""
    return subprocess.run([binary(), "model", *map(str, arguments)], capture_output=True, text=True, timeout=600, check=False)


def train(cohort, out, threads):
    """A model of the made-up patients."""
    done = run("train", "--model", "deterioration-vitals", "--data", cohort, "--out", out, "--threads", threads, "--resamples", 10)
    assert done.returncode == 0, done.stderr
    return out.read_bytes()


def test_the_same_data_give_the_same_bytes_and_the_model_can_be_judged_and_shown(cohort, tmp_path):
    first = train(cohort, tmp_path / "one.json", 1)
    again = train(cohort, tmp_path / "two.json", 2)
    assert first == again

    judged = run("evaluate", "--model", tmp_path / "one.json", "--data", cohort, "--resamples", 10, "--json")
    assert judged.returncode == 0, judged.stderr
    figures = {(f["of"], f["name"], f["on"]): f for f in json.loads(judged.stdout)["figures"]}
    ours = figures["deterioration-vitals", "AUROC", "all"]
    assert ours["value"] > 0.8 and ours["low"] <= ours["value"] <= ours["high"]
    for score in ("NEWS2", "MEWS", "qSOFA", "SIRS"):
        assert 0 <= figures[score, "AUROC", "all"]["value"] <= 1
    assert ("deterioration-vitals", "calibration slope", "women") not in figures, "all of them are men"

    card = run("show", tmp_path / "one.json")
    assert card.returncode == 0 and "Intended use" in card.stdout and "AUROC" in card.stdout


def test_what_a_model_is_made_from_can_be_read_by_others(cohort, tmp_path):
    written = run("features", "--model", "deterioration-vitals", "--data", cohort, "--out", tmp_path / "f")
    assert written.returncode == 0, written.stderr
    features = numpy.load(tmp_path / "f" / "features.npy")
    names = (tmp_path / "f" / "features.txt").read_text().split()
    with open(tmp_path / "f" / "moments.csv", newline="") as table:
        moments = list(csv.DictReader(table))
    assert features.shape == (len(moments), len(names)) and features.dtype == numpy.float32
    first = moments[0]["record"]
    lines = [line.split("|") for line in (cohort / f"{first}.psv").read_text().splitlines()]
    own = [at for at, moment in enumerate(moments) if moment["record"] == first]
    assert [moments[at]["moment"] for at in own] == [str(at) for at in range(len(lines) - 1)]
    newest = float("nan")
    for at, line in zip(own, lines[1:]):
        newest = newest if line[0] == "NaN" else float(line[0])
        assert features[at][names.index("HR.last")] == pytest.approx(newest, nan_ok=True), at
    assert {moment["event"] for moment in moments} == {"", "0", "1"}
    assert {moment["fold"] for moment in moments} == set("01234")


def test_a_folder_of_hospitals_with_bad_files_is_judged_and_what_is_left_out_is_counted(cohort, tmp_path):
    hidden = tmp_path / "hidden"
    for hospital, part in (("training_setA/training", 0), ("training_setB", 1)):
        (hidden / hospital).mkdir(parents=True)
        for number, file in enumerate(sorted(cohort.iterdir())):
            if number % 3 == part:
                (hidden / hospital / file.name).write_text(file.read_text())
    bad = hidden / "training_setB"
    (bad / "empty1.psv").write_text("")
    (bad / "empty2.psv").write_text("")
    (bad / "garbage.psv").write_bytes(bytes(range(256)))
    (bad / "short.psv").write_text((bad / "p000001.psv").read_text().replace("Lactate|", "", 1))
    judged = run("evaluate", "--model", "sepsis", "--data", hidden, "--resamples", 5, "--json")
    assert judged.returncode == 0, judged.stderr
    told = json.loads(judged.stdout)
    assert sorted(told["left_out"].values()) == [1, 1, 2]
    assert told["left_out"]["the file is empty"] == 2 and told["left_out"]["the column Lactate is missing"] == 1
    groups = {figure["on"]: figure["patients"] for figure in told["figures"] if figure["name"] == "AUROC"}
    assert (groups["all"], groups["training_setA/training"], groups["training_setB"]) == (80, 40, 40)
    ways = {figure["of"] for figure in told["figures"] if ", counted: " in figure["of"]}
    assert len(ways) == 5, ways
    text = run("evaluate", "--model", "sepsis", "--data", hidden, "--resamples", 1)
    assert "left out: 2 records, the file is empty" in text.stdout and "counted: on entering only" in text.stdout
    strict = run("train", "--model", "sepsis", "--data", hidden, "--out", tmp_path / "x.json")
    assert strict.returncode == 1 and "the file is empty" in strict.stderr, "what is made is made of all records"


def test_a_model_is_calibrated_for_a_site_and_says_so(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    lot = random.Random(9)
    for number in range(500):
        (site / f"p{number:06}.psv").write_text(record(lot))
    words = ("--site", "Made-up intensive care, 2026", "--date", "2026-11-22")
    files = [tmp_path / "one.json", tmp_path / "two.json"]
    for threads, out in zip((1, 2), files):
        made = run("recalibrate", "--model", "sepsis", "--data", site, *words, "--out", out, "--threads", threads, "--resamples", 5)
        assert made.returncode == 0, made.stderr
    assert "as it is" in made.stdout and "patients not seen by the fit" in made.stdout
    assert files[0].read_bytes() == files[1].read_bytes()
    local, shipped = json.loads(files[0].read_text()), json.loads(SHIPPED.read_text())
    assert local["forest"] == shipped["forest"] and local["features"] == shipped["features"]
    assert local["version"] == shipped["version"] + "-site-20261122" and "Made-up intensive care" in local["population"]
    card = run("show", files[0])
    assert card.returncode == 0 and "500 patients" in card.stdout and "calibrated anew" in card.stdout
    again = run("recalibrate", "--model", files[0], "--data", site, *words, "--out", tmp_path / "x.json")
    assert again.returncode == 1 and "calibrated anew already" in again.stderr
    for number in range(100, 500):
        (site / f"p{number:06}.psv").unlink()
    few = run("recalibrate", "--model", "sepsis", "--data", site, *words, "--out", tmp_path / "x.json")
    assert few.returncode == 1 and "at least 100" in few.stderr and not (tmp_path / "x.json").exists()
    wrong = run("recalibrate", "--model", "sepsis", "--data", site, "--site", "Here", "--date", "2026-02-30", "--out", tmp_path / "x.json")
    assert wrong.returncode == 2 and "2026-02-30" in wrong.stderr


def test_what_is_wrong_is_said(cohort, tmp_path):
    wrong = run("train", "--model", "hope", "--data", cohort, "--out", tmp_path / "x.json")
    assert wrong.returncode == 2 and "deterioration-vitals" in wrong.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    none = run("evaluate", "--model", "deterioration-vitals", "--data", empty)
    assert none.returncode == 1 and "neither records of the Challenge 2019" in none.stderr
    other = run("evaluate", "--model", "mortality-48h", "--data", cohort)
    assert other.returncode == 1 and "does not judge such data" in other.stderr


def test_the_models_that_come_with_the_program_are_listed(cohort):
    listed = run("show")
    assert listed.returncode == 0 and "deterioration-vitals" in listed.stdout and "mortality-48h" in listed.stdout
