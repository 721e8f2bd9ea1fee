"""The Nightscout API as apps use it (docs/interfaces/nightscout.md): virtual people upload through it and as Bluetooth
records, and the same series is in the store; repeated and overlapping uploads store a value once; each keeps to its own."""

import gzip
import hashlib
import json
import struct
import time

import paho.mqtt.client as mqtt
import pytest
import requests

from support.glucose import people
from support.server import Server, wait_for
from support.waves import associate, patients
from system.test_gatt import crc, value

PEOPLE = ("adult#001", "adolescent#002", "child#003")
HOURS = 2


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("locked") / "data", open=False)
    token = server.run("user", "token", "ehr").split()[0]
    names = [f"{kind}-{at}" for kind in ("ns", "ble") for at in range(len(PEOPLE))] + ["ns-other", "ns-third"]
    server.passwords = {name: server.run("device", "add", name).split()[-1] for name in names}
    server.session.headers["Authorization"] = f"Bearer {token}"
    server.start()
    yield server
    server.stop()


def app(server, device):
    """A session as an app has it: the SHA-1 of a secret, and nothing else."""
    session = requests.Session()
    session.trust_env = False
    session.headers["api-secret"] = hashlib.sha1(server.passwords[device].encode()).hexdigest()
    return session


def upload(session, server, documents, path="/api/v1/entries.json", **options):
    answer = session.post(server.url + path, timeout=120, **(options or {"json": documents}))
    assert answer.status_code == 200, answer.text
    return answer.json()


def entries(series):
    return [{"type": "sgv", "date": second * 1000, "sgv": glucose, "direction": "Flat", "device": "simglucose"}
            for second, glucose in series]


def stored(server, device, code="99504-3"):
    page = server.get(f"/fhir/Observation?device=Device/{device}&code={code}&_count=1000")
    found = (entry["resource"] for entry in page.get("entry", []))
    return sorted((o["effectiveDateTime"], o["valueQuantity"]["value"], o["valueQuantity"]["code"]) for o in found)


def bluetooth(series):
    """The series as CGM records of a session that began with it; an SFLOAT of whole numbers."""
    begin = series[0][0]
    local = time.gmtime(begin)
    start = struct.pack("<HBBBBBBB", local.tm_year, local.tm_mon, local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, 0, 0)
    message = [value("2aaa", start + crc(start))]
    for second, glucose in series:
        body = bytes([8, 0]) + struct.pack("<HH", glucose, (second - begin) // 60)
        message.append(value("2aa7", body + crc(body)))
    return message


def forward(server, device, message):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, device)
    client.username_pw_set(device, server.passwords[device])
    client.connect(*server.mqtt)
    client.loop_start()
    info = client.publish(f"vitalwire/{device}/gatt", json.dumps(message), 1)
    info.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
    assert info.is_published(), "not acknowledged"


