"""TLS on every port, seen by other people's clients; devices known by their certificates."""

import shutil
import socket
import ssl
import subprocess

import paho.mqtt.client as mqtt
import pytest
import requests

from support.server import Server, wait_for

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs the openssl command")
PASSWORD = "correct horse battery 9"
ORU = ("MSH|^~\\&|HIS|W|VW|W|20261121120000||ORU^R01|tls-1|P|2.5\rPID|1||4711^^^H\rOBR|1|||x\r"
       "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||71|/min|||||F\r")


def openssl(folder, *arguments):
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def certificate(folder, name, alternatives=None):
    """A key and a certificate of our authority for `name`."""
    openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={name}")
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={alternatives}\n" if alternatives else "basicConstraints=CA:FALSE\n")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", "30", "-out", f"{name}.pem", "-extfile", f"{name}.ext")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encrypted")
    openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "30", "-subj", "/CN=A hospital")
    certificate(folder, "server", "DNS:localhost,IP:127.0.0.1")
    certificate(folder, "m1")
    certificate(folder, "someone", "DNS:stranger.example")
    certificate(folder, "his", "DNS:his.example")
    shutil.copy(folder / "ca.pem", folder / "clients.pem")
    ports = {"mqtt": free_port(), "mllp": free_port()}
    config = folder / "config.toml"
    config.write_text(f"""
        [tls]
        certificate = "{folder}/server.pem"
        key = "{folder}/server.key"
        client_authority = "{folder}/clients.pem"
        [mqtt]
        tls_listen = "127.0.0.1:{ports['mqtt']}"
        [mllp]
        tls_listen = "127.0.0.1:{ports['mllp']}"
        peers = []
        certificate_names = ["his.example"]
    """)
    server = Server(folder / "data", open=False, config=config)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    server.run("user", "add", "ada", "--role", "nurse")
    server.run("device", "add", "m1", "--certificate")
    server.start()
    server.folder, server.ports = folder, ports
    yield server
    server.stop()


def context(house, name=None):
    made = ssl.create_default_context(cafile=str(house.folder / "ca.pem"))
    if name:
        made.load_cert_chain(house.folder / f"{name}.pem", house.folder / f"{name}.key")
    return made


def test_pages_and_sessions_over_https(house):
    url = f"https://127.0.0.1:{house.http[1]}"
    session = requests.Session()
    session.trust_env, session.verify = False, str(house.folder / "ca.pem")
    answer = session.post(f"{url}/api/v1/login", json={"name": "ada", "password": PASSWORD}, timeout=60)
    assert answer.status_code == 200, answer.text
    cookie = answer.headers["Set-Cookie"]
    assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert session.get(f"{url}/api/v1/ward", timeout=60).status_code == 200
    with pytest.raises(requests.RequestException):
        requests.get(f"http://127.0.0.1:{house.http[1]}/healthz", timeout=60)


@pytest.mark.parametrize("version, works", [("TLSv1_2", True), ("TLSv1_3", True), ("TLSv1_1", False),
                                            ("TLSv1", False)])
def test_versions(house, version, works):
    made = context(house)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    made.minimum_version = made.maximum_version = getattr(ssl.TLSVersion, version)
    try:
        with socket.create_connection(house.http) as plain, made.wrap_socket(plain, server_hostname="localhost"):
            assert works
    except (ssl.SSLError, ConnectionError):
        assert not works


class Client:
    """A paho client over TLS that remembers what it was told."""

    def __init__(self, house, certificate, name):
        self.told = {}
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5,
                                reconnect_on_failure=False)
        self.paho.tls_set_context(context(house, certificate))
        self.paho.on_connect = lambda c, u, f, reason, p: self.told.update(connect=str(reason))
        self.paho.on_disconnect = lambda c, u, f, reason, p: self.told.update(disconnect=str(reason))
        self.paho.on_subscribe = lambda c, u, mid, reasons, p: self.told.update({("sub", mid): str(reasons[0])})
        self.paho.on_publish = lambda c, u, mid, reason, p: self.told.update({("pub", mid): str(reason)})
        self.paho.connect("127.0.0.1", house.ports["mqtt"])
        self.paho.loop_start()

    def hears(self, key):
        return wait_for(lambda: self.told.get(key), f"{key} in {self.told}")

    def publish(self, topic):
        return self.hears(("pub", self.paho.publish(topic, b'[{"n":"MDC_ECG_HEART_RATE","v":71}]', qos=1).mid))

    def subscribe(self, topic):
        return self.hears(("sub", self.paho.subscribe(topic)[1]))


