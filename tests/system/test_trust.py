"""Trust in devices: openssl and curl enrol, mosquitto, paho, MLLP and HTTPS come in with the right
certificate alone; revocation and suspension end what is open within a second; zones; rights."""

import json
import pathlib
import shutil
import socket
import ssl
import subprocess
import time

import paho.mqtt.client as mqtt
import pytest
import requests

from support.server import Server, wait_for

TOOLS = ("openssl", "curl", "mosquitto_pub")
pytestmark = pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
RATE = b'[{"n":"MDC_FLOW_FLUID_PUMP","u":"mL/h","v":5}]'
ECG = b'[{"n":"MDC_ECG_HEART_RATE","v":71}]'
ORU = ("MSH|^~\\&|PUMP|W|VW|W|20261121120000||ORU^R01|t-1|P|2.5\rPID|1||4711^^^H\rOBR|1|||x\r"
       "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||71|/min|||||F\r")
# Sessions end within a second; a busy machine may need longer to see it.
GENEROUS_S = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(folder, *arguments, **options):
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=120, **options)


def openssl(folder, *arguments):
    done = run(folder, "openssl", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


class House:
    """A server with an authority of its own, an engineer, and a folder of devices' keys."""

    def __init__(self, folder, config=""):
        self.folder = folder
        self.ports = {"mqtt": free_port(), "mllp": free_port()}
        text = folder / "config.toml"
        text.write_text(f"[tls]\nself_signed = true\n[mqtt]\ntls_listen = '127.0.0.1:{self.ports['mqtt']}'\n"
                        f"[mllp]\ntls_listen = '127.0.0.1:{self.ports['mllp']}'\npeers = []\n{config}")
        self.server = Server(folder / "data", open=False, config=text)
        self.token = self.server.run("user", "token", "eve", "--role", "engineer").strip()
        self.server.start()
        self.authority = str(self.server.data / "tls" / "authority.pem")

    def call(self, method, path, body=None, expect=200):
        answer = requests.request(method, f"https://localhost:{self.server.http[1]}{path}", json=body, timeout=60,
                                  verify=self.authority, headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("Content-Type", "") else answer.text

    def claim(self, device, **more):
        return self.call("POST", f"/api/v1/trust/devices/{device}/claim", {"why": "a test", **more})["code"]

    def request(self, device, name=None):
        name = name or device
        openssl(self.folder, "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-outform", "DER", "-subj", f"/CN={device}")
        openssl(self.folder, "base64", "-in", f"{name}.csr", "-out", f"{name}.b64")

    def est(self, path, name, *more):
        """A request with curl, as a device makes it: the status, and the certificate if there is one."""
        done = run(self.folder, "curl", "-s", "--cacert", self.authority, "-H", "Content-Type: application/pkcs10",
                   "--data-binary", f"@{name}.b64", "-o", f"{name}.p7", "-w", "%{http_code}", *more,
                   f"https://localhost:{self.server.http[1]}/.well-known/est/{path}")
        if done.stdout == "200":
            der = run(self.folder, "openssl", "base64", "-d", "-in", f"{name}.p7", "-out", f"{name}.p7der")
            assert der.returncode == 0, der.stderr
            openssl(self.folder, "pkcs7", "-inform", "DER", "-in", f"{name}.p7der", "-print_certs", "-out", f"{name}.pem")
        return done.stdout

    def enrol(self, device, **more):
        code = self.claim(device, **more)
        self.request(device)
        assert self.est("simpleenroll", device, "-u", f"{device}:{code}") == "200"
        return self.serial(device)

    def serial(self, name):
        return openssl(self.folder, "x509", "-in", f"{name}.pem", "-noout", "-serial").strip().split("=")[1]

    def context(self, name=None):
        made = ssl.create_default_context(cafile=self.authority)
        if name:
            made.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return made

    def mosquitto(self, name, topic, payload=RATE):
        return run(self.folder, "mosquitto_pub", "-h", "localhost", "-p", str(self.ports["mqtt"]), "-V", "5", "-q", "1",
                   "--cafile", self.authority, "--cert", f"{name}.pem", "--key", f"{name}.key", "-i", f"m-{name}",
                   "-t", topic, "-m", payload.decode())

    def events(self):
        return {(e["kind"], e["device"]): e for e in self.call("GET", "/api/v1/trust/events")}

    def audited(self, *words):
        def found():
            for file in (self.server.data / "guard").glob("audit*"):
                if file.is_file():
                    for line in file.read_bytes().splitlines():
                        if all(word.encode() in line for word in words):
                            return True
            return False
        wait_for(found, f"a record with {words}")


class Client:
    """A paho client with a certificate that remembers what it was told, and when."""

    def __init__(self, house, name):
        self.told = {}
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"p-{name}", protocol=mqtt.MQTTv5,
                                reconnect_on_failure=False)
        self.paho.tls_set_context(house.context(name))
        self.paho.on_connect = lambda c, u, f, reason, p: self.told.update(connect=str(reason))
        self.paho.on_disconnect = lambda c, u, f, reason, p: self.told.update(disconnect=(str(reason), time.monotonic()))
        self.paho.on_publish = lambda c, u, mid, reason, p: self.told.update({mid: (str(reason), dict(p.UserProperty) if hasattr(p, "UserProperty") else {})})
        self.paho.connect("localhost", house.ports["mqtt"])
        self.paho.loop_start()

    def hears(self, key):
        return wait_for(lambda: self.told.get(key), f"{key} in {self.told}", GENEROUS_S)

    def publish(self, topic, payload=RATE):
        return self.hears(self.paho.publish(topic, payload, qos=1).mid)

    def close(self):
        self.paho.loop_stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    made = House(tmp_path_factory.mktemp("trust"))
    yield made
    made.server.stop()


def expired(house, device):
    """A certificate of the house's own authority that ended yesterday."""
    folder = house.folder
    house.request(device, "expired")
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("5001")
    (folder / "ca.cnf").write_text(f"""
        [ca]
        default_ca = own
        [own]
        database = {folder}/index.txt
        serial = {folder}/serial
        new_certs_dir = {folder}
        certificate = {house.server.data}/guard/authority.pem
        private_key = {house.server.data}/guard/authority.key
        default_md = sha256
        policy = any
        [any]
        commonName = supplied
        [device]
        extendedKeyUsage = clientAuth
        subjectAltName = URI:urn:vitalwire:device:{device}
    """)
    openssl(folder, "req", "-inform", "DER", "-in", "expired.csr", "-out", "expired.pem.csr")
    openssl(folder, "ca", "-batch", "-notext", "-config", "ca.cnf", "-extensions", "device", "-in", "expired.pem.csr",
            "-startdate", "20200101000000Z", "-enddate", "20200201000000Z", "-out", "expired.pem")


def foreign(house, device):
    """A certificate for the device by somebody else's authority."""
    folder = house.folder
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "other.key",
            "-out", "other.pem", "-days", "30", "-subj", "/CN=Another house")
    house.request(device, "foreign")
    openssl(folder, "req", "-inform", "DER", "-in", "foreign.csr", "-out", "foreign.pem.csr")
    (folder / "foreign.ext").write_text("extendedKeyUsage=clientAuth\n")
    openssl(folder, "x509", "-req", "-in", "foreign.pem.csr", "-CA", "other.pem", "-CAkey", "other.key", "-CAcreateserial",
            "-days", "30", "-out", "foreign.pem", "-extfile", "foreign.ext")


