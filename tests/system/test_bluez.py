"""The Bluetooth collector (docs/interfaces/bluetooth.md) against org.bluez played on a dbus-daemon of its own: devices on the
list are connected to and no others; values go the way of all values; what is lost comes back. No radio takes part."""

import datetime
import shutil
import struct

import pytest

from support.server import Server, wait_for
from system.test_gatt import crc

if not shutil.which("dbus-daemon"):
    pytest.skip("skipped: dbus-daemon is not installed (tests/setup.sh)", allow_module_level=True)

from support.bluez import ADAPTER, Bluez, Bus  # noqa: E402

CUFF, METER, SENSOR, STRANGER = (f"AA:BB:CC:DD:EE:0{n}" for n in range(1, 5))


@pytest.fixture()
def bus(tmp_path):
    bus = Bus(tmp_path)
    yield bus
    bus.stop()


@pytest.fixture()
def collecting(tmp_path, bus):
    """A server that collects from three devices; two are registered."""
    config = tmp_path / "config.toml"
    config.write_text(f"""
[collect.bluetooth]
bus = "{bus.socket}"
devices = [{{id = "cuff-1", address = "{CUFF}", utc_offset = 60}}, {{id = "meter-1", address = "{METER}"}},
           {{id = "sensor-1", address = "{SENSOR}"}}]
""")
    server = Server(tmp_path / "data", open=False, config=config)
    token = server.run("user", "token", "ehr", "--role", "administrator").split()[0]
    server.session.headers["Authorization"] = f"Bearer {token}"
    for name in ("cuff-1", "sensor-1"):
        server.run("device", "add", name)
    server.start()
    yield server
    server.stop()


def values(server, device, code=None):
    page = server.get(f"/fhir/Observation?device=Device/{device}&_count=1000" + (f"&code={code}" if code else ""))
    return sorted((o["effectiveDateTime"], o.get("valueQuantity", {}).get("value")) for o in (e["resource"] for e in page.get("entry", [])))


def moment(when):
    return struct.pack("<HBBBBB", when.year, when.month, when.day, when.hour, when.minute, when.second)


def test_devices_on_the_list_are_collected_from(collecting, bus):
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    bluez = Bluez(bus)
    cuff = bluez.device(CUFF, (0x2A35, ["indicate"]), (0x2A24, ["read"]), (0x2A49, ["read"]))
    meter = bluez.device(METER, (0x2A18, ["notify"]), (0x2A52, ["write", "indicate"]))
    sensor = bluez.device(SENSOR, (0x2AA7, ["notify"]), (0x2AAA, ["read"]), (0x2A52, ["write", "indicate"]))
    stranger = bluez.device(STRANGER, (0x2A37, ["notify"]))
    bluez.answers[bluez.characteristic(cuff, 0x2A24)] = b"Cuff 7"
    began = now - datetime.timedelta(minutes=30)
    start = moment(began) + bytes([0, 0])
    bluez.answers[bluez.characteristic(sensor, 0x2AAA)] = start + crc(start)
    # BlueZ comes after us: the collector waits for it.
    bluez.start()
    try:
        wait_for(lambda: bluez.asked("StartNotify", bluez.characteristic(cuff, 0x2A35)), "the cuff to be subscribed to")
        wait_for(lambda: bluez.asked("WriteValue", bluez.characteristic(sensor, 0x2A52)), "the sensor to be asked for its records")
        assert bluez.asked("WriteValue", bluez.characteristic(sensor, 0x2A52))[0][0] == bytes([1, 1]), "all of them"
        # The meter is on the list but not registered, the stranger is on no list: nobody connects to them.
        assert not bluez.asked("Connect", meter) and not bluez.asked("Connect", stranger)
        assert not bluez.asked("ReadValue", bluez.characteristic(cuff, 0x2A49)), "features are not read"

        # A blood pressure of now on a clock an hour ahead: 121/79, mean 92, with its time.
        local = now + datetime.timedelta(hours=1)
        pressure = bytes([0x02]) + struct.pack("<HHH", 121, 79, 92) + moment(local)
        bluez.notify(cuff, 0x2A35, pressure)
        found = wait_for(lambda: values(collecting, "cuff-1", "8480-6") or values(collecting, "cuff-1"), "the blood pressure")
        assert datetime.datetime.fromisoformat(found[0][0].replace("Z", "+00:00")) == now

        # Records of a CGM sensor count from its session's start, which was read.
        for minute, glucose in ((5, 101), (10, 102)):
            body = bytes([8, 0]) + struct.pack("<HH", glucose, minute)
            bluez.notify(sensor, 0x2AA7, body + crc(body))
        found = wait_for(lambda: (lambda v: len(v) == 2 and v)(values(collecting, "sensor-1", "99504-3")), "the sensor's values")
        assert [glucose for _, glucose in found] == [101, 102]
        times = [datetime.datetime.fromisoformat(time.replace("Z", "+00:00")) for time, _ in found]
        assert times == [began + datetime.timedelta(minutes=m) for m in (5, 10)]

        # Gone, and back: connected again, asked for what comes after the last record.
        bluez.leave(sensor)
        bluez.advertise(sensor)
        asked = wait_for(lambda: bluez.asked("WriteValue", bluez.characteristic(sensor, 0x2A52))[1:], "the sensor to be asked again")
        assert asked[0][0] == bytes([1, 3, 1, 11, 0]), "from minute 11 on"
        # What cannot be read is kept in quarantine, and costs nothing else.
        bluez.notify(cuff, 0x2A35, b"\x02\x01")
        held = wait_for(lambda: [i for i in collecting.get("/api/v1/quarantine?limit=200")["items"] if "cuff-1/gatt" in i["address"]],
                        "the broken value to be held")
        assert len(held) == 1
        metrics = collecting.session.get(f"{collecting.url}/metrics", timeout=60).text
        assert 'vitalwire_bluetooth_events_total{event="connected"} 3' in metrics, metrics
    finally:
        bluez.stop()


