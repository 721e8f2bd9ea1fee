"""LoRaWAN uplinks and their decoders (docs/interfaces/lorawan.md): an uplink is stored once whichever way it comes; decoders
that loop, allocate or throw are stopped within their limits, and nothing else notices."""

import base64
import json
import pathlib
import threading
import time

import requests

from support.bedside import WELL, Monitor
from support.server import wait_for
from support.stored import readings

SHIPPED = pathlib.Path(__file__).parents[2] / "profiles" / "lorawan"

PROFILE = """format = "lorawan"
decoder = "{name}.js"
[match]
payload = "@.model == '{name}'"
[[measurement]]
metric = "MDC_TEMP_AMBIENT"
value = "$.decoded.temperature"
"""

PAYLOAD = [0x01, 0x75, 0x5C, 0x03, 0x67, 0x10, 0x01, 0x04, 0x68, 0x7B]  # 92 %, 27.2 degrees, 61.5 %

# What they do, and a word of why they are stopped.
BAD = {
    "loops": ("function decodeUplink() { for (;;) {} }", "stopped after"),
    "catches": ("function decodeUplink() { for (;;) { try { for (;;) {} } catch (e) {} } }", "stopped after"),
    "hangs": ("function decodeUplink() { return {data: Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1)}; }", "stopped after"),
    "allocates": ("function decodeUplink() { let a = []; for (;;) a.push('x'.repeat(1000) + a.length); }", "stopped"),
    "throws": ("function decodeUplink() { throw new Error('no such channel'); }", "no such channel"),
    "recurses": ("function decodeUplink() { return decodeUplink(); }", "failed"),
    "babbles": ("function decodeUplink() { return {data: {temperature: 'x'.repeat(1000000)}}; }", "longer than"),
    "reaches": ("function decodeUplink() { return {data: require('fs').readdirSync('/')}; }", "require"),
    "nothing": ("function decodeUplink() { }", "must return"),
    "broken": ("function (", "failed"),
}


def chirpstack(model, count, payload, eui="24e124136b000001"):
    return {"deduplicationId": f"d-{eui}-{count}", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60 + count)),
            "deviceInfo": {"applicationName": "home", "deviceProfileName": model, "deviceName": "room", "devEui": eui},
            "devAddr": "01ab", "fCnt": count, "fPort": 85, "data": base64.b64encode(bytes(payload)).decode(),
            "rxInfo": [{"gatewayId": "0016c001f0000001", "rssi": -80, "snr": 7.2}]}


def send(server, uplink, query="?event=up", **options):
    answer = requests.post(f"{server.url}/api/v1/lorawan/site{query}", json=uplink, timeout=120, **options)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


def shelve(server, **files):
    folder = server.data / "profiles" / "lorawan"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)


def values(server, device):
    found = server.get(f"/fhir/Observation?device=Device/{device}&_count=1000").get("entry", [])
    return sorted((o["resource"]["code"]["coding"][0]["code"], o["resource"]["valueQuantity"]["value"]) for o in found)


def test_an_uplink_is_stored_once_whichever_way_it_comes(make_server):
    server = make_server()
    shelve(server, **{f"{file.stem}_{file.suffix[1:]}": file.read_text() for file in SHIPPED.iterdir()})
    server.start()
    uplink = chirpstack("em300-th", 7, PAYLOAD)
    assert send(server, uplink) == {"values": 4, "duplicate": False, "quarantined": []}
    assert send(server, uplink)["duplicate"], "the server tries again"
    broker = Monitor(server, "chirpstack")
    topic = "application/1/device/24e124136b000001/event/up"
    for count in (7, 8):
        info = broker.paho.publish(topic, json.dumps(uplink if count == 7 else chirpstack("em300-th", count, PAYLOAD)), 1)
        info.wait_for_publish(60)
    device = "24E124136B000001"
    wait_for(lambda: len(values(server, device)) == 8, "two uplinks of four values")
    assert [value for _, value in values(server, device)].count(27.2) == 2
    assert send(server, {}, "?event=join")["values"] == 0
    refused = chirpstack("em300-th", 9, [0x77, 0x77])
    assert "refuses the payload" in send(server, refused)["quarantined"][0]
    broker.stop()


def test_bad_decoders_are_stopped_and_nothing_else_notices(make_server):
    server = make_server()
    for name, (source, _) in BAD.items():
        shelve(server, **{f"{name}_js": source, f"{name}_toml": PROFILE.format(name=name)})
    good = "function decodeUplink(i) { return {data: {temperature: i.bytes[0]}}; }"
    shelve(server, good_js=good, good_toml=PROFILE.format(name="good"))
    server.start()
    monitor, told, done = Monitor(server, "bed-1"), {}, threading.Event()

    def attack():
        for name in BAD:
            told[name] = send(server, chirpstack(name, 1, [21]))
        done.set()

    attacker = threading.Thread(target=attack)
    attacker.start()
    said, at = 0, 0.0
    while not done.is_set() or said < 5:
        at = max(time.time(), at + 0.001)  # the same values at the same millisecond would be the same message
        monitor.say(WELL, at=at)  # waits for the acknowledgement
        said += 1
        assert server.get("/healthz").strip() == "ok"
    attacker.join()
    wait_for(lambda: len(readings(server, "bed-1")) == said * len(WELL), "every value of the monitor")
    for name, (_, why) in BAD.items():
        assert told[name]["values"] == 0 and why in told[name]["quarantined"][0], (name, told[name])
    held = json.dumps(server.get("/api/v1/quarantine?limit=200")["items"])
    for name, (_, why) in BAD.items():
        assert why in held, name
    answers = [send(server, chirpstack("good", count, [20 + count])) for count in range(3)]
    assert [answer["values"] for answer in answers] == [1, 1, 1], answers
    assert server.metric("vitalwire_decoder_runs_total", outcome="done") >= 3
    assert server.metric("vitalwire_decoder_runs_total", outcome="time") >= 3
    # A profile that is mended takes what waits.
    shelve(server, throws_js=good)
    item = next(i for i in server.get("/api/v1/quarantine?limit=200")["items"] if "no such channel" in json.dumps(i))

    def released():
        answer = requests.post(f"{server.url}/api/v1/quarantine/{item['offset']}/release", json={}, timeout=60)
        return answer.status_code in (200, 204)

    wait_for(released, "the mended decoder to be loaded")
    wait_for(lambda: ("21" in json.dumps(values(server, "24E124136B000001"))), "its value")
    monitor.stop()
