"""LwM2M sensors over CoAP and DTLS with keys (docs/interfaces/coap.md), by other people's programs: aiocoap over Mbed TLS,
libcoap over OpenSSL and GnuTLS. DU-1: what was acknowledged is kept once, whatever is killed, lost or said again.
DU-2: whoever is refused is counted with the reason."""

import datetime
import os
import random
import shutil
import socket
import subprocess
import threading
import time

import aiocoap
import pytest

from support.lwm2m import Relay, Sensor, pack
from support.server import ROOT, Server, wait_for

CLIENTS = ("coap-client-openssl", "coap-client-gnutls")
PROFILE = (ROOT / "profiles" / "lwm2m-ipso.toml").read_text()
# A handshake with a wrong key is given up after five seconds, one that is not answered after sixty.
GENEROUS_S = 90


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class House:
    """A locked server that listens for CoAP, with an engineer and a program that reads."""

    def __init__(self, folder, more=""):
        self.coap = ("127.0.0.1", free_port())
        config = folder / "config.toml"
        config.write_text(f"[coap]\nlisten = '127.0.0.1:{self.coap[1]}'\n{more}")
        self.server = Server(folder / "data", open=False, config=config)
        self.token = self.server.run("user", "token", "eve", "--role", "engineer").split()[0]
        self.reader = self.server.run("user", "token", "ehr").split()[0]
        self.server.session.headers["Authorization"] = f"Bearer {self.token}"
        (self.server.data / "profiles").mkdir(exist_ok=True)
        (self.server.data / "profiles" / "lwm2m-ipso.toml").write_text(PROFILE)
        self.server.start()
        self.sensors = []

    def key(self, device, *more):
        name, key = self.server.run("device", "key", device, *more).split()[:2]
        assert name == device or more
        return bytes.fromhex(key)

    def sensor(self, device, **more):
        made = Sensor(self.coap, device, more.pop("key", None) or self.key(device), **more)
        self.sensors.append(made)
        return made

    def observations(self, device):
        """Every reading of a device, page by page."""
        path, found = f"/fhir/Observation?device=Device/{device}&_count=500", []
        while path:
            page = self.server.get(path, headers={"Authorization": f"Bearer {self.reader}"})
            found += [entry["resource"] for entry in page.get("entry", [])]
            following = next((link["url"] for link in page.get("link", []) if link["relation"] == "next"), None)
            path = following and "/fhir/" + following.split("/fhir/", 1)[1]
        return found

    def stored(self, device):
        return sorted(o["valueQuantity"]["value"] for o in self.observations(device) if "valueQuantity" in o)

    def times(self, device):
        """When each reading was taken, in tenths of seconds since 1970."""
        told = (datetime.datetime.fromisoformat(o["effectiveDateTime"]) for o in self.observations(device))
        return sorted(round(time.timestamp() * 10) for time in told)

    def refused(self, reason):
        return self.server.metric("vitalwire_gateway_refused_total", protocol="coap", reason=reason)

    def link(self, device):
        found = self.server.get("/api/v1/devices")["devices"]
        return next((d["link"] for d in found if d["id"] == device), None)

    def stop(self):
        for sensor in self.sensors:
            sensor.stop()
        self.server.stop()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.stop()


@pytest.mark.parametrize("suite", ["CCM-8", "GCM-SHA256", "CBC-SHA256"])
def test_a_sensor_registers_is_observed_and_sends(house, suite):
    sensor = house.sensor("room-4", suite=f"TLS-PSK-WITH-AES-128-{suite}")
    assert sensor.connect(), sensor.relay.over
    assert sensor.send(pack({"/3303/0/5700": 1.0})) == aiocoap.NOT_FOUND, "not before it has registered"
    assert sensor.register() == aiocoap.CREATED
    wait_for(lambda: sensor.thermometer.observers == 1, "the thermometer to be observed")
    wait_for(lambda: house.stored("room-4") == [20.0], "the first value")
    wait_for(lambda: house.link("room-4") == "online", "the link")
    now = time.time()
    sensor.tell(pack({"/3303/0/5700": 21.5}, now))
    wait_for(lambda: house.stored("room-4") == [20.0, 21.5], "the notification")
    assert sensor.send(pack({"/3303/0/5700": 22.5, "/3304/0/5700": 41.0}, now + 1)) == aiocoap.CHANGED
    wait_for(lambda: house.stored("room-4") == [20.0, 21.5, 22.5, 41.0], "what it sent")
    # More than goes into a block: the rest is fetched.
    long = {f"/3303/{n}/5700": 100 + n for n in range(100)}
    sensor.tell(pack({path: value / 10 for path, value in long.items()}, now + 2))
    wait_for(lambda: len(house.stored("room-4")) == 104, "the notification in blocks")
    assert sensor.thermometer.blocks >= 2
    assert sensor.register(lifetime_s=300) == aiocoap.CREATED, "again"
    assert sensor.request(aiocoap.DELETE, "rd/1") == aiocoap.DELETED
    assert sensor.send(pack({"/3303/0/5700": 1.0})) == aiocoap.NOT_FOUND, "it has said goodbye"