def test_the_same_people_by_nightscout_and_by_bluetooth_are_the_same_in_the_store(locked):
    series = people(PEOPLE, HOURS)
    for at, name in enumerate(PEOPLE):
        whole = series[name]
        assert len(whole) == HOURS * 20 and len({glucose for _, glucose in whole}) > 5, "a series worth comparing"
        session = app(locked, f"ns-{at}")
        # As apps do: in pieces that overlap, one of them twice, one packed.
        documents = entries(whole)
        upload(session, locked, documents[:15])
        upload(session, locked, documents[10:30])
        upload(session, locked, documents[10:30])
        packed = gzip.compress(json.dumps(documents[25:]).encode())
        upload(session, locked, None, data=packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})
        forward(locked, f"ble-{at}", bluetooth(whole))
        wait_for(lambda: len(stored(locked, f"ble-{at}")) == len(whole), "the Bluetooth series to be stored")
        by_app, by_radio = stored(locked, f"ns-{at}"), stored(locked, f"ble-{at}")
        assert [glucose for _, glucose, _ in by_app] == [glucose for _, glucose in whole]
        assert by_app == by_radio, name
        back = session.get(f"{locked.url}/api/v1/entries.json?count=1000&find[type]=sgv", timeout=60).json()
        assert [(e["date"] // 1000, e["sgv"], e["direction"]) for e in reversed(back)] == [(s, g, "Flat") for s, g in whole]


def test_who_may_send_and_read(locked):
    now = int(time.time())
    document = entries([(now, 111)])
    for headers in ({}, {"api-secret": "0" * 40}, {"api-secret": locked.passwords["ns-other"]}):
        answer = requests.post(f"{locked.url}/api/v1/entries", json=document, headers=headers, timeout=60)
        assert answer.status_code == 401, headers
        assert requests.get(f"{locked.url}/api/v1/entries.json", headers=headers, timeout=60).status_code == 401
    session = app(locked, "ns-other")
    assert session.get(f"{locked.url}/api/v1/verifyauth", timeout=60).json()["message"]["canWrite"] is True
    assert session.get(f"{locked.url}/api/v1/status.json", timeout=60).json()["settings"]["units"] == "mg/dl"
    upload(session, locked, document)
    # The document's own words about a device change nothing: it is the sender's.
    assert wait_for(lambda: stored(locked, "ns-other"), "it to be stored")[0][1] == 111
    read = session.get(f"{locked.url}/api/v1/entries/current.json", timeout=60).json()
    assert [e["sgv"] for e in read] == [111], "its own, and nobody else's"
    # A program sends for a device that it names; without the right to see patients it reads nobody.
    token = {"token": locked.session.headers["Authorization"].split()[1], "device": "ns-program"}
    answer = requests.post(f"{locked.url}/api/v1/entries", params=token, json=document, timeout=60)
    assert answer.status_code == 200, answer.text
    answer = requests.get(f"{locked.url}/api/v1/entries.json", params={**token, "patient": "p-0000000000000000"}, timeout=60)
    assert answer.status_code == 403, answer.text
    locked.run("device", "suspend", "ns-other", "--why", "a test")
    assert session.post(f"{locked.url}/api/v1/entries", json=document, timeout=60).status_code == 403


def test_a_follower_reads_what_is_the_patients(server):
    associate(server, ["cgm-1"])
    patient = patients(server)["cgm-1"]
    now = int(time.time())
    series = [(now - 600 + 300 * at, 100 + at) for at in range(3)]
    documents = entries(series)
    documents += [{"eventType": "Meal Bolus", "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 60)),
                   "insulin": 2.5, "carbs": 30}]
    documents += [{"type": "sgv", "date": now * 1000, "sgv": 5}]
    answered = upload(server.session, server, documents, "/api/v1/entries?device=cgm-1")
    assert [("_id" in a, "quarantined" in a) for a in answered] == [(True, False)] * 4 + [(True, True)]
    url = f"/api/v1/entries.json?patient={patient}"
    wait_for(lambda: len(server.get(url)) == 3, "the entries")
    assert [e["sgv"] for e in server.get(url)] == [102, 101, 100], "newest first"
    since = series[1][0] * 1000
    assert [e["sgv"] for e in server.get(f"{url}&find[date][$gte]={since}&count=1")] == [102]
    assert len(server.get(f"{url}&find[date][$gt]={since}")) == 1
    treatments = server.get(f"/api/v1/treatments.json?patient={patient}")
    assert sorted((t["eventType"], t.get("insulin") or t.get("carbs")) for t in treatments) == [
        ("Carb Correction", 30), ("Correction Bolus", 2.5)]
    held = [item for item in server.get("/api/v1/quarantine?limit=200")["items"] if "nightscout" in item["address"]]
    assert "a code of the sensor" in json.dumps(held), held


def test_what_was_answered_survives_a_power_failure(make_server):
    server = make_server().start()
    now = int(time.time())
    for at in range(20):
        upload(server.session, server, entries([(now - 6000 + 300 * at, 100 + at)]), "/api/v1/entries?device=cgm-9")
    server.kill()
    server.start()
    wait_for(lambda: len(stored(server, "cgm-9")) == 20, "all twenty")
    upload(server.session, server, entries([(now - 6000, 100)]), "/api/v1/entries?device=cgm-9")
    assert len(stored(server, "cgm-9")) == 20, "sent again after the restart, stored once"


def test_uploads_by_version_3(locked):
    """As AndroidAPS does: a token for a pass, then a document a request, with the pass."""
    password = locked.passwords["ns-third"]
    session = requests.Session()
    session.trust_env = False
    url = locked.url
    version = session.get(f"{url}/api/v3/version", timeout=60).json()
    assert version["status"] == 200 and version["result"]["apiVersion"].startswith("3.")
    for token in ("wrong", hashlib.sha1(password.encode()).hexdigest()):
        assert session.get(f"{url}/api/v2/authorization/request/{token}", timeout=60).status_code == 401
    for path in ("entries", "status", "lastModified", "entries/history/0"):
        assert session.get(f"{url}/api/v3/{path}", timeout=60).status_code == 401, path
    document = {"type": "sgv", "date": (int(time.time()) - 600) * 1000, "sgv": 123, "direction": "Flat", "app": "AAPS",
                "device": "phone", "utcOffset": 60, "identifier": "95e1a6e3-1146-5d6a-a3f1-41567cae0895"}
    assert session.post(f"{url}/api/v3/entries", json=document, timeout=60).status_code == 401
    given = session.get(f"{url}/api/v2/authorization/request/{password}", timeout=60).json()
    assert given["sub"] == "ns-third" and given["exp"] > time.time() and given["token"].count(".") == 2
    session.headers["Authorization"] = f"Bearer {given['token']}"
    assert session.get(f"{url}/api/v3/status", timeout=60).json()["result"]["apiPermissions"]["entries"] == "cr"
    first = session.post(f"{url}/api/v3/entries", json=document, timeout=60)
    assert (first.status_code, first.json()["identifier"]) == (201, document["identifier"]), first.text
    assert first.headers["Location"] == f"/api/v3/entries/{document['identifier']}"
    again = session.post(f"{url}/api/v3/entries", json=document, timeout=60)
    assert (again.status_code, again.json()["isDeduplication"]) == (200, True), again.text
    bolus = {"eventType": "Correction Bolus", "date": document["date"], "insulin": 1.25, "app": "AAPS", "identifier": "b-1"}
    assert session.put(f"{url}/api/v3/treatments/b-1", json=bolus, timeout=60).status_code == 201
    assert session.post(f"{url}/api/v3/food", json=document, timeout=60).status_code == 404
    assert session.post(f"{url}/api/v3/entries", json=[document], timeout=60).status_code == 400
    broken = session.post(f"{url}/api/v3/entries", json={"type": "sgv", "date": document["date"], "sgv": 5}, timeout=60)
    assert broken.status_code == 201 and "quarantined" in broken.json()
    found = wait_for(lambda: session.get(f"{url}/api/v3/entries?sort$desc=date&limit=3", timeout=60).json()["result"], "the entry")
    assert [(e["sgv"], e["date"]) for e in found] == [(123, document["date"])]
    changed = session.get(f"{url}/api/v3/lastModified", timeout=60).json()["result"]["collections"]["entries"]
    history = session.get(f"{url}/api/v3/entries/history/{changed - 1}", timeout=60).json()["result"]
    assert [e["srvModified"] for e in history] == [changed]
    assert session.get(f"{url}/api/v3/entries/history/{changed}", timeout=60).json()["result"] == []
    locked.run("device", "suspend", "ns-third", "--why", "a test")
    assert session.post(f"{url}/api/v3/entries", json=document, timeout=60).status_code == 403, "a pass opens no more than its device may"
