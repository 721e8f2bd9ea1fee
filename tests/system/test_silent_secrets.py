"""No secret in the log at its most talkative, in the audit log, in what refusals say, or in addresses that the program calls: passwords,
TOTP secrets, recovery codes, one-time links and codes, tokens, client secrets, proofs, cookies, device passwords, private keys, queries."""

import base64
import hashlib
import hmac
import http.server
import json
import secrets
import shutil
import struct
import subprocess
import threading
import time
import urllib.parse as urls

import paho.mqtt.client as mqtt
import pytest
import requests
from jwcrypto import jwk, jwt

from support.server import Server, wait_for

PASSWORD = "correct horse battery 9"
REDIRECT = "http://localhost:7777/cb"
SCOPES = "openid fhirUser offline_access launch launch/patient patient/*.rs"
JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = jwk.JWK.generate(kty="EC", crv="P-384", kid="k1")
PATIENT = {"resourceType": "Patient", "id": "pat-z", "birthDate": "1942-11-13", "name": [{"family": "Zaphodson"}],
           "identifier": [{"system": "urn:h", "value": "MRN424242", "type": {"coding": [{"code": "MR"}]}}]}
HIDDEN_QUERY = "q-5f0c9d-of-the-receiver"
SIGNING = "signing-secret-of-the-receiver-77"


class Known(dict):
    """Every secret that came up, with what it is. Those too short to be told from chance are left out."""

    def keep(self, what, *values):
        for value in values:
            assert isinstance(value, str) and len(value) >= 12, (what, value)
            self[value] = what
        return values[0]