@pytest.mark.skipif(not all(map(shutil.which, CLIENTS)), reason=f"needs {', '.join(CLIENTS)}")
@pytest.mark.parametrize("program", CLIENTS)
def test_libcoap_is_let_in_with_its_key_alone(house, program, tmp_path):
    own = tmp_path / "own.key"
    own.write_text("736563726574206f662073697874656e\n")  # `secret of sixten`
    house.key("box-1", "--name", "urn:imei:490154203237518", "--from", str(own))

    def client(path, payload="", name="urn:imei:490154203237518", key="secret of sixten", more=()):
        url = f"coaps://127.0.0.1:{house.coap[1]}/{path}"
        return subprocess.run([program, "-m", "post", "-u", name, "-k", key, "-B", "8", *more, "-e", payload, url],
                              capture_output=True, text=True, timeout=60)

    for name, key, reason in (("urn:imei:490154203237518", "another one, wrong", "wrong-key"),
                              ("nobody", "secret of sixten", "unknown-identity")):
        client("rd?ep=box-1", name=name, key=key)
        wait_for(lambda: house.refused(reason) >= 1, reason, GENEROUS_S)
    assert house.link("box-1") != "online"
    other = client("rd?ep=box-2")
    assert house.refused("other-endpoint") == 1, other
    client("rd?ep=urn:imei:490154203237518&lt=300", "</3304/0>")
    wait_for(lambda: house.link("box-1") == "online", "the registration")
    # Another handshake, another port: the registration stands.
    client("dp", f'[{{"n":"/3304/0/5700","u":"%25RH","v":55,"bt":{int(time.time())}}}]', more=("-t", "110"))
    wait_for(lambda: house.stored("box-1") == [55], "the value")


