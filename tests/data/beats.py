#!/usr/bin/env python3
"""Finds the beats of WFDB records with Vitalwire, wfdb's XQRS and neurokit2 in one run, and prints how right
and how fast each is.

    pip install -r tests/data/beats-requirements.txt
    tests/data/beats.py ../shared/data/mitdb/ds1.tar.zst [--vitalwire target/release/vitalwire] [--records 101,106]

Each finds the beats of the first lead of each record, one record after the other, on one processor core; time
is processor time of finding alone, not of reading files. XQRS is `wfdb.processing.XQRS(...).detect()`, neurokit2 is
`ecg_clean` with `ecg_peaks` as it comes; with `--process` also neurokit2's whole `ecg_process`. Vitalwire's time
is of finding the beats and telling their types, in blocks as a device sends them. All are compared by the same
program with the same rules (`vitalwire signal evaluate`, ANSI/AAMI EC57, the first five minutes not counted).
Exit code 0 if Vitalwire is at least as right as both, 1 if not.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

# One core for each: no library may use more.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import neurokit2  # noqa: E402
import wfdb  # noqa: E402
from wfdb import processing  # noqa: E402


def xqrs(signal, rate):
    detector = processing.XQRS(sig=signal, fs=rate)
    detector.detect(verbose=False)
    return detector.qrs_inds


def neurokit(signal, rate):
    cleaned = neurokit2.ecg_clean(signal, sampling_rate=rate)
    return neurokit2.ecg_peaks(cleaned, sampling_rate=rate)[1]["ECG_R_Peaks"]


def neurokit_process(signal, rate):
    return neurokit2.ecg_process(signal, sampling_rate=rate)[1]["ECG_R_Peaks"]


def find(name, finder, folder, records):
    """Lets a finder find the beats of all records and writes them as annotation files; seconds, samples."""
    seconds = samples = 0
    for record in records:
        read = wfdb.rdrecord(str(folder / record), channels=[0])
        signal, rate = read.p_signal[:, 0], int(read.fs)
        began = time.process_time()
        beats = finder(signal, rate)
        seconds += time.process_time() - began
        samples += len(signal)
        wfdb.wrann(record, name, beats, symbol=["N"] * len(beats), write_dir=str(folder))
        print(f"  {name} {record}: {len(beats)} beats", file=sys.stderr)
    return seconds, samples


def evaluate(program, folder, *options):
    command = [program, "signal", "evaluate", str(folder), "--json", *options]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["gross"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=pathlib.Path, help="folder or .tar.zst of WFDB records with .atr files")
    parser.add_argument("--vitalwire", default="target/release/vitalwire")
    parser.add_argument("--records", help="only these, divided by commas")
    parser.add_argument("--process", action="store_true", help="time neurokit2's ecg_process too")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="vitalwire-beats-") as scratch:
        folder = pathlib.Path(scratch)
        if arguments.data.is_dir():
            for path in arguments.data.iterdir():
                if path.is_file():
                    shutil.copy(path, folder)
        else:
            subprocess.run(["tar", "--zstd", "-xf", arguments.data, "-C", scratch], check=True)
        records = sorted(path.stem for path in folder.glob("*.hea"))
        if arguments.records:
            wanted = arguments.records.split(",")
            for path in list(folder.iterdir()):
                if path.stem not in wanted:
                    path.unlink()
            records = [record for record in records if record in wanted]
        return compare(arguments, folder, records)


def compare(arguments, folder, records):
    finders = {"xqrs": xqrs, "nk": neurokit}
    if arguments.process:
        finders["nkprocess"] = neurokit_process
    ours = evaluate(arguments.vitalwire, folder, "--lead", "1")
    both = evaluate(arguments.vitalwire, folder)
    rows = [("vitalwire, lead 1", ours, ours["seconds"], ours["samples"]),
            ("vitalwire, all leads", both, both["seconds"], both["samples"])]
    for name, finder in finders.items():
        seconds, samples = find(name, finder, folder, records)
        rows.append((name, evaluate(arguments.vitalwire, folder, "--found", name), seconds, samples))
    ours_ns = ours["seconds"] / ours["samples"] * 1e9
    print(f"{len(records)} records, first lead, first five minutes not counted")
    print(f"{'':>22} {'Se %':>8} {'+P %':>8} {'missed':>7} {'extra':>7} {'ns/sample':>10} {'times slower':>13}")
    for name, gross, seconds, samples in rows:
        beats, ns = gross["beats"], seconds / samples * 1e9
        print(f"{name:>22} {100 * beats['sensitivity']:8.3f} {100 * beats['predictivity']:8.3f} {beats['missed']:7} "
              f"{beats['extra']:7} {ns:10.1f} {ns / ours_ns:13.1f}")
    right = [(row[1]["beats"]["sensitivity"], row[1]["beats"]["predictivity"]) for row in rows]
    return int(any(right[0][0] < other[0] or right[0][1] < other[1] for other in right[2:]))


if __name__ == "__main__":
    sys.exit(main())
