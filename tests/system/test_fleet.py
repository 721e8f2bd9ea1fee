"""Devices as things: a signed update goes to a device, never to one on a patient; what is tampered with is refused; floods slow nobody else."""

import base64
import hashlib
import json
import threading
import time

import paho.mqtt.client as mqtt
import pytest
import requests

from support.firmware import IMAGE, Maker
from support.server import Server, wait_for

PASSWORD = "correct horse battery 9"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A locked house with two pumps of one model, and firmware that their maker has signed."""
    folder = tmp_path_factory.mktemp("fleet")
    server = Server(folder / "data", open=False)
    for role in ("engineer", "security-officer", "physician", "nurse"):
        server.environment["VITALWIRE_PASSWORD"] = PASSWORD
        server.run("user", "add", role, "--role", role)
    del server.environment["VITALWIRE_PASSWORD"]
    server.token = server.run("user", "token", "ehr").split()[0]
    server.passwords = {name: server.run("device", "add", name).split()[-1] for name in ("p1", "p2", "m9")}
    maker = Maker()
    maker.root()
    server.good = maker.repository(folder / "good", version=3)
    server.bent = maker.repository(folder / "bent", version=4, image=IMAGE + b"2.5", delivered=IMAGE + b"evil")
    server.old = maker.repository(folder / "old", version=2)
    server.run("firmware", "trust", str(server.good / "1.root.json"))
    server.start()
    yield server
    server.stop()


def enter(server, role):
    session = requests.Session()
    session.trust_env = False
    answer = session.post(f"{server.url}/api/v1/login", json={"name": role, "password": PASSWORD}, timeout=60)
    assert answer.status_code == 200, answer.text
    return session


def ask(session, server, method, path, body=None, expect=200):
    answer = session.request(method, f"{server.url}/api/v1/fleet{path}", json=body, timeout=60)
    assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


class Pump:
    """A pump that follows what it is told: loads in ranges, checks the hash, says how it gets on."""

    def __init__(self, server, name, version="2.3"):
        self.server, self.name, self.version, self.told = server, name, version, []
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
        self.paho.username_pw_set(name, server.passwords[name])
        self.paho.on_message = lambda c, u, message: self.told.append(json.loads(message.payload))
        self.paho.on_connect = lambda c, u, f, reason, p: c.subscribe(f"vitalwire/{name}/command", 1)
        self.paho.connect(*server.mqtt)
        self.paho.loop_start()
        self.say()

    def publish(self, topic, body):
        self.paho.publish(f"vitalwire/{self.name}/{topic}", json.dumps(body), 1).wait_for_publish(60)

    def say(self):
        self.publish("status", {"manufacturer": "Acme", "model": "P2", "serial": self.name, "version": self.version})
        self.publish("measurements", [{"n": "VW_STEPS", "v": 1}])

    def load(self, url, **headers):
        word = base64.b64encode(f"{self.name}:{self.server.passwords[self.name]}".encode()).decode()
        return requests.get(self.server.url + url, headers={"Authorization": f"Basic {word}", **headers}, timeout=60)

    def update(self, offer):
        self.publish("firmware", {"state": "downloading"})
        half = offer["length"] // 2
        first = self.load(offer["url"], Range=f"bytes=0-{half - 1}")
        rest = self.load(offer["url"], Range=f"bytes={half}-")
        assert (first.status_code, rest.status_code) == (206, 206)
        image = first.content + rest.content
        assert image == IMAGE and hashlib.sha256(image).hexdigest() == offer["sha256"]
        self.publish("firmware", {"state": "installed"})
        self.version = offer["version"]
        self.say()
        self.publish("firmware", {"state": "running", "version": self.version})

    def stop(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def test_an_update_goes_to_whoever_is_on_no_patient(house):
    engineer = enter(house, "engineer")
    free, busy = Pump(house, "p1"), Pump(house, "p2")
    ehr = requests.Session()
    ehr.headers["Authorization"] = f"Bearer {house.token}"
    physician = enter(house, "physician")
    bulk = [{"device": "p2", "identifier": "urn:mrn|77", "name": "Testperson, Ada"}]
    answer = physician.post(f"{house.url}/api/v1/associations", json=bulk, timeout=60)
    assert answer.status_code == 204, answer.text

    house.run("firmware", "import", str(house.good))
    image = ask(engineer, house, "GET", "/images")[0]
    assert image["here"] and image["version"] == "2.4.1"
    listed = lambda: {d["device"]: d for d in ask(engineer, house, "GET", "/inventory?q=acme")["devices"]}
    wait_for(lambda: {d["firmware"] for d in listed().values()} == {"2.3"} and len(listed()) == 2, "the inventory of what was heard", 120)
    wait_for(lambda: listed()["p2"]["on_patient"], "the association")
    plan = {"name": "spring", "sha256": image["sha256"], "rings": [100], "soak_min": 0}
    campaign = ask(engineer, house, "POST", "/campaigns", plan)["number"]
    assert ask(enter(house, "nurse"), house, "POST", "/campaigns", plan, expect=403)["error"] == "forbidden"
    assert free.load(f"/api/v1/fleet/firmware/{image['sha256']}").status_code == 409, "nothing is offered yet"
    ask(engineer, house, "POST", f"/campaigns/{campaign}/resume", {}, expect=204)

    offer = wait_for(lambda: [t for t in free.told if t["command"] == "update"], "the offer")[0]
    assert free.load("/api/v1/fleet/firmware/offer").json()["sha256"] == offer["sha256"]
    free.update(offer)
    member = lambda name: next(m for m in ask(engineer, house, "GET", f"/campaigns/{campaign}")["members"] if m["device"] == name)
    wait_for(lambda: member("p1")["step"] == "confirmed", "the device's own word that it runs the new version")

    # FW-1: told nothing, offered nothing, given nothing, whatever it asks.
    assert busy.told == []
    assert busy.load("/api/v1/fleet/firmware/offer").json()["command"] == "none"
    assert busy.load(offer["url"]).status_code == 409
    assert member("p2")["step"] == "eligible" and "on a patient" in member("p2")["note"]
    off = physician.delete(f"{house.url}/api/v1/devices/p2/association", timeout=60)
    assert off.status_code == 204
    offer = wait_for(lambda: [t for t in busy.told if t["command"] == "update"], "the offer once it is off the patient")[0]

    # On a patient again before it has begun: the offer is taken back.
    assert physician.post(f"{house.url}/api/v1/associations", json=bulk, timeout=60).status_code == 204
    wait_for(lambda: [t for t in busy.told if t["command"] == "withdraw"], "the offer being taken back")
    assert busy.load(offer["url"]).status_code == 409

    ask(engineer, house, "POST", f"/campaigns/{campaign}/rollback", {"why": "the pump beeps"}, expect=204)
    wait_for(lambda: [t for t in free.told if t["command"] == "rollback"], "the order to go back")
    # DU-1: a report that was acknowledged is kept, whatever happens a moment later.
    free.publish("firmware", {"state": "rolled-back"})
    free.stop()
    busy.stop()
    house.kill()
    house.start()
    engineer = enter(house, "engineer")
    assert member("p1")["step"] == "rolled-back"
    wait_for(lambda: ask(engineer, house, "GET", f"/campaigns/{campaign}")["campaign"]["state"] == "finished", "the end of the rollback")


def test_nobody_but_a_device_loads_firmware(house):
    for path in ("offer", "metadata/root.json", "0" * 64):
        url = f"{house.url}/api/v1/fleet/firmware/{path}"
        assert requests.get(url, timeout=60).status_code == 401
        assert requests.get(url, headers={"Authorization": f"Bearer {house.token}"}, timeout=60).status_code == 401
        wrong = base64.b64encode(b"p1:wrong").decode()
        assert requests.get(url, headers={"Authorization": f"Basic {wrong}"}, timeout=60).status_code == 401


def test_what_is_not_as_signed_is_refused(house):
    for folder, why in ((house.bent, "not what was signed"), (house.old, "rollback")):
        with pytest.raises(AssertionError, match=why):
            house.run("firmware", "import", str(folder))
    assert "2.4.1" in house.run("firmware", "list")


def test_advisories_become_findings_and_are_acknowledged(house):
    engineer, officer = enter(house, "engineer"), enter(house, "security-officer")
    pump = {"manufacturer": "Acme", "model": "P2", "firmware": "2.2", "udi": "(01)00643169001763(21)21A11F4855"}
    ask(engineer, house, "PUT", "/inventory/p7", pump, expect=204)
    assert ask(engineer, house, "PUT", "/inventory/p8", {**pump, "udi": "(01)00643169001764"}, expect=400)["message"].startswith("udi")
    ask(engineer, house, "PUT", "/minimums", [{"manufacturer": "Acme", "model": "P2", "version": "2.4"}], expect=204)
    device = ask(officer, house, "GET", "/inventory?q=p7")["devices"][0]
    assert (device["verdict"], device["udi_di"]) == ("below", "GS1 00643169001763")
    table = "id,title,manufacturer,model,versions,cvss\nCVE-2099-7,Open door,Acme Inc.,P2,<2.4,9.1\n"
    assert ask(engineer, house, "POST", "/advisories", {"name": "office.csv", "text": table})["count"] == 1
    found = [v for v in ask(officer, house, "GET", "/vulnerabilities") if v["device"] == "p7"]
    assert [(v["id"], v["severity"], v["status"]) for v in found] == [("CVE-2099-7", "critical", "affected")]
    ask(engineer, house, "POST", "/vulnerabilities/acknowledge", {"id": "CVE-2099-7", "device": "p7", "reason": "not on the network"}, expect=204)
    found = [v for v in ask(officer, house, "GET", "/vulnerabilities") if v["device"] == "p7"]
    assert found[0]["acknowledged"]["by"] == "engineer"
    assert ask(enter(house, "nurse"), house, "GET", "/vulnerabilities", expect=403)


def test_a_flood_of_one_identity_slows_nobody_else(tmp_path):
    """A device far over its allowance is slowed by its own socket; another one's messages are acknowledged meanwhile."""
    config = tmp_path / "vitalwire.toml"
    config.write_text("[limits]\ndevice_messages_per_s = 20\nhttp_address_per_s = 5\n")
    server = Server(tmp_path / "data", open=False, config=config)
    server.passwords = {name: server.run("device", "add", name).split()[-1] for name in ("flood", "calm")}
    server.start()
    try:
        acknowledged = {"flood": 0, "calm": 0}

        def client(name):
            paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
            paho.username_pw_set(name, server.passwords[name])
            connected = threading.Event()
            paho.on_connect = lambda *_: connected.set()
            paho.on_publish = lambda *_: acknowledged.update({name: acknowledged[name] + 1})
            paho.connect(*server.mqtt)
            paho.loop_start()
            assert connected.wait(60)
            return paho

        flood, calm = client("flood"), client("calm")
        for at in range(3_000):
            flood.publish("vitalwire/flood/measurements", f'[{{"n":"VW_STEPS","v":{at}}}]', 1)
        for at in range(5):
            calm.publish("vitalwire/calm/measurements", f'[{{"n":"VW_STEPS","v":{at}}}]', 1)
            wait_for(lambda: acknowledged["calm"] > at, "the calm device's acknowledgement")
        # 200 at once and 20 a second: far from done while the calm one was served.
        assert acknowledged["flood"] < 3_000
        time.sleep(0.1)

        answers = [requests.get(f"{server.url}/api/v1/session", timeout=60) for _ in range(60)]
        slowed = [a for a in answers if a.status_code == 429]
        assert slowed and all(int(a.headers["Retry-After"]) >= 1 for a in slowed)
        flood.disconnect()
        calm.disconnect()
        flood.loop_stop()
        calm.loop_stop()
    finally:
        server.stop()