def test_where_it_was_survives_kills_and_bluez_may_go(collecting, bus):
    bluez = Bluez(bus)
    sensor = bluez.device(SENSOR, (0x2AA7, ["notify"]), (0x2AAA, ["read"]), (0x2A52, ["write", "indicate"]))
    began = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(minutes=60)
    start = moment(began) + bytes([0, 0])
    bluez.answers[bluez.characteristic(sensor, 0x2AAA)] = start + crc(start)
    bluez.start()
    access = bluez.characteristic(sensor, 0x2A52)

    def send(minutes):
        for minute in minutes:
            body = bytes([8, 0]) + struct.pack("<HH", 100 + minute, minute)
            bluez.notify(sensor, 0x2AA7, body + crc(body))

    wait_for(lambda: bluez.asked("WriteValue", access), "the sensor to be asked for its records")
    send(range(1, 6))
    wait_for(lambda: len(values(collecting, "sensor-1", "99504-3")) == 5, "five values")
    collecting.kill()
    collecting.start()
    asked = wait_for(lambda: bluez.asked("WriteValue", access)[1:], "the sensor to be asked again")
    assert asked[0][0] == bytes([1, 3, 1, 6, 0]), "from where it was"
    send(range(4, 8))  # two of them were had
    wait_for(lambda: len(values(collecting, "sensor-1", "99504-3")) == 7, "seven values, each once")
    # BlueZ stops and comes again.
    bluez.stop()
    again = Bluez(bus)
    again.objects, again.answers = bluez.objects, bluez.answers
    again.objects[sensor]["org.bluez.Device1"].update(Connected=again.objects[ADAPTER]["org.bluez.Adapter1"]["Discovering"],
                                                      ServicesResolved=again.objects[ADAPTER]["org.bluez.Adapter1"]["Discovering"])
    again.start()
    try:
        asked = wait_for(lambda: again.asked("WriteValue", access), "the sensor to be asked by way of the new BlueZ")
        assert asked[0][0] == bytes([1, 3, 1, 8, 0])
        # A sensor of a new session numbers from the beginning: all its records are asked for.
        begin = moment(began + datetime.timedelta(minutes=30)) + bytes([0, 0])
        again.answers[again.characteristic(sensor, 0x2AAA)] = begin + crc(begin)
        again.leave(sensor)
        again.advertise(sensor)
        wait_for(lambda: [body[0] for body in again.asked("WriteValue", access)][-1] == bytes([1, 1]), "all records to be asked for")
    finally:
        again.stop()
