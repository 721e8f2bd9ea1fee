#!/usr/bin/env python3
"""SOFA and MEOWS by an independent hand, compared with ours on every hour of the PhysioNet Challenge 2012, set A.

The charts below were typed from the publications (Vincent 1996 as Sepsis-3 prints it; Grissom 2010 for SpO2 to FiO2; Singh 2012 for MEOWS) for this
file alone and share nothing with crates/score: decimal arithmetic, intervals, another structure. Nobody in these records is known to be
pregnant: that is made up for every third patient, so that the chart is gone through with real values; drugs for the circulation are made up
by the record's number. Ages and roundings are those of score::MaxAge::WARD and SC-3. Beside it: how our highest SOFA of the first 24 hours goes with the
SOFA that the Challenge's own table of outcomes gives (another one: it knows drugs and urine, and not the same hours).

Usage: tests/independent/organs_cinc2012.py DATA      DATA: the folder with set-a/*.txt and Outcomes-a.txt, from
https://physionet.org/content/challenge-2012/1.0.0/. Needs cargo. Exit code 0: all equal, or skipped because the data is not there; 1: some differ.
"""

import csv
import decimal
import os
import pathlib
import statistics
import subprocess
import sys

D = decimal.Decimal
ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = {"Temp": "temperature", "HR": "pulse", "RespRate": "resp_rate", "SaO2": "spo2", "PaO2": "pao2", "Platelets": "platelets",
         "Bilirubin": "bilirubin", "Creatinine": "creatinine", "GCS": "gcs", "MechVent": "ventilated", "FiO2": "fio2", "SysABP": "systolic",
         "DiasABP": "diastolic", "MAP": "mean", "NISysABP": "systolic", "NIDiasABP": "diastolic", "NIMAP": "mean"}
FIELDS = ["temperature", "systolic", "diastolic", "mean", "pulse", "resp_rate", "spo2", "fio2", "pao2", "platelets", "bilirubin", "creatinine", "gcs",
          "ventilated", "vasoactive", "obstetric"]
HOURS = {**dict.fromkeys(["systolic", "diastolic", "mean", "pulse", "resp_rate", "spo2"], 4), **dict.fromkeys(["temperature", "fio2", "gcs", "ventilated", "vasoactive"], 12),
         **dict.fromkeys(["pao2", "platelets", "bilirubin", "creatinine"], 24), "obstetric": 42 * 24}
OPEN = D("Infinity")

# (from, to before, points)
SOFA = {
    "pf": [(0, 100, 4), (100, 200, 3), (200, 300, 2), (300, 400, 1), (400, OPEN, 0)],
    "sf": [(0, 151, 4), (151, 236, 3), (236, 316, 2), (316, 401, 1), (401, OPEN, 0)],
    "platelets": [(0, 20, 4), (20, 50, 3), (50, 100, 2), (100, 150, 1), (150, OPEN, 0)],
    "bilirubin": [(0, D("1.2"), 0), (D("1.2"), 2, 1), (2, 6, 2), (6, 12, 3), (12, OPEN, 4)],
    "creatinine": [(0, D("1.2"), 0), (D("1.2"), 2, 1), (2, D("3.5"), 2), (D("3.5"), 5, 3), (5, OPEN, 4)],
    "gcs": [(3, 6, 4), (6, 10, 3), (10, 13, 2), (13, 15, 1), (15, 16, 0)],
    "mean": [(0, 70, 1), (70, OPEN, 0)],
}
YELLOW = {"temperature": lambda v: 35 <= v <= 36, "systolic": lambda v: 90 <= v <= 100 or 150 <= v <= 160, "diastolic": lambda v: 90 <= v <= 100,
          "pulse": lambda v: 40 <= v <= 50 or 100 <= v <= 120, "resp_rate": lambda v: 21 <= v <= 30, "spo2": lambda v: False}
RED = {"temperature": lambda v: v < 35 or v > 38, "systolic": lambda v: v < 90 or v > 160, "diastolic": lambda v: v > 100,
       "pulse": lambda v: v < 40 or v > 120, "resp_rate": lambda v: v < 10 or v > 30, "spo2": lambda v: v < 95}


def charted(value, step="1"):
    return D(value).quantize(D(step), rounding=decimal.ROUND_HALF_UP)


def cell(row, value):
    return next(points for low, high, points in SOFA[row] if low <= value < high)


def lung(seen, times):
    """Points, and whether more might be."""
    if "fio2" not in seen:
        return None, False
    fio2 = D(seen["fio2"])
    if "pao2" in seen and abs(times["pao2"] - times["fio2"]) <= 60:
        points = cell("pf", charted(D(seen["pao2"]) / fio2 * 100))
    elif "spo2" in seen:
        points = cell("sf", charted(D(seen["spo2"]) / fio2 * 100))
        if points and D(seen["spo2"]) > 97:
            return None, False
    else:
        return None, False
    if points <= 2 or seen.get("ventilated") == "1":
        return points, False
    return 2, "ventilated" not in seen


