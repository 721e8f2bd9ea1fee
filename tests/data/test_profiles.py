"""Templates written for Microsoft's iomt-fhir load as they are, and each takes its values out of a payload
made from its own expressions. The files are not part of the project (see recordings.folder)."""

import json
import pathlib
import subprocess

import pytest
import recordings

from support.server import binary

ROOT = recordings.folder()
FOLDER = ROOT and ROOT / "device-mappings"
WHEN = "2019-02-01T22:46:01.8750000Z"
# What no metric of ours stands for: kept in quarantine with the reason.
UNKNOWN = {"appleExerciseTime", "appleStandTime", "deviceRemoved", "deviceWorn", "dietaryEnergyConsumed",
           "environmentalAudioExposure", "walkingHeartRateAverage"}


def templates():
    if not FOLDER or not FOLDER.is_dir():
        return []
    found = []
    for file in sorted(FOLDER.glob("*/devicecontent.json")):
        for entry in json.loads(file.read_text())["template"]:
            found.append(pytest.param(file.parent, entry["template"], id=f"{file.parent.name}-{entry['template']['typeName']}"))
    return found


def field(expression):
    return expression.removeprefix("$.")


@pytest.mark.skipif(not templates(), reason="no device-mappings; set VITALWIRE_DATA to the folder that has them")
@pytest.mark.parametrize("folder, template", templates())
def test_template(folder: pathlib.Path, template):
    numbers = {value["valueName"]: 60 + at for at, value in enumerate(template["values"])}
    payload = {field(template["deviceIdExpression"]): "watch-1", field(template["timestampExpression"]): WHEN}
    payload |= {field(value["valueExpression"]): str(numbers[value["valueName"]]) for value in template["values"]}
    done = subprocess.run([binary(), "profile", "test", str(folder), "-", "--json"], input=json.dumps(payload),
                          capture_output=True, text=True, timeout=60)
    report = json.loads(done.stdout)
    told = json.dumps(report)
    if template["typeName"] in UNKNOWN:
        assert done.returncode == 1, told
        assert {p["kind"] for p in report["problems"]} <= {"unknown-metric", "unknown-unit"}, told
        assert report["problems"] and not report["values"], told
        return
    assert done.returncode == 0, done.stdout + done.stderr
    assert [value["device"] for value in report["values"]] == ["watch-1"] * len(numbers), told
    assert {value["device_time_us"] for value in report["values"]} == {1_549_061_161_875_000}, told
    assert not report["problems"], told