def test_of_five_exactly_one_works_and_each_refusal_has_its_reason(house):
    house.enrol("pump-1", kind="pump")
    serial = house.enrol("pump-2", kind="pump")
    house.call("POST", f"/api/v1/trust/certificates/{serial}/revoke", {"reason": "key-compromise"}, expect=204)
    expired(house, "pump-1")
    foreign(house, "pump-1")
    own, other = "vitalwire/pump-1/measurements", "vitalwire/pump-2/measurements"
    worked = []
    for name, topic in [("pump-1", own), ("pump-2", other), ("expired", own), ("foreign", own), ("pump-1", other)]:
        done = house.mosquitto(name, topic)
        if done.returncode == 0 and "failed" not in done.stderr + done.stdout:
            worked.append((name, topic))
    assert worked == [("pump-1", own)]
    for reason in ("revoked", "expired", "other-authority"):
        house.audited("mqtt-connect", "denied", f"{reason}: from 127.0.0.1")
    events = house.events()
    assert ("revoked-certificate", "pump-2") in events and ("other-authority", "pump-1") in events
    for name in ("pump-2", "expired", "foreign"):
        with pytest.raises((ssl.SSLError, OSError)):
            client = Client(house, name)
            assert "connect" not in client.told
            client.hears("disconnect")
            raise ConnectionError
    one = Client(house, "pump-1")
    assert one.hears("connect") == "Success"
    assert one.publish(own)[0] == "Success"
    assert one.publish(other)[0] == "Not authorized"
    one.close()