def test_a_device_by_its_certificate_until_it_is_taken_away(house):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with socket.create_connection(("127.0.0.1", house.ports["mqtt"])) as plain:
            with context(house).wrap_socket(plain, server_hostname="localhost") as bare:
                bare.sendall(b"\x10")
                assert bare.recv(1) != b"", "TLS 1.3 tells at the first read"
                raise ConnectionError("closed")
    stranger = Client(house, "someone", "s")
    assert "Bad user name or password" in stranger.hears("connect")
    device = Client(house, "m1", "d")
    assert device.hears("connect") == "Success"
    assert device.publish("vitalwire/m1/measurements") == "Success"
    assert device.publish("vitalwire/m2/measurements") == "Not authorized"
    assert device.subscribe("vitalwire/m1/config").startswith("Granted")
    assert device.subscribe("#") == "Not authorized"
    house.run("device", "remove", "m1")
    assert device.hears("disconnect") == "Not authorized"
    audit = (house.data / "guard" / "audit.log").read_text()
    for action in ("add-device", "remove-device", "mqtt-connect"):
        assert f'"action":"{action}"' in audit


def send_hl7(house, name):
    """The answer to one message over MLLP and TLS; nothing when the peer is not let in."""
    with socket.create_connection(("127.0.0.1", house.ports["mllp"]), timeout=60) as plain:
        with context(house, name).wrap_socket(plain, server_hostname="localhost") as secure:
            try:
                secure.sendall(b"\x0b" + ORU.encode() + b"\x1c\r")
                return secure.recv(4096).decode()
            except (ssl.SSLError, ConnectionError):
                return ""


def test_hl7_peers_by_certificate(house):
    assert "MSA|AA|tls-1" in send_hl7(house, "his")
    assert send_hl7(house, "someone") == ""


def test_a_certificate_of_its_own(tmp_path):
    server = Server(tmp_path / "data", open=False,
                    environment={"VITALWIRE_TLS_SELF_SIGNED": "true",
                                 "VITALWIRE_MQTT_TLS_LISTEN": f"127.0.0.1:{free_port()}",
                                 "VITALWIRE_MLLP_TLS_LISTEN": f"127.0.0.1:{free_port()}"})
    server.start()
    try:
        own = str(server.data / "tls" / "certificate.pem")
        answer = requests.get(f"https://localhost:{server.http[1]}/healthz", verify=own, timeout=60)
        assert answer.text == "ok\n"
        assert "certificates: 1 usable" in server.run("doctor")
    finally:
        server.stop()


def test_who_came_in_under_an_authority_goes_with_it(house):
    house.run("device", "add", "m2", "--certificate")
    certificate(house.folder, "m2")
    client = Client(house, "m2", "m2")
    assert client.hears("connect") == "Success"
    authority = house.folder / "clients.pem"
    openssl(house.folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "other.key", "-out", "other.pem",
            "-days", "30", "-subj", "/CN=Another house")
    shutil.copy(house.folder / "other.pem", authority)
    client.hears("disconnect")
    with pytest.raises((ssl.SSLError, ConnectionError, OSError, AssertionError)):
        Client(house, "m2", "m2-again").publish("vitalwire/m2/measurements")
    shutil.copy(house.folder / "ca.pem", authority)
    wait_for(lambda: back(house), "the authority of before")


def back(house):
    try:
        client = Client(house, "m2", "m2-back")
    except (ssl.SSLError, ConnectionError):
        return False
    wait_for(lambda: client.told, "an answer")
    client.paho.loop_stop()
    return client.told.get("connect") == "Success"