def test_values_are_kept_once_though_the_server_is_killed(house):
    """Each value has a time of its own. The sensor says it until it is acknowledged, over as many handshakes as that takes."""
    sensor = house.sensor("room-5")
    seed = int(os.environ.get("KILL_SEED", time.time()))
    print(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    begin = int(time.time()) - 1000
    acknowledged, running = [], threading.Event()
    running.set()

    def speak():
        for number in range(10_000):
            while running.is_set() or number % 5:
                if sensor.context is None and not (sensor.connect(5) and sensor.register(links="") == aiocoap.CREATED):
                    sensor.disconnect()
                elif sensor.send(pack({"/3303/0/5700": number % 40}, begin + number / 10), limit_s=4) == aiocoap.CHANGED:
                    acknowledged.append(begin * 10 + number)
                    break
                else:
                    sensor.disconnect()
            if not running.is_set() and number % 5 == 0:
                return

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    for _ in range(int(os.environ.get("COAP_KILLS", 3))):
        before = len(acknowledged)
        wait_for(lambda: len(acknowledged) > before + 5, "the sensor to get on", 180)
        time.sleep(chance.random())
        house.server.kill()
        house.server.start()
    before = len(acknowledged)
    wait_for(lambda: len(acknowledged) > before + 5, "the sensor to get on", 180)
    running.clear()
    speaker.join(180)
    assert not speaker.is_alive()
    print(f"{len(acknowledged)} values acknowledged")
    wait_for(lambda: len(house.times("room-5")) >= len(acknowledged), "the values")
    assert house.times("room-5") == acknowledged, "each once, none lost"


def test_a_notification_is_said_again_until_it_is_acknowledged_and_kept_once(house):
    sensor = house.sensor("room-6")
    assert sensor.connect() and sensor.register() == aiocoap.CREATED
    wait_for(lambda: house.stored("room-6") == [20.0], "the first value")
    said = []

    def cut(direction, datagram):
        """Loses the first two acknowledgements (empty messages), and counts how often the value was said."""
        if direction == "up" and b"\xfb\x40\x35\x80" in datagram:  # 21.5
            said.append(datagram)
        return direction == "down" and datagram[0] >> 4 & 3 == 2 and datagram[1] == 0 and len(said) < 3

    sensor.relay.cut = cut
    sensor.tell(pack({"/3303/0/5700": 21.5}))
    wait_for(lambda: len(said) >= 3, "the value to be said again", GENEROUS_S)
    assert len({datagram[2:4] for datagram in said}) == 1, "the same message each time"
    sensor.tell(pack({"/3303/0/5700": 22.5}))
    wait_for(lambda: 22.5 in house.stored("room-6"), "the next one", GENEROUS_S)
    assert house.stored("room-6") == [20.0, 21.5, 22.5], "though it has no time of its own"


def test_garbage_floods_and_replays_change_nothing(house):
    sensor = house.sensor("room-7")
    assert sensor.connect() and sensor.register() == aiocoap.CREATED
    now = time.time()
    assert sensor.send(pack({"/3303/0/5700": 30.0}, now)) == aiocoap.CHANGED
    wait_for(lambda: 30.0 in house.stored("room-7"), "the value")
    taken = house.server.metric("vitalwire_gateway_messages_total", protocol="coap")
    # Everything that it ever sent, again from its own address, then from others.
    wire = list(sensor.relay.sealed)
    for datagram in wire * 3:
        sensor.relay.raw.send(datagram)
    strangers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
    chance = random.Random(7)
    for round_ in range(50):
        for stranger in strangers:
            datagram = bytearray(chance.choice(wire))
            for _ in range(round_ % 4):
                datagram[chance.randrange(len(datagram))] = chance.randrange(256)
            stranger.sendto(bytes(datagram[:chance.randrange(1, len(datagram) + 1)] if round_ % 3 else datagram), house.coap)
            stranger.sendto(chance.randbytes(chance.randrange(0, 80)), house.coap)
    wait_for(lambda: house.refused("unknown-session") > 0, "strangers to be counted")
    assert house.server.metric("vitalwire_gateway_messages_total", protocol="coap") == taken, "nothing was taken"
    assert sensor.send(pack({"/3303/0/5700": 31.0}, now + 1)) == aiocoap.CHANGED, "its session goes on"
    # Hellos without their cookie: each is answered with a question no longer than itself, and leaves nothing.
    hello = wire[0]
    assert hello[0] == 22 and hello[13] == 1
    flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    flood.setblocking(False)
    heard = 0
    for _ in range(5000):
        flood.sendto(hello, house.coap)
        try:
            while answer := flood.recv(2048):
                heard += 1
                assert len(answer) <= len(hello) and answer[13] == 3, "a question for the cookie"
        except BlockingIOError:
            pass
    assert heard > 0
    assert sensor.send(pack({"/3303/0/5700": 32.0}, now + 2)) == aiocoap.CHANGED
    other = house.sensor("room-8")
    assert other.connect() and other.register() == aiocoap.CREATED, "others still come in"
    for stranger in strangers + [flood]:
        stranger.close()


def test_what_can_not_be_read_waits_in_quarantine(house):
    sensor = house.sensor("room-9")
    assert sensor.connect() and sensor.register() == aiocoap.CREATED
    assert sensor.send(b"\x81\xa1\xff", limit_s=30) == aiocoap.CHANGED, "kept, so acknowledged"
    assert sensor.send(pack({"/3343/0/5851": 7}), limit_s=30) == aiocoap.CHANGED
    def held():
        items = house.server.get("/api/v1/quarantine?limit=200")["items"]
        return [item for item in items if item["sender"] == "room-9"]
    items = wait_for(lambda: len(held()) == 2 and held(), "both in quarantine")
    assert {item["address"] for item in items} == {"lwm2m/room-9"}, items
    assert house.refused("content") == 1


def test_a_sensor_that_falls_silent_is_lost_and_comes_back(house):
    sensor = house.sensor("room-10")
    assert sensor.connect() and sensor.register(lifetime_s=3) == aiocoap.CREATED
    wait_for(lambda: house.link("room-10") == "online", "the link")
    wait_for(lambda: house.link("room-10") == "lost", "its lifetime to end")
    assert sensor.request(aiocoap.POST, "rd/1") == aiocoap.NOT_FOUND, "it has to register anew"
    assert sensor.register() == aiocoap.CREATED
    wait_for(lambda: house.link("room-10") == "online", "the link")


def test_a_suspended_sensor_is_put_out_and_stays_out(house):
    sensor = house.sensor("room-11")
    assert sensor.connect() and sensor.register() == aiocoap.CREATED
    house.server.run("device", "suspend", "room-11", "--why", "a test")
    wait_for(lambda: house.link("room-11") == "lost", "the end of its session")
    assert sensor.send(pack({"/3303/0/5700": 1.0}), limit_s=3) is None
    assert not sensor.connect(8)
    wait_for(lambda: house.refused("not-in-service") + house.refused("handshake-timeout") >= 1, "the refusal", GENEROUS_S)
    house.server.run("device", "activate", "room-11", "--why", "a test")
    assert sensor.connect() and sensor.register() == aiocoap.CREATED
