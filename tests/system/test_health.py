"""Data of phones (docs/interfaces/mobile-health.md): over HTTP as the device itself, once however often it is sent; Apple Health's
export through the program's own command."""

import time

import pytest
import requests

from support.server import Server, wait_for


@pytest.fixture
def locked(tmp_path):
    server = Server(tmp_path / "data", open=False)
    server.token = server.run("user", "token", "phones").split()[0]
    server.session.headers["Authorization"] = f"Bearer {server.token}"
    server.password = server.run("device", "add", "phone-1").split()[-1]
    server.start()
    yield server
    server.stop()


def values(server, device):
    found = server.get(f"/fhir/Observation?device=Device/{device}&_count=1000").get("entry", [])
    return sorted(o["resource"]["valueQuantity"]["value"] for o in found)


def point(schema, field, value, unit, at):
    return {"header": {"schema_id": {"namespace": "omh", "name": schema, "version": "1.0"}},
            "body": {field: {"value": value, "unit": unit}, "effective_time_frame": {"date_time": at}}}


def test_a_phone_sends_as_itself_and_once(locked):
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    points = [point("heart-rate", "heart_rate", 71, "beats/min", at), point("respiratory-rate", "respiratory_rate", 15, "breaths/min", at),
              {"event": "inhaler-actuation", "time": at, "count": 2}, {"event": "party", "time": at}]
    url = f"{locked.url}/api/v1/device/health"
    assert requests.post(url, json=points, timeout=60).status_code == 401
    assert requests.post(url, json=points, auth=("phone-1", "wrong"), timeout=60).status_code == 401
    first = requests.post(url, json=points, auth=("phone-1", locked.password), timeout=60).json()
    assert (first["values"], first["duplicates"], len(first["quarantined"])) == (3, 0, 1), first
    again = requests.post(url, json=points[1:3], auth=("phone-1", locked.password), timeout=60).json()
    assert again["duplicates"] == 2, again
    wait_for(lambda: values(locked, "phone-1") == [2, 15, 71], "each value once")


def test_an_export_of_apple_health_is_imported_once(locked, tmp_path):
    export = tmp_path / "export.xml"
    begin = int(time.time()) - 86400 * 2
    with export.open("w") as file:
        file.write('<?xml version="1.0"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData (Record*)>\n]>\n<HealthData locale="en_GB">\n')
        for number in range(2500):
            at = time.strftime("%Y-%m-%d %H:%M:%S +0000", time.gmtime(begin + 60 * number))
            file.write(f'<Record type="HKQuantityTypeIdentifierHeartRate" unit="count/min" startDate="{at}" endDate="{at}" value="{60 + number % 30}"/>\n')
        file.write('<Record type="HKQuantityTypeIdentifierUVExposure" unit="count" startDate="x" endDate="x" value="1"/>\n</HealthData>\n')
    locked.environment["VITALWIRE_TOKEN"] = locked.token

    def run():
        import subprocess

        from support.server import binary
        done = subprocess.run([binary(), "import", "apple-health", str(export), "--device", "phone-1", "--url", locked.url],
                              capture_output=True, text=True, env=locked.environment, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    said = run()
    assert said.startswith("2500 values taken, 0 data points had come before") and "UVExposure" in said, said
    assert "2500 data points had come before" in run()
    wait_for(lambda: locked.get("/fhir/Observation?device=Device/phone-1&_summary=count")["total"] == 2500, "all of them, once")
