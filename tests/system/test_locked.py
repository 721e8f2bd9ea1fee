"""SE-1 on a locked server: nobody gets in without credentials, and nobody does what their role may not."""

import paho.mqtt.client as mqtt
import pytest
import requests

from support.server import wait_for

PASSWORD = "correct horse battery 9"
ROLES = ("nurse", "charge-nurse", "physician", "engineer", "administrator")
# Routes, and who may use them (docs/security.md). Bodies are such that nothing is changed by them.
MAY = [
    ("GET", "/api/v1/ward", None, {"nurse", "charge-nurse", "physician", "administrator"}),
    ("GET", "/api/v1/alerts?state=all", None, {"nurse", "charge-nurse", "physician", "administrator"}),
    ("GET", "/api/v1/quarantine", None, {"engineer", "administrator"}),
    ("PUT", "/api/v1/policy", {"text": "?", "by": ""}, {"physician", "administrator"}),
    ("GET", "/fhir/Patient", None, {"nurse", "charge-nurse", "physician", "administrator", "service"}),
    ("POST", "/fhir/Patient", {"resourceType": "Patient", "colour": "x"}, {"administrator", "service"}),
    ("GET", "/metrics", None, {"engineer", "administrator", "service"}),
    ("POST", "/api/v1/devices/m1/mount", {"location": "?"}, {"charge-nurse", "engineer", "administrator"}),
]


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    from support.server import Server

    server = Server(tmp_path_factory.mktemp("locked") / "data", open=False)
    for role in ROLES:
        server.environment["VITALWIRE_PASSWORD"] = PASSWORD
        server.run("user", "add", role, "--role", role)
    del server.environment["VITALWIRE_PASSWORD"]
    server.token = server.run("user", "token", "ehr").split()[0]
    server.passwords = {name: server.run("device", "add", name).split()[-1] for name in ("m1", "m2")}
    server.start()
    yield server
    server.stop()


def enter(server, role):
    """A session of a person, or of the program with its token."""
    session = requests.Session()
    session.trust_env = False
    if role == "service":
        session.headers["Authorization"] = f"Bearer {server.token}"
    else:
        answer = session.post(f"{server.url}/api/v1/login", json={"name": role, "password": PASSWORD}, timeout=60)
        assert answer.status_code == 200, answer.text
    return session


def test_nobody_without_credentials(locked):
    for method, path, body, _ in MAY:
        answer = requests.request(method, locked.url + path, json=body, timeout=60)
        assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
    for headers in ({"Authorization": "Bearer vw_" + "0" * 64}, {"Cookie": "vitalwire=" + "0" * 64}):
        assert requests.get(f"{locked.url}/api/v1/ward", headers=headers, timeout=60).status_code == 401
    wrong = {"name": "nurse", "password": "wrong horse battery 9"}
    assert requests.post(f"{locked.url}/api/v1/login", json=wrong, timeout=60).status_code == 401


@pytest.mark.parametrize("role", [*ROLES, "service"])
def test_each_role_does_what_it_may(locked, role):
    session = enter(locked, role)
    for method, path, body, may in MAY:
        answer = session.request(method, locked.url + path, json=body, timeout=60)
        denied = answer.status_code in (401, 403)
        assert denied == (role not in may), f"{role}: {method} {path}: {answer.status_code} {answer.text[:200]}"
        assert answer.status_code < 500, answer.text


class Client:
    def __init__(self, server, user, password, name=None):
        self.seen, self.reasons, self.connected = [], {}, []
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name or user or "nobody", protocol=mqtt.MQTTv5,
                                reconnect_on_failure=False)
        if user:
            self.paho.username_pw_set(user, password)
        self.paho.on_connect = lambda c, u, f, reason, p: self.connected.append(reason)
        self.paho.on_publish = lambda c, u, mid, reason, p: self.reasons.update({mid: reason})
        self.paho.on_subscribe = lambda c, u, mid, reasons, p: self.reasons.update({mid: reasons[0]})
        self.paho.connect(*server.mqtt)
        self.paho.loop_start()
        self.reason = wait_for(lambda: self.connected, "an answer to CONNECT")[0]

    def publish(self, device, value):
        payload = f'[{{"n":"VW_STEPS","v":{value}}}]'
        mid = self.paho.publish(f"vitalwire/{device}/measurements", payload, 1).mid
        return wait_for(lambda: self.reasons.get(mid), "an answer to PUBLISH")

    def subscribe(self, topic):
        _, mid = self.paho.subscribe(topic, 1)
        return wait_for(lambda: self.reasons.get(mid), "an answer to SUBSCRIBE")

    def stop(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def test_devices_speak_for_themselves_only(locked):
    for user, password in ((None, None), ("m1", "wrong"), ("m1", locked.passwords["m2"]), ("nurse", PASSWORD)):
        client = Client(locked, user, password)
        assert client.reason.is_failure, f"{user} came in"
        client.stop()
    m1 = Client(locked, "m1", locked.passwords["m1"])
    assert not m1.reason.is_failure
    assert not m1.publish("m1", 1).is_failure
    assert m1.publish("m2", 666).getName() == "Not authorized"
    assert m1.subscribe("#").is_failure and m1.subscribe("vitalwire/m2/config").is_failure
    assert not m1.subscribe("vitalwire/m1/config").is_failure
    assert not m1.publish("m1", 2).is_failure, "the connection goes on"
    m1.stop()
    session = enter(locked, "service")

    def values(device):
        page = session.get(f"{locked.url}/fhir/Observation?device=Device/{device}", timeout=60).json()
        return sorted(e["resource"]["valueQuantity"]["value"] for e in page.get("entry", []))

    wait_for(lambda: values("m1") == [1, 2], "the device's own readings")
    assert values("m2") == [], "nothing in another's name"


def test_what_was_denied_is_in_the_audit_log(locked):
    """With every access before it; nobody has tampered with it."""
    session = enter(locked, "nurse")
    assert session.get(f"{locked.url}/api/v1/quarantine", timeout=60).status_code == 403
    log = (locked.data / "guard" / "audit.log").read_text()
    assert any('"nurse"' in line and "quarantine" in line and "denied" in line for line in log.splitlines())
    locked.stop()
    locked.run("audit", "verify")
    locked.start()
