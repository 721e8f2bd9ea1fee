"""Personal health devices over IEEE 11073-20601 (docs/interfaces/personal-health-devices.md), by an agent of the tests' own: what
was confirmed is stored once, killed or not (DU-1); a device that vanishes is lost and a data gap; what can't be read waits in
quarantine; strangers get nothing."""

import datetime
import json
import os
import random
import socket
import ssl
import subprocess
import threading
import time

import pytest

from clients import phd_agent
from clients.phd_agent import Agent, Gone, about, pressure, weight
from support.server import wait_for
from support.waves import associate, patients

CUFF = bytes.fromhex("00091ffffe800101")
SCALE = bytes.fromhex("00091ffffe800202")
METER = bytes.fromhex("00091ffffe800303")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    except OSError:
        return False
    return True


@pytest.fixture
def place(tmp_path):
    """A configuration file with a port for devices."""
    port = free_port()
    file = tmp_path / "phd.toml"
    file.write_text(f'[phd]\nlisten = "127.0.0.1:{port}"\n')
    return file, ("127.0.0.1", port)


def stored(server, device, code=None):
    """Time and value of each reading of a device, of one metric or all."""
    page = server.get(f"/fhir/Observation?device=Device/{device}&_count=1000")
    found = [entry["resource"] for entry in page.get("entry", [])]
    wanted = [o for o in found if code is None or any(c.get("code") == code for c in o["code"]["coding"])]
    return sorted((o["effectiveDateTime"], o["valueQuantity"]["value"]) for o in wanted if "valueQuantity" in o)


def link(server, device):
    return next((d["link"] for d in server.get("/api/v1/devices")["devices"] if d["id"] == device), None)


def test_a_blood_pressure_monitor_from_hello_to_goodbye(make_server, place):
    file, address = place
    server = make_server(config=file).start()
    cuff = Agent(address, CUFF, mds=about("Acme", "BP-7", "S-4711")).connect()
    assert cuff.associate() == 0, "a standard configuration is known"
    associate(server, [CUFF.hex()])
    now = int(time.time())
    assert cuff.report(*pressure(128, 81, 97, 66, now - 20)) == b""
    assert cuff.report(*pressure(124, 79, 94, 64, now - 5)) == b""
    pulse = wait_for(lambda: len(found := stored(server, CUFF.hex(), "149546")) == 2 and found, "the pulses")
    assert [value for _, value in pulse] == [66, 64]
    device = server.get(f"/fhir/Device/{CUFF.hex()}")
    assert (device["manufacturer"], device["modelNumber"], device["serialNumber"]) == ("Acme", "BP-7", "S-4711")
    assert any("00-09-1F-FF-FE-80-01-01" == identifier["value"] for identifier in device["identifier"]), device
    wait_for(lambda: [v for _, v in stored(server, CUFF.hex(), "67996")] == [81], "the battery")
    wait_for(lambda: link(server, CUFF.hex()) == "online", "it to be online")
    patient = patients(server)[CUFF.hex()]
    panel = server.get(f"/fhir/Observation?patient={patient}&code=85354-9")
    systolic = [c["valueQuantity"]["value"] for e in panel["entry"] for c in e["resource"]["component"]
                if any(x["code"] == "8480-6" for x in c["code"]["coding"])]
    assert sorted(systolic) == [124, 128], panel
    shown = server.get(f"/fhir/Observation?device=Device/{CUFF.hex()}&_profile=http://hl7.org/fhir/uv/phd/StructureDefinition/PhdNumericObservation")
    assert shown.get("entry"), "readings come as the guide for personal health devices has them"
    cuff.release()
    wait_for(lambda: server.metric("vitalwire_gateway_connections", protocol="phd") == 0, "the goodbye")
    assert link(server, CUFF.hex()) in ("online", "offline"), "who says goodbye is not lost; heard lately is shown as online"


def test_users_of_one_scale_are_told_apart(make_server, place):
    file, address = place
    server = make_server(config=file).start()
    scale = Agent(address, SCALE, 0x05DC).connect()
    scale.associate()
    now = int(time.time())
    scale.report(weight(8150, now), person=1)
    scale.report(weight(6240, now), person=2)
    for user, kilograms in (("user1", 81.5), ("user2", 62.4)):
        wait_for(lambda: [v for _, v in stored(server, f"{SCALE.hex()}.{user}", "188736")] == [kilograms], user)
    assert stored(server, SCALE.hex(), "188736") == [], "nobody's weight is the other's"
    scale.drop()


