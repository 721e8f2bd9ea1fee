"""Real recordings through the real program: what is stored is what the files hold, value by value, and
the scores of every hour are those of the chart. Skipped where the data sets are not (see
recordings.folder); VITALWIRE_PATIENTS says how many patients of each Challenge (200)."""

import os
import pathlib
import subprocess
import sys

import pytest
import recordings
from support.server import binary, wait_for

DATA = recordings.folder()
PATIENTS = os.environ.get("VITALWIRE_PATIENTS", "200")
SETS = {"cinc2019": "cinc2019/setA.tar.zst", "cinc2012": "cinc2012/set-a.tar.zst"}


def there(name):
    if DATA is None or not (DATA / name).exists():
        pytest.skip(f"{name} is not there; set VITALWIRE_DATA to the folder that has it")
    return DATA / name


def replay(server, kind, path, *more):
    doors = [f"--{door}={host}:{port}" for door, (host, port) in
             (("http", server.http), ("mqtt", server.mqtt), ("mllp", server.mllp))]
    done = subprocess.run([binary(), "replay", kind, str(path), *doors, *more], capture_output=True, text=True,
                          timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: server.metric("vitalwire_engine_behind_entries") == 0, "the engine to catch up", 300)
    return done.stdout


@pytest.mark.parametrize("kind", SETS)
def test_counts_and_values(server, kind):
    path = there(SETS[kind])
    replay(server, kind, path, "--patients", PATIENTS)
    script = pathlib.Path(__file__).with_name("compare.py")
    done = subprocess.run([sys.executable, str(script), kind, str(path), "--patients", PATIENTS, "--values", "10",
                           "--jobs", "1", "--fhir", f"{server.url}/fhir"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all equal" in done.stdout


def test_scores(server):
    path = there(SETS["cinc2019"])
    replay(server, "cinc2019", path, "--patients", PATIENTS)
    script = pathlib.Path(__file__).with_name("scores.py")
    done = subprocess.run([sys.executable, str(script), str(path), "--patients", PATIENTS,
                           "--fhir", f"{server.url}/fhir"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all equal" in done.stdout
