#!/usr/bin/env python3
"""NEWS2 by an independent hand, compared with ours on every hour of the PhysioNet Challenge 2019.

The chart below was typed from the Royal College of Physicians' report (2017, chart 1) for this file
alone and shares nothing with crates/score: decimal arithmetic, open intervals, a different
structure. Four runs over all hours of all patients:

  as recorded     each hour by itself, with what the file has; oxygen from FiO2, where there
  carried         the patient's last values with their ages (4 h and 12 h, see score::MaxAge::WARD)
  filled, scale 1 as carried, with consciousness and oxygen made up from the row's number
  filled, scale 2 the same on the other SpO2 scale

Usage: tests/independent/news2_cinc2019.py [--limit PATIENTS] [DATA]
DATA (or VITALWIRE_DATA) is the folder with cinc2019/setA.tar.zst and setB.tar.zst, from
https://physionet.org/content/challenge-2019/1.0.0/. Needs cargo and zstd. Exit code 0: all rows
equal, or skipped because the data is not there; 1: some row differs.
"""

import argparse
import collections
import decimal
import io
import os
import pathlib
import subprocess
import sys
import tarfile

D = decimal.Decimal
ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADER = "patient,minute,resp_rate,spo2,oxygen,systolic,pulse,consciousness,temperature,scale\n"

# Chart 1: points by (more than, up to and including); None is open.
CHART = {
    "resp_rate": [(None, 8, 3), (8, 11, 1), (11, 20, 0), (20, 24, 2), (24, None, 3)],
    "spo2_1": [(None, 91, 3), (91, 93, 2), (93, 95, 1), (95, None, 0)],
    "spo2_2": [(None, 83, 3), (83, 85, 2), (85, 87, 1), (87, 92, 0)],
    "spo2_2_oxygen": [(92, 94, 1), (94, 96, 2), (96, None, 3)],
    "systolic": [(None, 90, 3), (90, 100, 2), (100, 110, 1), (110, 219, 0), (219, None, 3)],
    "pulse": [(None, 40, 3), (40, 50, 1), (50, 90, 0), (90, 110, 1), (110, 130, 2), (130, None, 3)],
    "temperature": [
        (None, D("35.0"), 3),
        (D("35.0"), D("36.0"), 1),
        (D("36.0"), D("38.0"), 0),
        (D("38.0"), D("39.0"), 1),
        (D("39.0"), None, 2),
    ],
}
MAX_AGE_MIN = dict(resp_rate=240, spo2=240, systolic=240, pulse=240, oxygen=720, consciousness=720,
                   temperature=720)


def points(row, value):
    for low, high, given in CHART[row]:
        if (low is None or value > low) and (high is None or value <= high):
            return given
    raise ValueError(f"{row} {value}")


def whole(text, step="1"):
    return D(text).quantize(D(step), rounding=decimal.ROUND_HALF_UP)


def news2(v, scale):
    """Points of the seven parameters (None: unknown) of a dict of texts."""
    oxygen = v.get("oxygen")
    spo2 = None
    if "spo2" in v:
        saturation = whole(v["spo2"])
        if scale == "1":
            spo2 = points("spo2_1", saturation)
        elif saturation <= 92:
            spo2 = points("spo2_2", saturation)
        elif oxygen == "0":
            spo2 = 0
        elif oxygen == "1":
            spo2 = points("spo2_2_oxygen", saturation)
    consciousness = v.get("consciousness")
    return [
        points("resp_rate", whole(v["resp_rate"])) if "resp_rate" in v else None,
        spo2,
        None if oxygen is None else 2 * int(oxygen),
        points("systolic", whole(v["systolic"])) if "systolic" in v else None,
        points("pulse", whole(v["pulse"])) if "pulse" in v else None,
        None if consciousness is None else (0 if consciousness == "A" else 3),
        points("temperature", whole(v["temperature"], "0.1")) if "temperature" in v else None,
    ]


def expected(v, scale):
    parts = news2(v, scale)
    known = [p for p in parts if p is not None]
    total = sum(known)
    if not known:
        band = "none"
    elif total >= 7:
        band = "high"
    elif total >= 5:
        band = "medium"
    else:
        band = "low-medium" if 3 in known else "low"
    value = str(total) if known else "-"
    shown = "".join("-" if p is None else str(p) for p in parts)
    return f"{value},{int(len(known) == 7)},{band},{shown}"