GLUCOSE = [phd_agent.numeric(1, 29112, 2130, [(phd_agent.BASIC, 2), (phd_agent.TIME, 8)]),
           phd_agent.u16(61, 9) + phd_agent.attributes([(phd_agent.SEGMENTS, phd_agent.u16(2))])]


def test_a_store_is_taken_once_and_the_clock_is_set(make_server, place, tmp_path):
    file, address = place
    file.write_text(file.read_text() + "clear_stores = true\n")
    server = make_server(config=file).start()
    now = int(time.time()) // 60 * 60
    entries = [phd_agent.absolute(now - 60 * minutes) + phd_agent.sfloat(100 + minutes) for minutes in range(30, 0, -1)]
    wants_time = (phd_agent.TIME_INFO, phd_agent.u16(0x4010) + bytes(14))
    meter = Agent(address, METER, 0x4321, GLUCOSE, about("Acme", "G-1", "9") + [wants_time], {0: entries, 1: []})
    assert meter.connect().associate() == 3
    meter.serve(lambda: meter.sending == 0 and meter.set_to and meter.cleared)
    set_to = datetime.datetime.strptime(meter.set_to.hex()[:14] + "+0000", "%Y%m%d%H%M%S%z")
    assert abs(set_to.timestamp() - time.time()) < 300, set_to
    wait_for(lambda: len(stored(server, METER.hex(), "160184")) == 30, "what was stored")
    meter.drop()

    # It forgot that it was cleared, and says the last one again as a report of now.
    again = Agent(address, METER, 0x4321, GLUCOSE, [wants_time], {0: entries}).connect()
    assert again.associate() == 0, "its configuration is remembered"
    again.serve(lambda: again.sending == 0)
    again.report((1, phd_agent.sfloat(101) + phd_agent.absolute(now - 60)))
    again.report((1, phd_agent.sfloat(99) + phd_agent.absolute(now)))
    wait_for(lambda: len(stored(server, METER.hex(), "160184")) >= 31, "the new one")
    assert [value for _, value in stored(server, METER.hex(), "160184")] == [*range(130, 100, -1), 99]
    again.release()


POLICY = """
name = "Test"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{ role = "nurse", after_s = 0 }, { role = "physician", after_s = 3600 }]
[gap]
after_s = 3
intervals = 4
priority = "low"
"""
OXIMETER = bytes.fromhex("00091ffffe800404")


def test_a_device_that_vanishes_is_a_data_gap(make_server, place):
    file, address = place
    server = make_server(config=file).start()
    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    associate(server, [OXIMETER.hex()])
    oximeter = Agent(address, OXIMETER, 0x0190).connect()
    oximeter.associate()
    for _ in range(8):
        oximeter.report((1, phd_agent.sfloat(97)), (10, phd_agent.sfloat(72)), confirmed=False)
        oximeter.wait(0.5)
    wait_for(lambda: link(server, OXIMETER.hex()) == "online", "the oximeter")
    oximeter.drop()
    wait_for(lambda: link(server, OXIMETER.hex()) == "lost", "the loss")
    alerts = lambda: [a for a in server.get("/api/v1/alerts?state=all")["alerts"] if a["device"] == OXIMETER.hex()]
    wait_for(alerts, "the data gap", 120)
    oximeter = Agent(address, OXIMETER, 0x0190).connect()
    oximeter.associate()
    stop = threading.Event()

    def go_on():
        while not stop.is_set():
            oximeter.report((1, phd_agent.sfloat(96)), (10, phd_agent.sfloat(70)), confirmed=False)
            oximeter.wait(0.3)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        wait_for(lambda: all(a["state"] == "resolved" for a in alerts()), "the gap to end by itself", 180)
    finally:
        stop.set()
        thread.join()
    oximeter.release()