class Receiver:
    """Takes notifications; keeps the addresses and headers that the program called with."""

    def __init__(self):
        asked = self.asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                asked.append((self.path, str(self.headers)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class House:
    """A locked server that logs everything, what it was told, and what it refused."""

    def __init__(self, folder):
        self.known, self.said, self.receiver = Known(), [], Receiver()
        config = folder / "vitalwire.toml"
        config.write_text(f'[[webhook]]\nname = "desk"\nurl = "http://127.0.0.1:{self.receiver.port}/desk?key={HIDDEN_QUERY}"\n'
                          f'secret = "{SIGNING}"\nroles = ["nurse", "security-officer"]\n')
        self.known.keep("a query of a receiver", HIDDEN_QUERY)
        self.known.keep("a receiver's signing secret", SIGNING)
        self.known.keep("a password", PASSWORD)
        self.server = Server(folder / "data", open=False, config=config, environment={"RUST_LOG": "trace", "VITALWIRE_PASSWORD": PASSWORD})
        for name, role in (("ada", "administrator"), ("nora", "nurse"), ("enzo", "engineer"), ("doc", "physician"), ("sue", "security-officer")):
            self.server.run("user", "add", name, "--role", role)
        self.server.run("user", "add", "peter", "--role", "patient", "--patient", "pat-z")
        self.token = self.known.keep("a token", self.server.run("user", "token", "ehr").split()[0])
        self.known.keep("a token", self.server.run("user", "token", "export").split()[0])
        self.pump = self.known.keep("a device's password", self.server.run("device", "add", "pump-1").split()[-1])

    def ask(self, method, path, session=None, **options):
        caller = session or requests
        answer = caller.request(method, self.server.url + path, timeout=60, allow_redirects=False, **options)
        if answer.status_code >= 400:
            self.said.append(f"{method} {path.split('?')[0]}: {answer.text}")
        return answer

    def enter(self, name, password=PASSWORD):
        session = requests.Session()
        session.trust_env = False
        answer = self.ask("POST", "/api/v1/login", session, json={"name": name, "password": password})
        for cookie in session.cookies:
            self.known.keep("a session's cookie", cookie.value)
        return session, answer


def totp(secret, steps=0):
    """What an authenticator app shows (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def people(house):
    """Logins right and wrong, a new password, an authenticator app, recovery codes, tokens, invitations."""
    for wrong in ("wrong horse battery 10", "wrong horse battery 11"):
        house.enter("nora", house.known.keep("a wrong password", wrong))
    nora, _ = house.enter("nora")
    fresh = house.known.keep("a new password", "another horse battery 12")
    assert house.ask("POST", "/api/v1/account/password", nora, json={"present": PASSWORD, "next": fresh}).status_code == 204
    house.ask("POST", "/api/v1/account/password", nora, json={"present": PASSWORD, "next": "short-secret-1"})
    house.known.keep("a refused password", "short-secret-1")
    begun = house.ask("POST", "/api/v1/account/totp", nora).json()
    house.known.keep("a TOTP secret", begun["secret"])
    house.known.keep("a TOTP address", begun["uri"])
    house.ask("POST", "/api/v1/account/totp/confirm", nora, json={"code": "000000"})
    done = house.ask("POST", "/api/v1/account/totp/confirm", nora, json={"code": totp(begun["secret"])})
    assert done.status_code == 200, done.text
    codes = done.json()["recovery_codes"]
    house.known.keep("a recovery code", *codes)
    for code in (codes[0], codes[0], house.known.keep("a wrong recovery code", "abcd-efgh-jkmn-pqrs")):
        session, more = house.enter("nora", fresh)
        assert more.status_code == 202, more.text
        house.ask("POST", "/api/v1/login/recovery", session, json={"code": code})
    ada, _ = house.enter("ada")
    rotated = house.ask("POST", "/api/v1/users/ehr/token", ada, json={})
    assert rotated.status_code == 200, rotated.text
    house.known.keep("a former token", house.token)
    house.token = house.known.keep("a token", rotated.json()["token"])
    house.ask("GET", "/fhir/Patient", headers={"Authorization": "Bearer " + house.known.keep("a wrong token", "vw_" + secrets.token_hex(32))})
    peter, _ = house.enter("peter")
    invited = house.ask("POST", "/api/v1/me/caregivers", peter, json={"label": "My daughter", "categories": [], "until_ms": None})
    assert invited.status_code in (200, 201), invited.text
    house.known.keep("an invitation", urls.urlsplit(invited.json()["link"]).fragment.split("=", 1)[1])
    for query in ("/nowhere?token=", "/api/v1/ward?password=", "/fhir/Patient?_format="):
        house.ask("GET", query + house.known.keep("a query", "query-secret-" + secrets.token_hex(8)), ada)


def applications(house):
    """An application with a secret: code, tokens, refresh, revocation; a backend service with a key."""
    ada, _ = house.enter("ada")
    register = lambda **more: house.ask("POST", "/api/v1/clients", ada, json={
        "name": more["id"], "redirect_uris": [REDIRECT], "launch_url": None, "scopes": SCOPES, "jwks": None, "jwks_uri": None,
        "trusted": False, "account": None, "origins": [], **more})
    made = register(id="safe", authentication="secret")
    assert made.status_code == 200, made.text
    secret = house.known.keep("a client's secret", made.json()["secret"])
    keys = {"keys": [KEY.export_public(as_dict=True)]}
    backend = register(id="backend", authentication="key", jwks=keys, redirect_uris=[], account="export", scopes="system/Patient.rs")
    assert backend.status_code == 200, backend.text
    doc, _ = house.enter("doc")
    verifier = house.known.keep("a PKCE verifier", secrets.token_urlsafe(48))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    state = house.known.keep("an application's state", "state-" + secrets.token_hex(12))
    wanted = {"response_type": "code", "client_id": "safe", "redirect_uri": REDIRECT, "scope": "openid offline_access launch/patient patient/*.rs",
              "state": state, "aud": f"{house.server.url}/fhir", "code_challenge": challenge, "code_challenge_method": "S256"}
    sent = house.ask("GET", "/oauth/authorize?" + urls.urlencode(wanted))
    assert sent.status_code == 303, sent.text
    question = house.ask("GET", "/api/v1/authorization?" + sent.headers["Location"].split("?", 1)[1], doc).json()
    house.known.keep("a ticket", question["ticket"])
    answer = house.ask("POST", "/api/v1/authorization", doc, json={"ticket": question["ticket"], "allow": True, "patient": "pat-z"})
    assert answer.status_code == 200, answer.text
    code = house.known.keep("an authorization code", dict(urls.parse_qsl(urls.urlsplit(answer.json()["redirect"]).query))["code"])
    redeem = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": verifier}
    wrong = house.known.keep("a wrong client secret", "vwc_" + secrets.token_hex(32))
    house.known.keep("credentials of a client", base64.b64encode(f"safe:{secret}".encode()).decode())
    house.ask("POST", "/oauth/token", data=redeem, auth=("safe", wrong))
    tokens = house.ask("POST", "/oauth/token", data=redeem, auth=("safe", secret)).json()
    house.known.keep("a token of an application", *(tokens[kind] for kind in ("access_token", "refresh_token", "id_token")))
    assert house.ask("GET", "/fhir/Patient/pat-z", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 200
    again = house.ask("POST", "/oauth/token", data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}, auth=("safe", secret)).json()
    house.known.keep("a token of an application", again["access_token"])
    house.ask("POST", "/oauth/token", data=redeem, auth=("safe", secret))
    house.ask("POST", "/oauth/introspect", data={"token": again["access_token"]}, auth=("safe", secret))
    house.ask("POST", "/oauth/revoke", data={"token": again["access_token"]}, auth=("safe", secret))
    for audience in (f"{house.server.url}/oauth/token", "https://elsewhere.example/token"):
        claims = {"iss": "backend", "sub": "backend", "aud": audience, "exp": int(time.time()) + 200, "jti": secrets.token_hex(16)}
        proof = jwt.JWT(header={"alg": "ES384", "kid": "k1", "typ": "JWT"}, claims=claims)
        proof.make_signed_token(KEY)
        form = {"grant_type": "client_credentials", "scope": "system/Patient.rs", "client_assertion_type": JWT,
                "client_assertion": house.known.keep("a proof of a client", proof.serialize())}
        answer = house.ask("POST", "/oauth/token", data=form)
        if answer.status_code == 200:
            house.known.keep("a token of a service", answer.json()["access_token"])


def devices(house, folder):
    """A device's password right and wrong, an enrolment code right and wrong, keys made by the program."""
    enzo, _ = house.enter("enzo")
    for password in (house.pump, house.known.keep("a device's wrong password", "pump-password-" + secrets.token_hex(8))):
        told = []
        paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "pump-1", protocol=mqtt.MQTTv5, reconnect_on_failure=False)
        paho.username_pw_set("pump-1", password)
        paho.on_connect = lambda c, u, f, reason, p: told.append(reason)
        paho.connect(*house.server.mqtt)
        paho.loop_start()
        wait_for(lambda: told, "an answer to the device")
        paho.disconnect()
        paho.loop_stop()
    claimed = house.ask("POST", "/api/v1/trust/devices/pump-2/claim", enzo, json={"why": "a test", "zone": "", "kind": "pump", "activate": True})
    assert claimed.status_code == 200, claimed.text
    code = house.known.keep("an enrolment code", claimed.json()["code"])
    wrong = house.known.keep("a wrong enrolment code", "0000-1111-2222-3333-4444")
    for shown in (wrong, code):
        house.ask("POST", "/.well-known/est/simpleenroll", data=request_of(folder, "pump-2"), auth=("pump-2", shown),
                  headers={"Content-Type": "application/pkcs10"})
        house.known.keep("credentials of a device", base64.b64encode(f"pump-2:{shown}".encode()).decode())
    house.server.run("device", "claim", "pump-3", "--why", "a test")
    house.server.run("device", "certificate", "pump-3", "--out", str(folder))
    private = [folder / "pump-3.key", *house.server.data.rglob("*.key"), *house.server.data.rglob("*key*.pem")]
    for file in filter(lambda f: f.is_file(), private):
        raw = file.read_bytes()
        lines = [line for line in raw.decode(errors="ignore").splitlines() if len(line) >= 40 and " " not in line and "-----" not in line]
        if lines:
            house.known.keep(f"a private key ({file.name})", *lines)
        elif len(raw) >= 16:
            house.known.keep(f"a private key ({file.name})", raw.hex(), base64.b64encode(raw).decode())


def request_of(folder, device):
    """A request for a certificate, base64 of its DER, as EST wants it."""
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{device}.key",
                    "-out", f"{device}.csr", "-outform", "DER", "-subj", f"/CN={device}"], cwd=folder, check=True, capture_output=True)
    return base64.b64encode((folder / f"{device}.csr").read_bytes())