def measured(what, began, ended):
    print(f"\n{what}: {(ended - began) * 1000:.0f} ms")
    assert ended - began < GENEROUS_S


def until_closed(secure):
    """When the other end closes."""
    secure.settimeout(GENEROUS_S)
    try:
        while secure.recv(4096):
            pass
    except (ssl.SSLError, ConnectionError):
        pass
    return time.monotonic()


def test_revocation_ends_live_sessions(house):
    serial = house.enrol("pump-3", kind="pump")
    client = Client(house, "pump-3")
    assert client.hears("connect") == "Success"
    mllp = house.context("pump-3").wrap_socket(socket.create_connection(("localhost", house.ports["mllp"])),
                                               server_hostname="localhost")
    mllp.sendall(b"\x0b" + ORU.encode() + b"\x1c\r")
    assert b"MSA|" in mllp.recv(4096)
    https = house.context("pump-3").wrap_socket(socket.create_connection(house.server.http), server_hostname="localhost")
    https.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert b"200" in https.recv(4096)
    began = time.monotonic()
    house.call("POST", f"/api/v1/trust/certificates/{serial}/revoke", {"reason": "superseded"}, expect=204)
    assert client.hears("disconnect")[0] == "Not authorized"
    measured("MQTT session ended after revocation over HTTP", began, client.told["disconnect"][1])
    measured("MLLP session ended", began, until_closed(mllp))
    measured("HTTPS connection ended", began, until_closed(https))
    client.close()
    for port in (house.ports["mllp"], house.server.http[1]):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with house.context("pump-3").wrap_socket(socket.create_connection(("localhost", port)),
                                                     server_hostname="localhost") as again:
                again.sendall(b"x")
                assert again.recv(1) == b""
                raise ConnectionError
    crl = requests.get(f"https://localhost:{house.server.http[1]}/.well-known/vitalwire.crl", verify=house.authority, timeout=60)
    (house.folder / "crl.der").write_bytes(crl.content)
    text = openssl(house.folder, "crl", "-inform", "DER", "-in", "crl.der", "-noout", "-text", "-CAfile", house.authority)
    assert serial in text.upper() and "Superseded" in text


def test_the_command_line_ends_live_sessions(house):
    house.enrol("pump-4", kind="pump")
    for step, back in (("suspend", "activate"), ("retire", None)):
        client = Client(house, "pump-4")
        assert client.hears("connect") == "Success"
        began = time.monotonic()
        house.server.run("device", step, "pump-4", "--why", "leaks")
        client.hears("disconnect")
        measured(f"MQTT session ended after `device {step}`, the command included", began, client.told["disconnect"][1])
        client.close()
        if back:
            house.server.run("device", back, "pump-4", "--why", "mended")
    listed = house.server.run("device", "list", "--state", "retired")
    assert "pump-4" in listed


