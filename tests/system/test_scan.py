"""Which device is on whom (docs/interfaces/association.md): a scan with two identifiers, what stands in the way, a kept order, and
devices at beds that wait to be confirmed where the policy asks for it."""

import json

from support.bedside import Monitor, admit
from support.server import wait_for

POLICY = """
name = "Confirmed"
[association]
by_place = "confirm"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{ role = "nurse", after_s = 0 }]
"""


def scan(server, device, mrn, birth="1950-01-01", **more):
    body = {"device_code": device, "patient_code": mrn, "birth_date": birth, **more}
    return server.post("/api/v1/associations/scan", body, expect=200)


def codes(result):
    return [conflict["code"] for conflict in result["conflicts"]]


def on(server, device):
    patient = server.get(f"/api/v1/devices/{device}")["device"]["patient"]
    return patient and patient["mrn"]


def speak(server, device):
    monitor = Monitor(server, device)
    monitor.say({"MDC_ECG_HEART_RATE": 70})
    monitor.stop()
    wait_for(lambda: any(d["id"] == device for d in server.get("/api/v1/devices")["devices"]), f"{device} to be known")


def test_two_identifiers_and_what_stands_in_the_way(server):
    admit(server, "S1", "A")
    admit(server, "S2", "B")
    speak(server, "scanned-1")
    assert codes(scan(server, "scanned-1", "S1", "1951-01-01")) == ["identifiers"]
    assert codes(scan(server, "scanned-1", "S9")) == ["unknown-patient"]
    assert on(server, "scanned-1") is None
    done = scan(server, "scanned-1", "S1")
    assert done["associated"] and done["agree"], done
    wait_for(lambda: on(server, "scanned-1") == "S1", "the device to be on S1")
    moved = scan(server, "scanned-1", "S2")
    assert (moved["associated"], codes(moved)) == (False, ["on-another"])
    assert scan(server, "scanned-1", "S2", accept=["on-another"])["associated"]
    wait_for(lambda: on(server, "scanned-1") == "S2", "the device to be on S2")


def test_an_order_that_is_kept_is_held_against_the_scan(make_server):
    """With accounts: under --open nothing is kept of patients' documents."""
    server = make_server(open=False)
    token = server.run("user", "token", "ehr", "--role", "administrator").split()[0]
    server.start().session.headers["Authorization"] = f"Bearer {token}"
    put = lambda resource: server.session.put(f"{server.url}/fhir/{resource['resourceType']}/{resource['id']}", json=resource, timeout=60)  # noqa: E731
    for number in ("1", "2"):
        who = f"pat-{number}"
        for resource in ({"resourceType": "Patient", "id": who, "birthDate": "1950-01-01", "identifier": [{"system": "urn:mrn", "value": f"O{number}"}]},
                         {"resourceType": "Encounter", "id": f"stay-{number}", "status": "in-progress", "class": {"code": "IMP"}, "subject": {"reference": f"Patient/{who}"}},
                         {"resourceType": "Device", "id": f"pump-{number}"}):
            answer = put(resource)
            assert answer.status_code == 201, answer.text
    wait_for(lambda: len(server.get("/api/v1/devices")["devices"]) >= 2, "the pumps to be known")
    order = {"resourceType": "DeviceRequest", "status": "active", "intent": "order", "identifier": [{"system": "urn:orders", "value": "O-77"}],
             "subject": {"reference": "Patient/pat-1"}, "codeReference": {"reference": "Device/pump-1"}}
    kept = server.post("/fhir/DeviceRequest", order, expect=201)
    assert codes(scan(server, "pump-2", "O1", order_number="O-77")) == ["order"], "another device"
    assert codes(scan(server, "pump-1", "O2", order_number="O-77")) == ["order"], "another patient"
    whole = {"device_code": "pump-1", "patient_code": "O1", "birth_date": "1950-01-01"}
    server.post("/api/v1/associations/scan", {**whole, "order_number": "none"}, expect=404)
    assert scan(server, "pump-1", "O1", order_number="O-77")["associated"]
    found = server.get("/fhir/DeviceRequest?patient=pat-1")
    assert [entry["resource"]["id"] for entry in found["entry"]] == [kept["id"]]
    server.put(f"/fhir/DeviceRequest/{kept['id']}", {**order, "id": kept["id"], "status": "completed"})
    server.post("/api/v1/associations/scan", {**whole, "order_number": "O-77"}, expect=404)


def test_devices_at_beds_wait_to_be_confirmed(make_server):
    server = make_server().start()
    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    _, bed = admit(server, "W1", "A")
    speak(server, "wall-1")
    server.post("/api/v1/devices/wall-1/mount", {"location": bed}, expect=204)
    [one] = wait_for(lambda: server.get("/api/v1/associations/proposals"), "a proposal")
    assert (one["device"], one["patient"]["mrn"], one["on_another"]) == ("wall-1", "W1", False), json.dumps(one)
    assert on(server, "wall-1") is None, "nobody has confirmed it"
    assert scan(server, "wall-1", "W1")["associated"]
    wait_for(lambda: on(server, "wall-1") == "W1", "the device to be on W1")
    wait_for(lambda: server.get("/api/v1/associations/proposals") == [], "nothing to wait")