def patients(data, limit):
    """Yields (patient, rows) where a row is (hour, dict of texts of what was measured)."""
    names = {"Resp": "resp_rate", "O2Sat": "spo2", "SBP": "systolic", "HR": "pulse",
             "Temp": "temperature"}
    count = 0
    for archive in ("setA", "setB"):
        path = data / "cinc2019" / f"{archive}.tar.zst"
        unpacked = subprocess.run(["zstd", "-dc", path], check=True, stdout=subprocess.PIPE).stdout
        with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
            for member in tar:
                if not member.name.endswith(".psv"):
                    continue
                lines = tar.extractfile(member).read().decode().splitlines()
                columns = lines[0].split("|")
                rows = []
                for line in lines[1:]:
                    cells = dict(zip(columns, line.split("|")))
                    row = {ours: cells[theirs] for theirs, ours in names.items()
                           if cells[theirs] != "NaN"}
                    if cells["FiO2"] != "NaN":
                        row["oxygen"] = "1" if D(cells["FiO2"]) > D("0.21") else "0"
                    rows.append((int(cells["ICULOS"]), row))
                yield archive + member.name.rsplit("/", 1)[-1][:-4], rows
                count += 1
                if limit and count >= limit:
                    return


def runs():
    """Yields (name, carry, scale, filled)."""
    yield "as recorded", False, "1", False
    yield "carried", True, "1", False
    yield "filled, scale 1", True, "1", True
    yield "filled, scale 2", True, "2", True


def one_run(everybody, carry, scale, filled):
    """The CSV for our side and the expected lines."""
    csv, lines, number = [HEADER], [], 0
    fields = ["resp_rate", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature"]
    for patient, rows in everybody:
        last = {}
        for hour, row in rows:
            number += 1
            if filled:
                row = dict(row, consciousness="AAAAACVPU"[number % 9], oxygen=str(number // 9 % 2))
            csv.append(f"{patient},{hour * 60}," + ",".join(row.get(f, "") for f in fields)
                       + f",{scale}\n")
            if carry:
                last.update({f: (hour, v) for f, v in row.items()})
                seen = {f: v for f, (then, v) in last.items()
                        if (hour - then) * 60 <= MAX_AGE_MIN[f]}
            else:
                seen = row
            lines.append(expected(seen, scale))
    return "".join(csv), lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", default=os.environ.get("VITALWIRE_DATA"))
    parser.add_argument("--limit", type=int, default=0, help="only so many patients")
    options = parser.parse_args()
    data = pathlib.Path(options.data) if options.data else None
    if data is None or not (data / "cinc2019" / "setA.tar.zst").exists():
        print("SKIPPED: no Challenge 2019 data; give its folder as argument or in VITALWIRE_DATA")
        return 0
    everybody = list(patients(data, options.limit))
    build = ["cargo", "build", "-q", "--release", "-p", "score", "--example", "news2_csv"]
    subprocess.run(build, check=True, cwd=ROOT)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    ours = target / "release" / "examples" / "news2_csv"
    wrong = 0
    for name, carry, scale, filled in runs():
        csv, lines = one_run(everybody, carry, scale, filled)
        command = [ours, "--time"] + (["--carry"] if carry else [])
        done = subprocess.run(command, input=csv, capture_output=True, text=True, check=True)
        got = done.stdout.splitlines()
        different = [i for i, (a, b) in enumerate(zip(got, lines)) if a != b]
        wrong += len(different) + abs(len(got) - len(lines))
        bands = collections.Counter(line.split(",")[2] for line in lines)
        complete = sum(line.split(",")[1] == "1" for line in lines)
        print(f"{name}: {len(lines) - len(different)} of {len(lines)} hours of "
              f"{len(everybody)} patients equal ({complete} complete; "
              + ", ".join(f"{band} {count}" for band, count in sorted(bands.items()))
              + f"); ours: {done.stderr.strip()}")
        for i in different[:5]:
            print("  row", i, csv.splitlines()[i + 1], "ours", got[i], "theirs", lines[i])
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