def test_enrolment_by_code_and_renewal_by_certificate(house):
    code = house.claim("pump-5", kind="pump", activate=False)
    house.request("pump-5")
    assert house.est("simpleenroll", "pump-5") == "401", "neither code nor certificate"
    assert house.est("simpleenroll", "pump-5", "-u", "pump-5:0000-0000-0000-0000-0000") == "401"
    assert house.est("simpleenroll", "pump-5", "-u", f"pump-1:{code}") == "401", "another device's code"
    house.request("pump-6", "pump-5b")
    assert house.est("simpleenroll", "pump-5b", "-u", f"pump-5:{code}") == "400", "another device's name"
    assert house.est("simpleenroll", "pump-5", "-u", f"pump-5:{code}") == "200"
    assert house.est("simpleenroll", "pump-5", "-u", f"pump-5:{code}") == "401", "once"
    found = house.call("GET", "/api/v1/trust/devices/pump-5")
    assert found["device"]["state"] == "verified" and found["device"]["credential"] == "certificate"
    assert [step["became"] for step in found["life"]] == ["verified", "claimed"]
    with pytest.raises((ssl.SSLError, OSError)):
        Client(house, "pump-5").hears("disconnect")
        raise ConnectionError
    house.call("POST", "/api/v1/trust/devices/pump-5/steps/activate", {"why": "checked"}, expect=204)
    house.call("POST", "/api/v1/trust/devices/pump-5/steps/verify", {"why": "again"}, expect=409)
    shutil.copy(house.folder / "pump-5.key", house.folder / "old.key")
    shutil.copy(house.folder / "pump-5.pem", house.folder / "old.pem")
    house.request("pump-5")
    with_old = ("--cert", "old.pem", "--key", "old.key")
    assert house.est("simplereenroll", "pump-5", *with_old) == "200"
    client = Client(house, "pump-5")
    assert client.hears("connect") == "Success"
    client.close()
    house.request("pump-1", "pump-5c")
    assert house.est("simplereenroll", "pump-5c", *with_old) == "400", "for nobody else"
    assert house.est("serverkeygen", "pump-5") == "501"
    cacerts = run(house.folder, "curl", "-s", "--cacert", house.authority,
                  f"https://localhost:{house.server.http[1]}/.well-known/est/cacerts")
    (house.folder / "ca.b64").write_text(cacerts.stdout)
    openssl(house.folder, "base64", "-d", "-in", "ca.b64", "-out", "ca.p7")
    shown = openssl(house.folder, "pkcs7", "-inform", "DER", "-in", "ca.p7", "-print_certs")
    assert pathlib.Path(house.authority).read_text().strip() in shown
    house.audited("enrol-device", "pump-5", "allowed")
    house.audited("enrol-device", "bad-code")
    house.audited("renew-device", "pump-5")


def test_a_pump_cannot_publish_an_ecg(house):
    house.enrol("pump-7", kind="pump")
    client = Client(house, "pump-7")
    assert client.hears("connect") == "Success"
    assert client.publish("vitalwire/pump-7/measurements", RATE)[1] == {}
    told = client.publish("vitalwire/pump-7/measurements", ECG)
    assert "forbidden" in told[1].get("quarantined", ""), told
    client.close()
    assert ("forbidden-metric", "pump-7") in house.events()
    post = requests.post(f"https://localhost:{house.server.http[1]}/api/v1/device/measurements", data=RATE,
                         headers={"Content-Type": "application/senml+json"}, verify=house.authority, timeout=60,
                         cert=(str(house.folder / "pump-7.pem"), str(house.folder / "pump-7.key")))
    assert post.status_code == 200 and post.json()["values"] == 1, post.text
    assert requests.post(f"https://localhost:{house.server.http[1]}/api/v1/device/measurements", data=RATE,
                         verify=house.authority, timeout=60).status_code == 401
    house.call("PUT", "/api/v1/trust/devices/pump-7/rights",
               {"zone": "", "kind": "pump", "metrics": ["MDC_ECG_HEART_RATE"]}, expect=204)
    client = Client(house, "pump-7")
    assert client.hears("connect") == "Success"
    assert client.publish("vitalwire/pump-7/measurements", ECG)[1] == {}
    client.close()
    event = house.events()[("forbidden-metric", "pump-7")]
    house.call("POST", f"/api/v1/trust/events/{event['number']}/take", {"note": "rights were missing"}, expect=204)
    assert house.events()[("forbidden-metric", "pump-7")]["taken_by"] == "eve"