def notified(house):
    """A patient whose heart rate is far too high, so that the receiver is called."""
    ehr = {"Authorization": f"Bearer {house.token}"}
    place = {"resourceType": "Location", "id": "bed-z", "status": "active", "name": "Bed 1", "physicalType": {"coding": [{"code": "bd"}]}, "partOf": {"display": "ICU"}}
    stay = {"resourceType": "Encounter", "id": "stay-z", "status": "in-progress", "class": {"code": "IMP"}, "subject": {"reference": "Patient/pat-z"},
            "location": [{"location": {"reference": "Location/bed-z"}}]}
    for resource in (place, PATIENT, stay):
        answer = house.ask("PUT", f"/fhir/{resource['resourceType']}/{resource['id']}", headers=ehr, json=resource)
        assert answer.status_code in (200, 201), answer.text

    def told():
        pulse = {"resourceType": "Observation", "status": "final", "subject": {"reference": "Patient/pat-z"}, "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
                 "effectiveDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "valueQuantity": {"value": 187, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}}
        assert house.ask("POST", "/fhir/Observation", headers=ehr, json=pulse).status_code == 201
        return house.receiver.asked

    wait_for(told, "a notification", 180, 2)


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_no_secret_is_said(tmp_path):
    house = House(tmp_path)
    house.server.start()
    try:
        notified(house)
        people(house)
        applications(house)
        devices(house, tmp_path)
    finally:
        house.server.stop()
    kinds = set(house.known.values())
    assert len(kinds) > 25 and any("private key" in kind for kind in kinds), kinds
    trail = "\n".join(file.read_text(errors="replace") for file in (house.server.data / "guard").glob("audit*") if file.suffix != ".key")
    log = house.server.log()
    assert "vitalwire is running" in log and " DEBUG " in log, "it was at its most talkative"
    assert len(house.said) > 10 and '"login"' in trail
    places = {"log": log, "audit log": trail, "answers": "\n".join(house.said)}
    for secret, what in house.known.items():
        for place, text in places.items():
            lines = [line[:300] for line in text.splitlines() if secret in line or urls.quote(secret, safe="") in line]
            assert not lines, f"{what} in the {place}: {lines[:2]}"
    # What the program calls: the address as it was configured, nothing of a patient or a secret added to it.
    for path, headers in house.receiver.asked:
        assert path == f"/desk?key={HIDDEN_QUERY}", path
        for word in [*(s for s in house.known if s != HIDDEN_QUERY), "Zaphodson", "MRN424242", "pat-z"]:
            assert word not in headers, f"{house.known.get(word, 'patient data')} in a header of a call"