def test_what_can_not_be_read(make_server, place):
    file, address = place
    server = make_server(config=file).start()
    cuff = Agent(address, CUFF).connect()
    cuff.associate()
    with pytest.raises(ValueError, match="0017"):  # protocol violation: the device keeps its report
        cuff.event(phd_agent.FIXED, phd_agent.u16(0xF000, 0, 1, 9))
    with pytest.raises(ValueError, match="0017"):
        cuff.report((7, b"\x00\x00"))
    now = int(time.time())
    cuff.report((1, phd_agent.several([phd_agent.sfloat(0x7FF)] * 3) + phd_agent.absolute(now)))
    items = lambda: [i for i in server.get("/api/v1/quarantine?limit=200")["items"] if i["sender"] == CUFF.hex()]
    held = wait_for(lambda: len(found := items()) == 3 and found, "three in quarantine")
    assert "obs-scan" in json.dumps(held) and "no valid value" in json.dumps(held), held
    cuff.report(*pressure(120, 80, 93, 60, now))
    wait_for(lambda: len(stored(server, CUFF.hex(), "149546")) == 1, "the next report, as if nothing had been")
    cuff.release()
    stranger = socket.create_connection(address, timeout=60)
    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert stranger.recv(100) == b""
    wait_for(lambda: server.metric("vitalwire_gateway_refused_total", protocol="phd", reason="not-20601") == 1, "the count")


def test_each_confirmed_measurement_is_there_once_after_kills(make_server, place):
    """DU-1: the server is killed between reports and confirmations, again and again."""
    seed = int(os.environ.get("KILL_SEED", random.randrange(1 << 32)))
    print(f"KILL_SEED={seed}")
    chance = random.Random(seed)
    file, address = place
    server = make_server(config=file).start()
    start, number, confirmed = int(time.time()) - 100_000, 0, []
    for _ in range(int(os.environ.get("PHD_KILLS", 4))):
        killer = threading.Timer(chance.uniform(0.05, 0.8), server.kill)
        scale = Agent(address, SCALE, 0x05DC).connect()
        scale.associate()
        killer.start()
        try:
            while True:
                # What was not confirmed is said again, by the same number.
                scale.report(weight(5000 + number, start + number))
                confirmed.append((start + number, (5000 + number) / 100))
                number += 1
        except (Gone, TimeoutError):
            pass
        killer.join()
        server.start()
    scale = Agent(address, SCALE, 0x05DC).connect()
    scale.associate()
    scale.report(weight(5000 + number, start + number))
    confirmed.append((start + number, (5000 + number) / 100))
    scale.release()
    assert len(confirmed) > 4, "something was confirmed between the kills"

    def there():
        page, found = f"/fhir/Observation?device=Device/{SCALE.hex()}&code=29463-7&_count=1000", []
        while page:
            bundle = server.get(page)
            found += [entry["resource"] for entry in bundle.get("entry", [])]
            following = [link["url"] for link in bundle.get("link", []) if link["relation"] == "next"]
            page = following[0].replace(server.url, "") if following else None
        return sorted(o["valueQuantity"]["value"] for o in found)

    wait_for(lambda: len(there()) >= len(confirmed), "all that was confirmed", 120)
    assert there() == sorted(value for _, value in confirmed)


def test_strangers_get_nothing_over_tls(make_server, tmp_path):
    """A locked house: a gateway by the name in its certificate, nobody without one, nobody unencrypted."""
    run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=tmp_path)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=House", "-keyout", "ca.key", "-out", "ca.pem")
    for name in ("server", "gateway", "other"):
        (tmp_path / "names").write_text(f"subjectAltName=DNS:{'localhost' if name == 'server' else name}\n")
        run("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2", "-extfile", "names",
            "-out", f"{name}.pem")
    port, plain = free_port(), free_port()
    file = tmp_path / "phd.toml"
    file.write_text(f"""
[phd]
listen = "127.0.0.1:{plain}"
tls_listen = "127.0.0.1:{port}"
certificate = "{tmp_path}/server.pem"
key = "{tmp_path}/server.key"
client_authority = "{tmp_path}/ca.pem"
certificate_names = ["gateway"]
""")
    server = make_server(open=False, config=file)
    server.start()

    def agent(name):
        context = ssl.create_default_context(cafile=tmp_path / "ca.pem")
        if name:
            context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        return Agent(("127.0.0.1", port), CUFF, tls=context)

    wait_for(lambda: is_open(port), "the listener")
    cuff = agent("gateway").connect()
    assert cuff.associate() == 0
    assert cuff.report(*pressure(120, 80, 93, 60, int(time.time()))) == b""
    cuff.release()
    for name in ("other", None):
        with pytest.raises((Gone, ssl.SSLError, ConnectionError)):
            agent(name).connect().associate()
    with pytest.raises(Gone):
        Agent(("127.0.0.1", plain), CUFF).connect().associate()