def test_unknown_devices_are_listed_and_passwords_are_marked(house):
    password = house.server.run("device", "add", "old-1").strip()
    for user, secret in (("stranger-1", "x"), ("old-1", password)):
        run(house.folder, "mosquitto_pub", "-h", "127.0.0.1", "-p", str(house.server.mqtt[1]), "-V", "5", "-q", "1",
            "-u", user, "-P", secret, "-i", f"c-{user}", "-t", f"vitalwire/{user}/measurements", "-m", RATE.decode())

    def listed():
        found = {d["id"]: d for d in house.call("GET", "/api/v1/trust/devices")}
        return found if "stranger-1" in found else None
    found = wait_for(listed, "the stranger in the list")
    assert found["stranger-1"]["state"] == "announced" and found["stranger-1"]["heard"]["count"] >= 1
    assert found["old-1"]["weak"] and found["old-1"]["state"] == "active"


def test_certificates_are_read_again_without_a_restart(house):
    house.enrol("pump-8", kind="pump")
    before = ssl.get_server_certificate(("localhost", house.ports["mqtt"]))
    tls = house.server.data / "tls"
    (tls / "certificate.pem").unlink()
    # Whoever runs the house puts another certificate there; the program makes one at its next start.
    made = run(house.folder, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-keyout", "new.key", "-out", "new.pem", "-days", "9", "-subj", "/CN=localhost")
    assert made.returncode == 0
    shutil.copy(house.folder / "new.key", tls / "key.pem")
    shutil.copy(house.folder / "new.pem", tls / "certificate.pem")
    wait_for(lambda: ssl.get_server_certificate(("localhost", house.ports["mqtt"])) != before, "the new certificate")


ZONES = """
[zone.wards]
networks = ["127.0.0.0/8"]
listeners = ["mqtt-tls", "mllp-tls", "http"]
roles = ["engineer"]
[zone.workshop]
networks = ["10.99.0.0/16"]
"""


def test_a_device_in_the_wrong_zone_is_refused_and_tells(tmp_path):
    house = House(tmp_path, ZONES)
    try:
        house.enrol("pump-1", kind="pump", zone="workshop")
        house.enrol("pump-2", kind="pump", zone="wards")
        refused = Client(house, "pump-1")
        assert refused.hears("connect") != "Success"
        taken = Client(house, "pump-2")
        assert taken.hears("connect") == "Success"
        refused.close(), taken.close()
        assert house.events()[("wrong-zone", "pump-1")]["zone"] == "wards"
        with socket.create_connection(house.server.mqtt, timeout=60) as plain:
            assert plain.recv(1) == b"", "the zone has not this listener"
        nurse = house.server.run("user", "token", "nora", "--role", "nurse").strip()
        answer = requests.get(f"https://localhost:{house.server.http[1]}/api/v1/devices", verify=house.authority,
                              headers={"Authorization": f"Bearer {nurse}"}, timeout=60)
        assert answer.status_code == 403 and "network" in answer.json()["message"]
        assert json.dumps(house.call("GET", "/api/v1/trust/zones")).count("127.0.0.0/8") == 1
    finally:
        house.server.stop()