def sofa(seen, times):
    lungs, unsure = lung(seen, times)
    drugs = {"1": 2, "2": 3, "3": 4}.get(seen.get("vasoactive"))
    pressure = cell("mean", charted(seen["mean"])) if "mean" in seen else None
    parts = [lungs, drugs if drugs else pressure]
    for row, step in (("platelets", "1"), ("bilirubin", "0.1"), ("creatinine", "0.1"), ("gcs", "1")):
        parts.append(cell(row, charted(seen[row], step)) if row in seen else None)
    known = [p for p in parts if p is not None]
    return f"{sum(known) if known else '-'},{int(len(known) == 6 and not unsure and 'vasoactive' in seen)}"


def meows(seen):
    if seen.get("obstetric") not in ("1", "2"):
        return "-,0"
    points = []
    for row in YELLOW:
        if row in seen:
            value = charted(seen[row], "0.1" if row == "temperature" else "1")
            points.append(2 if RED[row](value) else int(YELLOW[row](value)))
    # Consciousness is not in these records.
    return f"{sum(points) if points else '-'},0"


def record(path, number):
    """{minute: {field: text}}"""
    rows = {}
    with path.open() as lines:
        for time, name, value in list(csv.reader(lines))[1:]:
            field = NAMES.get(name)
            hours, minutes = time.split(":")
            if field is None or not D(value) > 0:
                continue
            row = rows.setdefault(int(hours) * 60 + int(minutes), {})
            row[field] = str(D(value) * 100) if field == "fio2" else value
    first = rows.setdefault(0, {})
    if number % 3 == 0:
        first["obstetric"] = str(number // 3 % 3)
    if number % 5:
        for minute in range(0, 49 * 60, 720):
            rows.setdefault(minute, {})["vasoactive"] = str(number % 5 - 1)
    return dict(sorted(rows.items()))


def pearson(pairs):
    return statistics.correlation([a for a, _ in pairs], [b for _, b in pairs])


def main():
    data = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if data is None or not (data / "set-a").is_dir():
        print("SKIPPED: no Challenge 2012 data; give the folder with set-a as argument")
        return 0
    subprocess.run(["cargo", "build", "-q", "--release", "--locked", "-p", "score", "--example", "organs_csv"], check=True, cwd=ROOT)
    text, expected, first_day = ["patient,minute," + ",".join(FIELDS)], [], []
    for number, path in enumerate(sorted((data / "set-a").glob("*.txt"))):
        last = {}
        for minute, row in record(path, number).items():
            text.append(f"{path.stem},{minute}," + ",".join(row.get(field, "") for field in FIELDS))
            last.update({field: (minute, value) for field, value in row.items()})
            fresh = {field: value for field, (then, value) in last.items() if minute - then <= HOURS[field] * 60}
            expected.append(f"{sofa(fresh, {f: t for f, (t, _) in last.items()})},{meows(fresh)}")
            first_day.append((path.stem, minute))
    program = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/examples/organs_csv"
    got = subprocess.run([program], input="\n".join(text) + "\n", capture_output=True, text=True, check=True).stdout.splitlines()
    wrong = [at for at, (a, b) in enumerate(zip(got, expected)) if a != b]
    for at in wrong[:10]:
        print(text[at + 1], "ours", got[at], "theirs", expected[at])
    highest = {}
    for (patient, minute), line in zip(first_day, got):
        value = line.split(",")[0]
        if minute <= 1440 and value != "-":
            highest[patient] = max(highest.get(patient, 0), float(value))
    with (data / "Outcomes-a.txt").open() as lines:
        theirs = {row["RecordID"]: float(row["SOFA"]) for row in csv.DictReader(lines) if float(row["SOFA"]) >= 0}
    # Of those to whom no drugs were made up.
    plain = {path.stem for number, path in enumerate(sorted((data / "set-a").glob("*.txt"))) if number % 5 in (0, 1)}
    pairs = [(highest[one], theirs[one]) for one in plain & highest.keys() & theirs.keys()]
    print(f"{len(expected)} rows of {len({p for p, _ in first_day})} patients, {len(expected) - len(wrong)} equal; "
          f"highest SOFA of the first day beside the Challenge's: correlation {pearson(pairs):.2f} over {len(pairs)} patients")
    return 1 if wrong or len(got) != len(expected) else 0


if __name__ == "__main__":
    sys.exit(main())
