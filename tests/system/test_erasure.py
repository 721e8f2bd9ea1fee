"""Erasing one person (must-show 6): of all that was played of them nothing is left in the data folder or in a backup, as it
lies there or opened with every key that is left; everybody else is untouched; restarts, crashes and restores change nothing."""

import json
import os
import pathlib
import random
import secrets
import struct
import threading
import time

import pytest
import requests

from support.bedside import Monitor, admit, hl7
from support.server import Server, wait_for
from support.unsealed import Keyring, backup, database, journal
from support.waves import CODES, WaveMonitor, associate, frame

KILLS = int(os.environ.get("ERASE_KILLS", "4"))
SEED = int(os.environ.get("ERASE_SEED", secrets.randbelow(2**32)))
FAMILY = {"a": "Zwyndrickson", "b": "Hollenbacher"}
ROUTE = "/api/v1/patients/{}/erasure"


class Person:
    """Somebody with a name, a number, a monitor and a wearable, all of which can be recognised."""

    def __init__(self, server, mark):
        self.mark, self.family, self.mrn = mark, FAMILY[mark], f"ERA-9041-{mark}-77"
        self.server, self.device, self.serial = server, f"wear-{mark}", f"SN-{mark}-5582917-XQ"
        self.values = {"MDC_ECG_HEART_RATE": 61.7391 if mark == "a" else 58.2847, "MDC_RESP_RATE": 13.3377 if mark == "a" else 12.9153}
        chance = random.Random(mark)
        self.samples = [chance.randrange(-9000, 9000) for _ in range(500)]
        self.note = f"note on {mark}: zebra-{mark}-4411"
        self.id, _ = admit(server, self.mrn, f"BED-{mark}")

    def play(self):
        server = self.server
        now = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())
        assert hl7(server, f"MSH|^~\\&|ADMIT|TEST|||{now}||ADT^A08^ADT_A01|U-{self.mark}|P|2.5\nEVN||{now}\n"
                           f"PID|||{self.mrn}^^^TEST^MR||{self.family}^Quomo||19310723|F|||{self.family}street 5\n"
                           f"PV1||I|WARD^1^BED-{self.mark}\n") == "AA"
        server.put(f"/fhir/Device/{self.device}", {"resourceType": "Device", "id": self.device, "serialNumber": self.serial,
                                                   "deviceName": [{"name": f"Wearable {self.mark}", "type": "user-friendly-name"}]},
                   expect=201)
        server.post(f"/api/v1/devices/{self.device}/association", {"patient": self.id}, expect=204)
        monitor = Monitor(server, self.device)
        for beat in range(5):
            monitor.say({name: value + beat / 1024 for name, value in self.values.items()})
        monitor.send(f"not JSON, but of {self.mrn}")  # quarantine
        waves = WaveMonitor(server, self.device + "-w")
        server.post(f"/api/v1/devices/{self.device}-w/association", {"patient": self.id}, expect=204)
        for number in range(2):
            samples = self.samples[number * 250:(number + 1) * 250]
            waves.send(frame.encode(number, [frame.Channel(metric=CODES["MDC_PULS_OXIM_PLETH"], rate=(125, 1), samples=samples)]))
        # An alert, with a note of its own.
        alert = monitor.keep_saying({"MDC_ECG_HEART_RATE": 190},
                                    lambda: next(iter(server.get(f"/api/v1/alerts?patient={self.id}")["alerts"]), None), "an alert")
        server.post(f"/api/v1/alerts/{alert['episode']}/acknowledge", {"reason": self.note})
        monitor.stop()
        waves.stop()

    def needles(self):
        """What was said of them, as bytes that do not come about by chance."""
        texts = [self.family, self.mrn, self.serial, self.note, f"{self.family}street"]
        found = {text: text.encode() for text in texts}
        for name, value in self.values.items():
            found[f"{name} as a number"] = struct.pack("<d", value)
            found[f"{name} as text"] = str(value).encode()
        found["samples"] = struct.pack("<8h", *self.samples[:8])
        return found

    def all_of(self):
        """Everything that FHIR and the application interface give about them, as text."""
        kinds = [f"Patient/{self.id}", f"Observation?patient={self.id}&_count=1000", f"Encounter?patient={self.id}", f"Device/{self.device}",
                 f"Patient/{self.id}/_history"]
        server = self.server
        server.get("/fhir/Observation?_summary=count")
        parts = [without_links(server.get(f"/fhir/{kind}")) for kind in kinds]
        now = int(time.time() * 1000)
        for channel in server.get(f"/api/v1/patients/{self.id}/waveforms")["channels"]:
            wave = server.session.get(f"{server.url}/api/v1/patients/{self.id}/waveforms/{channel['series']}",
                                      params={"from_ms": now - 3_600_000, "to_ms": now}, timeout=60)
            parts.append(wave.content.hex())
        return json.dumps(parts, sort_keys=True)


