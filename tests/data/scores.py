#!/usr/bin/env python3
"""Compares every NEWS2 that a running Vitalwire has stored of a replay of Challenge 2019 with the chart as
typed by an independent hand (tests/independent/news2_cinc2019.py): same hours, same values.

    vitalwire replay cinc2019 setA.tar.zst --patients 200
    tests/data/scores.py setA.tar.zst --patients 200

The rules are those of docs/interfaces/sim.md and of the engine: the last values count up to their age (4 h;
temperature and oxygen 12 h), impossible ones not at all; oxygen is given when the inspired fraction
is above 0.21. Under 17 years NEWS2 is not for the patient. Exit code 0 if all is equal, 1 if not.
"""

import argparse
import collections
import csv
import datetime
import io
import itertools
import pathlib
import sys
import urllib.parse

import recordings
from compare import Fhir

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "independent"))
import news2_cinc2019 as chart  # noqa: E402

NEWS2 = "urn:vitalwire:metric|67108880"
SYSTEM = "https://physionet.org/content/challenge-2019"
POSSIBLE = {"Resp": (1, 120), "O2Sat": (20, 100), "SBP": (20, 320), "HR": (10, 350), "Temp": (20, 45), "FiO2": (0.15, 1)}
NAMES = {"Resp": "resp_rate", "O2Sat": "spo2", "SBP": "systolic", "HR": "pulse", "Temp": "temperature"}


def expected(text):
    """{microseconds: NEWS2} of one patient's file; none for a child."""
    last, scores = {}, {}
    for row in csv.DictReader(io.StringIO(text), delimiter="|"):
        if float(row["Age"]) < 17:
            return None
        if all(row[name] == "NaN" for name in recordings.CINC2019):
            continue
        minute = (int(row["ICULOS"]) - 1) * 60
        for name, (low, high) in POSSIBLE.items():
            if row[name] == "NaN" or not low <= float(row[name]) <= high:
                continue
            if name == "FiO2":
                last["oxygen"] = minute, "1" if chart.D(row[name]) > chart.D("0.21") else "0"
            else:
                last[NAMES[name]] = minute, row[name]
        seen = {name: value for name, (then, value) in last.items() if minute - then <= chart.MAX_AGE_MIN[name]}
        value = chart.expected(seen, "1").split(",")[0]
        if value != "-":
            scores[(recordings.EPOCH_S + minute * 60) * 1_000_000] = float(value)
    return scores


def stored(fhir, record):
    """{microseconds: [NEWS2]} of one patient."""
    who = fhir.send("GET", "/Patient?identifier=" + urllib.parse.quote(f"{SYSTEM}|{record}"))
    patient = who["entry"][0]["resource"]["id"]
    page = fhir.send("GET", f"/Observation?device=vitalwire&patient={patient}&_count=1000&code=" + urllib.parse.quote(NEWS2))
    scores = collections.defaultdict(list)
    for entry in page.get("entry", []):
        resource = entry["resource"]
        moment = datetime.datetime.fromisoformat(resource["effectiveDateTime"])
        scores[round(moment.timestamp() * 1e6)].append(resource["valueQuantity"]["value"])
    return scores


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", help="as given to `vitalwire replay`")
    parser.add_argument("--fhir", default="http://127.0.0.1:8080/fhir")
    parser.add_argument("--token", help="bearer token, if authentication is on")
    parser.add_argument("--patients", type=int, help="only the first so many")
    options = parser.parse_args()
    fhir = Fhir(options.fhir, options.token)
    files = itertools.chain.from_iterable(recordings.text_files(path, ".psv") for path in options.paths)
    patients, hours, wrong, children = 0, 0, [], 0
    for record, text in itertools.islice(files, options.patients):
        scores = expected(text)
        if scores is None:
            children += 1
            continue
        patients += 1
        hours += len(scores)
        there = stored(fhir, record)
        for time_us in sorted(scores.keys() | there.keys()):
            if there.get(time_us, []) != [scores[time_us]] if time_us in scores else True:
                hour = (time_us / 1e6 - recordings.EPOCH_S) / 3600
                wrong.append(f"{record} hour {hour:g}: {there.get(time_us)} stored, {scores.get(time_us)} by the chart")
    for line in wrong[:20]:
        print(line)
    print(f"{patients} patients, {hours} hours with a NEWS2 ({children} under 17 left out): "
          f"{'all equal' if not wrong else f'{len(wrong)} differ'}")
    return 1 if wrong or not hours else 0


if __name__ == "__main__":
    sys.exit(main())
