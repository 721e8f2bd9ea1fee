"""The pumps of the virtual ward take commands: the whole life of one, over the real program and its simulator."""

import pathlib
import subprocess
import uuid

import pytest

from support.server import ROOT, Server, binary, wait_for

EXAMPLE = ROOT / "crates" / "sim" / "commands" / "simulated-pump.toml"


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pumps")
    server = Server(folder / "data")
    (server.data / "commands").mkdir(parents=True)
    (server.data / "commands" / EXAMPLE.name).write_text(EXAMPLE.read_text())
    server.start()
    doors = [part for door in ("http", "mqtt", "mllp") for part in (f"--{door}", "{}:{}".format(*getattr(server, door)))]
    log = pathlib.Path(folder / "sim.log").open("wb")
    sim = subprocess.Popen([binary(), "sim", "--beds", "4", *doors], stdout=log, stderr=log, env=server.environment)
    yield server
    sim.terminate()
    sim.wait(timeout=60)
    server.stop()


def pumps(ward):
    found = [d for d in ward.get("/api/v1/devices")["devices"] if d["id"].startswith("pump-") and d["patient"]]
    return sorted(found, key=lambda device: device["id"])


def wish(ward, device, command, **more):
    body = {"command": command, "patient": device["patient"]["id"], "key": uuid.uuid4().hex, **more}
    return ward.post(f"/api/v1/devices/{device['id']}/commands", body, expect=201)


def until(ward, command, *states):
    def there():
        now = ward.get(f"/api/v1/commands/{command['id']}")
        return now if now["state"] in states else None
    return wait_for(there, f"{command['command']} to be {states}", 120)


def test_a_pump_of_the_ward_blinks_and_reads_back_its_limit(ward):
    found = wait_for(lambda: (known := pumps(ward)) and len(known) == 4 and known, "the pumps on their patients", 120)
    offers = lambda: ward.get(f"/api/v1/devices/{found[0]['id']}/commands")["offers"]
    assert {o["name"] for o in wait_for(offers, "the pump's own word what it is")} == {"identify", "set-pressure-limit", "set-rate"}
    done = until(ward, wish(ward, found[0], "identify"), "done")
    assert [line["state"] for line in done["history"]][-1] == "done"
    who = found[0]["patient"]
    identifiers = {"birth_date": who["birth_date"], "number": who["mrn"]}
    limit = wish(ward, found[0], "set-pressure-limit", parameters={"pressure": 300}, identifiers=identifiers)
    done = until(ward, limit, "done")
    assert done["history"][-1]["detail"] == "read back: pressure 300 mm[Hg]"
    # Therapy needs a second person, whom a trial does not have: it waits, and nothing is sent.
    rate = wish(ward, found[0], "set-rate", parameters={"rate": 5}, identifiers=identifiers, expires_s=2)
    assert rate["state"] == "awaiting"
    until(ward, rate, "expired")