def without_links(answer):
    """Bundles say where they were asked for, and when."""
    if answer.get("resourceType") == "Bundle":
        answer = {key: value for key, value in answer.items() if key not in ("link", "meta", "id", "timestamp")}
        for entry in answer.get("entry", []):
            entry.pop("fullUrl", None)
    return answer


def on_disk(folder):
    return {str(path): path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def opened(server, keyring=None):
    """Databases and journal with all that opens."""
    data = server.data
    keyring = keyring or Keyring(data / "keys/keyring", data / "keys/master.key")
    store = database(data / "store.db", keyring.of("store")[0])
    entries, shut = journal(data / "journal", keyring)
    return {"store": store, "journal": entries, "keyring": b"".join(keyring.records)}, shut


def seen(person, places):
    """Which of a person's needles stand where."""
    return {(what, place) for what, needle in person.needles().items() for place, data in places.items() if needle in data}


def settled(server):
    server.get("/fhir/Observation?_summary=count")


@pytest.fixture
def copy(tmp_path):
    return tmp_path / "elsewhere" / "keyring"


@pytest.fixture
def ward(make_server, copy):
    copy.parent.mkdir()
    server = make_server(environment={"VITALWIRE_KEYS_COPY": str(copy)}).start()
    people = [Person(server, "a"), Person(server, "b")]
    for person in people:
        person.play()
    settled(server)
    return server, *people


def test_nothing_is_left_of_who_was_erased(ward, copy, tmp_path):
    server, gone, stays = ward
    saved = tmp_path / "saved.backup"
    report = json.loads(server.run("backup", "--to", str(saved), "--json"))
    assert report["rows"] > 50
    # Before: all is there for whoever has the keys, and nothing for whoever has not.
    places, _ = opened(server)
    places["backup"], shut = backup(saved, Keyring(copy, server.data / "keys/master.key"))
    assert shut == 0
    for person in (gone, stays):
        whats = {what for what, _ in seen(person, places)}
        assert whats == set(person.needles()), set(person.needles()) - whats
        assert {place for _, place in seen(person, places)} >= {"store", "journal", "backup"}
        assert seen(person, {**on_disk(server.data), "backup": saved.read_bytes(), "copy": copy.read_bytes()}) == set()
    others = stays.all_of()

    proof = server.post(ROUTE.format(gone.id), {"reason": "request 17 of 2026"})
    assert proof["proved"] and proof["left"] == {} and proof["keys_destroyed"] and proof["journal_unreadable"] >= 0
    assert proof["deleted"]["series"] >= 3 and proof["deleted"]["alerts"] >= 1 and gone.device in proof["devices"]

    def nothing_left():
        places, shut = opened(server)
        places["backup"], backup_shut = backup(saved, Keyring(copy, server.data / "keys/master.key"))
        assert backup_shut > 0
        places |= {f"{name} as it lies": data for name, data in on_disk(server.data).items()}
        assert seen(gone, places) == set()
        of_others = {what for what, _ in seen(stays, {"backup": places["backup"]})}
        assert of_others >= {stays.family, stays.mrn, stays.serial, stays.note}
        server.get(f"/fhir/Patient/{gone.id}", expect=404)
        assert all(patient["id"] != gone.id for patient in server.get("/api/v1/patients"))
        assert stays.all_of() == others
        return shut

    nothing_left()
    assert server.get(ROUTE.format(gone.id))["proved"]
    server.kill()
    server.start()
    nothing_left()
    server.stop()
    again = json.loads(server.run("patient", "erased", gone.id, "--json"))
    assert again["proved"] and again["keys_destroyed"] == proof["keys_destroyed"]
    server.run("audit", "verify")

    # The backup from before, restored: who was erased since stays so, everybody else is as they were.
    restored = Server(tmp_path / "restored")
    restored.run("restore", "--from", str(saved), "--keyring", str(copy), "--master-key", str(server.data / "keys/master.key"))
    try:
        restored.start()
        restored.get(f"/fhir/Patient/{gone.id}", expect=404)
        stays.server = restored
        assert stays.all_of() == others
        # It goes on: a new value of a known device comes to the same patient.
        count = restored.get(f"/fhir/Observation?patient={stays.id}&_summary=count")["total"]
        monitor = Monitor(restored, stays.device)
        monitor.say({"MDC_ECG_HEART_RATE": 71})
        monitor.stop()
        wait_for(lambda: restored.get(f"/fhir/Observation?patient={stays.id}&_summary=count")["total"] > count, "a new value")
        places, _ = opened(restored)
        places |= on_disk(restored.data)
        assert seen(gone, places) == set()
    finally:
        restored.stop()


def test_kill_9_in_the_middle_of_an_erasure(ward):
    print(f"ERASE_SEED={SEED} ERASE_KILLS={KILLS}")
    chance = random.Random(SEED)
    server, gone, stays = ward
    before, others = gone.all_of(), stays.all_of()
    ends = set()
    for _ in range(KILLS):
        def ask():
            try:
                requests.post(server.url + ROUTE.format(gone.id), json={"reason": "r"}, timeout=60)
            except requests.RequestException:
                pass
        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(chance.uniform(0, 0.4))
        server.kill()
        asking.join()
        server.start()
        answer = server.session.get(server.url + ROUTE.format(gone.id), timeout=60)
        assert stays.all_of() == others
        if answer.status_code == 404:
            ends.add("not at all")
            assert gone.all_of() == before
            continue
        ends.add("wholly")
        wait_for(lambda: server.get(ROUTE.format(gone.id))["proved"], "the erasure to be finished")
        places, _ = opened(server)
        assert seen(gone, {**places, **on_disk(server.data)}) == set()
        break
    print(f"ended: {ends}")


def test_a_hold_forbids_it(ward):
    server, gone, _ = ward
    now = int(time.time() * 1000)
    hold = server.post(f"/api/v1/patients/{gone.id}/holds", {"from_ms": now - 60_000, "to_ms": now, "reason": "a case"})
    answer = server.post(ROUTE.format(gone.id), {"reason": "r"}, expect=409)
    assert "hold" in answer["message"]
    server.call("DELETE", f"/api/v1/patients/{gone.id}/holds/{hold['id']}", expect=204)
    assert server.post(ROUTE.format(gone.id), {"reason": "r"})["proved"]


def test_erased_on_a_stopped_folder(ward):
    server, gone, stays = ward
    others = stays.all_of()
    server.stop()
    proof = json.loads(server.run("patient", "erase", gone.id, "--reason", "request 18", "--json"))
    assert proof["proved"], proof
    places, _ = opened(server)
    assert seen(gone, {**places, **on_disk(server.data)}) == set()
    server.start()
    assert stays.all_of() == others
