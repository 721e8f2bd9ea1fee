"""SMART on FHIR: SMART's own Python client launches, refreshes and reads; a backend service proves itself with keys
made by jwcrypto; and what the ONC (g)(10) kit asks of a server is asked here."""

import base64
import hashlib
import json
import secrets
import time
import urllib.parse as urls

import pytest
import requests
from fhirclient import client as smart
from fhirclient.models import observation, patient
from jwcrypto import jwk, jwt

from support.server import Server, wait_for

PASSWORD = "correct horse battery 9"
REDIRECT = "http://localhost:7777/cb"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
SCOPES = "launch launch/patient openid fhirUser offline_access online_access patient/*.cruds user/*.cruds"
HALF_A_DAY_S = 12 * 3600  # charted late: kept, and too old to be scored
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEY = jwk.JWK.generate(kty="EC", crv="P-384", kid="ec-1")
RSA = jwk.JWK.generate(kty="RSA", size=2048, kid="rsa-1")
JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def reading(who, category, code):
    return {
        "resourceType": "Observation", "status": "final", "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "subject": {"reference": f"Patient/{who}"},
        "effectiveDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - HALF_A_DAY_S)), "valueQuantity": {"value": 72, "unit": "/min",
            "system": "http://unitsofmeasure.org", "code": "/min"},
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("smart") / "data", open=False)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    for name, role in (("doc", "physician"), ("nora", "nurse"), ("ada", "administrator"), ("eng", "engineer")):
        server.run("user", "add", name, "--role", role)
    del server.environment["VITALWIRE_PASSWORD"]
    server.token = server.run("user", "token", "ehr").split()[0]
    server.run("user", "token", "export")
    keys = server.logs / "keys.json"
    keys.write_text(json.dumps({"keys": [k.export_public(as_dict=True) for k in (KEY, RSA)]}))
    add = ("client", "add")
    server.run(*add, "app", "--name", "Growth chart", "--redirect", REDIRECT, "--launch", "http://localhost:7777/launch", "--scopes", SCOPES)
    server.run(*add, "other", "--redirect", REDIRECT, "--scopes", SCOPES)
    server.secret = server.run(*add, "safe", "--authentication", "secret", "--redirect", REDIRECT, "--scopes", SCOPES).split()[0]
    server.run(*add, "keyed", "--authentication", "key", "--jwks", str(keys), "--redirect", REDIRECT, "--scopes", SCOPES)
    server.run(*add, "backend", "--authentication", "key", "--jwks", str(keys), "--account", "export",
               "--scopes", "system/Patient.rs system/Observation.rs?category=vital-signs")
    server.start()
    ehr = {"Authorization": f"Bearer {server.token}"}
    server.people = []
    for number, name in (("1", "Abel"), ("2", "Baker")):
        made = server.post("/fhir/Patient", {"resourceType": "Patient", "name": [{"family": name}],
                           "identifier": [{"system": "urn:mrn", "value": number}]}, headers=ehr, expect=201)
        server.people.append(made["id"])
    for who in server.people:
        for category, code in (("vital-signs", "8867-4"), ("vital-signs", "9279-1")):
            server.post("/fhir/Observation", reading(who, category, code), headers=ehr, expect=201)
    wait_for(lambda: server.get("/fhir/Observation?_summary=count", headers=ehr)["total"] == 4, "the readings")
    yield server
    server.stop()


class Browser:
    """A person in a browser, without the browser: what the pages do, done here."""

    def __init__(self, server, name):
        self.server, self.web = server, requests.Session()
        self.web.trust_env = False
        answer = self.web.post(f"{server.url}/api/v1/login", json={"name": name, "password": PASSWORD}, timeout=60)
        assert answer.status_code == 200, answer.text

    def ask(self, address):
        """Follows an application's request to our page; gives the question, or where the answer went."""
        answer = requests.get(address, allow_redirects=False, timeout=60)
        assert answer.status_code == 303, answer.text
        place = answer.headers["Location"]
        if not place.startswith(f"{self.server.url}/authorize?"):
            return {"redirect": place}
        query = place.split("?", 1)[1]
        answer = self.web.get(f"{self.server.url}/api/v1/authorization?{query}", timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def say(self, question, **decision):
        body = {"ticket": question["ticket"], "allow": True, **decision}
        return self.web.post(f"{self.server.url}/api/v1/authorization", json=body, timeout=60)

    def allow(self, address, **decision):
        question = self.ask(address)
        assert not question.get("redirect"), question
        answer = self.say(question, **decision)
        assert answer.status_code == 200, answer.text
        return answer.json()["redirect"]


def parameters(address):
    return dict(urls.parse_qsl(urls.urlsplit(address).query))


class App:
    """An application of ours, to do what clients of others do not."""

    def __init__(self, server, client="app", auth=None):
        self.server, self.client, self.auth = server, client, auth
        self.verifier = secrets.token_urlsafe(48)

    def address(self, scope="launch/patient patient/*.rs openid fhirUser offline_access", **changes):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")
        wanted = {"response_type": "code", "client_id": self.client, "redirect_uri": REDIRECT, "scope": scope, "state": "st-1",
                  "aud": f"{self.server.url}/fhir", "code_challenge": challenge, "code_challenge_method": "S256", **changes}
        return f"{self.server.url}/oauth/authorize?" + urls.urlencode({k: v for k, v in wanted.items() if v is not None})

    def code(self, browser, who=0, scope=None, **decision):
        address = self.address(scope) if scope else self.address()
        found = parameters(browser.allow(address, patient=self.server.people[who], **decision))
        assert found["state"] == "st-1" and found["iss"] == self.server.url
        return found["code"]

    def send(self, path="/oauth/token", **form):
        if self.auth is None and "client_assertion" not in form:
            form.setdefault("client_id", self.client)
        return requests.post(self.server.url + path, data=form, auth=self.auth, timeout=60)

    def redeem(self, code, **changes):
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": self.verifier}
        return self.send(**{**form, **changes})

    def tokens(self, browser, who=0, scope=None, **decision):
        answer = self.redeem(self.code(browser, who, scope, **decision))
        assert answer.status_code == 200, answer.text
        return answer.json()


def fhir(server, token, path, method="GET", body=None):
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, f"{server.url}/fhir{path}", headers=headers, json=body, timeout=60)


def entries(answer):
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


@pytest.fixture(scope="module")
def doc(house):
    return Browser(house, "doc")


# -- other people's clients ---------------------------------------------------------------------------


def test_fhirclient_standalone_launch_and_refresh(house, doc):
    settings = {"app_id": "app", "api_base": f"{house.url}/fhir", "redirect_uri": REDIRECT,
                "scope": "openid fhirUser offline_access patient/*.read"}
    app = smart.FHIRClient(settings=settings)
    app.wants_patient = True
    assert not app.ready
    app.prepare()
    app.handle_callback(doc.allow(app.authorize_url, patient=house.people[0]))
    assert app.ready and app.patient_id == house.people[0]
    assert app.patient.name[0].family == "Abel"
    found = observation.Observation.where({}).perform_resources(app.server)
    assert len(found) == 2 and {o.subject.reference for o in found} == {f"Patient/{house.people[0]}"}
    before = app.server.auth.access_token
    assert app.reauthorize() is not False and app.server.auth.access_token != before
    assert patient.Patient.read(house.people[0], app.server).id == house.people[0]


def test_fhirclient_ehr_launch(house, doc):
    answer = doc.web.post(f"{house.url}/api/v1/patients/{house.people[1]}/launch", json={"client": "app"}, timeout=60)
    assert answer.status_code == 200, answer.text
    launch = parameters(answer.json()["url"])
    assert answer.json()["url"].startswith("http://localhost:7777/launch?") and launch["iss"] == f"{house.url}/fhir"
    settings = {"app_id": "app", "api_base": launch["iss"], "redirect_uri": REDIRECT, "launch_token": launch["launch"],
                "scope": "openid fhirUser patient/*.read"}
    app = smart.FHIRClient(settings=settings)
    app.prepare()
    question = doc.ask(app.authorize_url)
    assert question["patient"]["id"] == house.people[1] and not question["choose_patient"]
    app.handle_callback(doc.say(question).json()["redirect"])
    assert app.patient_id == house.people[1] and app.patient.name[0].family == "Baker"
    again = doc.ask(app.authorize_url)
    assert parameters(again["redirect"])["error"] == "invalid_request", "the launch is used up"


def assertion(server, key=KEY, alg="ES384", header=None, **claims):
    now = int(time.time())
    said = {"iss": "backend", "sub": "backend", "aud": f"{server.url}/oauth/token", "exp": now + 200, "jti": secrets.token_hex(8), **claims}
    made = jwt.JWT(header={"alg": alg, "kid": key.key_id, "typ": "JWT", **(header or {})}, claims={k: v for k, v in said.items() if v is not None})
    made.make_signed_token(key)
    return made.serialize()


def service(server, signed, scope="system/Patient.rs"):
    form = {"grant_type": "client_credentials", "scope": scope, "client_assertion_type": JWT, "client_assertion": signed}
    return requests.post(f"{server.url}/oauth/token", data=form, timeout=60)


@pytest.mark.parametrize(("key", "alg"), [(KEY, "ES384"), (RSA, "RS384")])
def test_backend_service_with_keys_of_jwcrypto(house, key, alg):
    answer = service(house, assertion(house, key, alg), "system/Patient.rs system/Observation.rs system/Device.rs")
    assert answer.status_code == 200, answer.text
    got = answer.json()
    assert got["expires_in"] <= 300 and "refresh_token" not in got and "patient" not in got
    assert got["scope"] == "system/Patient.rs system/Observation.rs?category=vital-signs"
    assert len(entries(fhir(house, got["access_token"], "/Patient"))) == 2
    assert fhir(house, got["access_token"], "/Device").status_code == 403
    assert fhir(house, got["access_token"], "/Patient", "POST", {"resourceType": "Patient"}).status_code == 403


def test_forged_proofs_are_refused(house):
    now = int(time.time())
    secret = jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(json.dumps(RSA.export_public(as_dict=True)).encode()).decode().rstrip("="), kid="rsa-1")
    other = jwk.JWK.generate(kty="EC", crv="P-384", kid="ec-1")
    body = assertion(house).split(".")[1]
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": "ec-1"}).encode()).decode().rstrip("=")
    for what, signed in {
        "alg none": f"{none}.{body}.",
        "HS256 with the public key": assertion(house, secret, "HS256"),
        "another's key": assertion(house, other),
        "wrong kid": assertion(house, header={"kid": "rsa-1"}),
        "unknown kid": assertion(house, header={"kid": "x"}),
        "expired": assertion(house, exp=now - 10),
        "good for too long": assertion(house, exp=now + 3600),
        "not yet": assertion(house, nbf=now + 120),
        "another server's": assertion(house, aud="https://evil.example/oauth/token"),
        "another's name": assertion(house, iss="keyed"),
        "without jti": assertion(house, jti=None),
        "nothing": "",
        "no JWT": "a.b.c",
    }.items():
        answer = service(house, signed)
        assert answer.status_code in (400, 401), f"{what}: {answer.text}"
        assert answer.json()["error"] in ("invalid_client", "invalid_request"), what
    once = assertion(house)
    assert service(house, once).status_code == 200
    assert service(house, once).json()["error"] == "invalid_client", "a proof is good once"
    assert service(house, assertion(house), "patient/*.rs").json()["error"] == "invalid_scope"


# -- what the ONC (g)(10) kit asks --------------------------------------------------------------------


def test_what_the_server_says_of_itself(house):
    for place in ("", "/fhir"):
        told = house.get(f"{place}/.well-known/smart-configuration")
        for field in ("authorization_endpoint", "token_endpoint", "capabilities", "code_challenge_methods_supported",
                      "grant_types_supported", "issuer", "jwks_uri", "introspection_endpoint", "revocation_endpoint"):
            assert told[field], field
    assert told["code_challenge_methods_supported"] == ["S256"]
    wanted = {"launch-ehr", "launch-standalone", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
              "sso-openid-connect", "context-ehr-patient", "context-standalone-patient", "permission-offline", "permission-patient",
              "permission-user", "permission-v2", "authorize-post"}
    assert wanted <= set(told["capabilities"])
    statement = house.get("/fhir/metadata")["rest"][0]["security"]
    uris = {e["url"]: e["valueUri"] for e in statement["extension"][0]["extension"]}
    assert uris["authorize"] == told["authorization_endpoint"] and uris["token"] == told["token_endpoint"]
    assert statement["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    openid = house.get("/.well-known/openid-configuration")
    assert openid["issuer"] == told["issuer"] and "RS256" in openid["id_token_signing_alg_values_supported"]
    keys = house.get("/oauth/jwks")["keys"]
    assert keys and all("d" not in key for key in keys)


def test_requests_that_are_wrong_go_nowhere_else(house, doc):
    app = App(house)
    for what, address in {
        "unknown client": app.address(client_id="nobody"),
        "another redirect": app.address(redirect_uri="https://evil.example/cb"),
        "longer redirect": app.address(redirect_uri=REDIRECT + "/x"),
        "no redirect": app.address(redirect_uri=None),
        "twice": app.address() + "&redirect_uri=https://evil.example/",
    }.items():
        answer = requests.get(address, allow_redirects=False, timeout=60)
        assert answer.status_code == 400 and "Location" not in answer.headers, what
    for change, error in (
        ({"aud": "https://evil.example/fhir"}, "invalid_request"), ({"aud": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"), ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"), ({"scope": "nonsense"}, "invalid_scope"),
        ({"launch": "made-up", "scope": "launch patient/*.rs"}, "invalid_request"), ({"prompt": "none"}, "interaction_required"),
    ):
        back = doc.ask(app.address(**change))["redirect"]
        assert back.startswith(REDIRECT) and parameters(back)["error"] == error, f"{change}: {back}"
        assert parameters(back)["state"] == "st-1" and parameters(back)["iss"] == house.url
    refused = doc.say(doc.ask(app.address(prompt="consent")), allow=False).json()["redirect"]
    assert parameters(refused)["error"] == "access_denied"


def test_requests_may_be_posted(house):
    form = urls.urlsplit(App(house).address()).query
    answer = requests.post(f"{house.url}/oauth/authorize", data=form, headers={**FORM, "Origin": "https://app.example"},
                           allow_redirects=False, timeout=60)
    assert answer.status_code == 303 and answer.headers["Location"].startswith(f"{house.url}/authorize?")


def test_codes_are_good_once_and_with_their_verifier(house, doc):
    app = App(house)
    assert app.redeem(app.code(doc), code_verifier="x" * 43).json()["error"] == "invalid_grant"
    assert app.redeem(app.code(doc), code_verifier="").json()["error"] == "invalid_request"
    assert app.redeem(app.code(doc), redirect_uri="http://localhost:7777/other").json()["error"] == "invalid_grant"
    assert App(house, "other").redeem(app.code(doc), code_verifier=app.verifier).json()["error"] == "invalid_grant"
    code = app.code(doc)
    got = app.redeem(code)
    assert got.status_code == 200 and got.headers["Cache-Control"] == "no-store"
    token = got.json()["access_token"]
    assert fhir(house, token, f"/Patient/{house.people[0]}").status_code == 200
    assert app.redeem(code).json()["error"] == "invalid_grant", "a second time"
    assert fhir(house, token, f"/Patient/{house.people[0]}").status_code == 401, "and what came of it ended"


def test_clients_prove_themselves(house, doc):
    safe = App(house, "safe", ("safe", house.secret))
    got = safe.tokens(doc)
    assert got["refresh_token"]
    for auth in (None, ("safe", "wrong"), ("app", house.secret)):
        wrong = App(house, "safe", auth)
        answer = wrong.send(grant_type="refresh_token", refresh_token=got["refresh_token"])
        assert answer.status_code == 401 and answer.json()["error"] == "invalid_client", auth
    again = safe.send(grant_type="refresh_token", refresh_token=got["refresh_token"])
    assert again.status_code == 200 and again.json()["refresh_token"] != got["refresh_token"]
    keyed = App(house, "keyed")
    code = keyed.code(doc)
    proof = {"client_assertion_type": JWT, "client_assertion": assertion(house, iss="keyed", sub="keyed")}
    assert keyed.redeem(code).status_code == 401, "without its proof"
    assert keyed.redeem(code, **proof).status_code == 200
    body = safe.send(grant_type="refresh_token", refresh_token="x", client_secret=house.secret)
    assert body.status_code in (400, 401), "no secrets in bodies"


def test_refresh_tokens_rotate(house, doc):
    app = App(house)
    got = app.tokens(doc)
    refresh = lambda token, **more: app.send(grant_type="refresh_token", refresh_token=token, **more)  # noqa: E731
    less = refresh(got["refresh_token"], scope="patient/Patient.rs").json()
    assert less["scope"] == "patient/Patient.rs" and less["patient"] == house.people[0]
    assert fhir(house, less["access_token"], "/Observation").status_code == 403
    assert refresh(less["refresh_token"], scope="user/*.cruds").json()["error"] == "invalid_scope"
    assert refresh(got["refresh_token"]).json()["error"] == "invalid_grant", "used before"
    assert refresh(less["refresh_token"]).json()["error"] == "invalid_grant", "everything ended"
    assert fhir(house, less["access_token"], "/Patient").status_code == 401


def test_a_grant_for_one_patient_shows_one_patient(house, doc):
    app, (mine, other) = App(house), house.people
    token = app.tokens(doc, 0, "launch/patient patient/*.rs")["access_token"]
    show = lambda path: fhir(house, token, path)  # noqa: E731
    assert [p["id"] for p in entries(show("/Patient"))] == [mine]
    assert {o["subject"]["reference"] for o in entries(show("/Observation"))} == {f"Patient/{mine}"}
    assert show("/Observation").json()["total"] == 2
    assert show("/Observation?_elements=code").status_code == 200 and "subject" not in entries(show("/Observation?_elements=code"))[0]
    for path in (f"/Patient/{other}", f"/Patient/{other}/_history"):
        assert show(path).status_code in (403, 404), path
    for path in (f"/Observation?patient={other}", f"/Observation?subject=Patient/{other}", f"/Patient?_id={other}",
                 f"/Patient?_id={other}&_revinclude=Encounter:patient"):
        assert entries(show(path)) == [] and show(path).json().get("total", 0) == 0, path
    posted = requests.post(f"{house.url}/fhir/Observation/_search", data={"patient": other}, timeout=60,
                           headers={"Authorization": f"Bearer {token}"})
    assert entries(posted) == []
    assert show("/Patient/nobody").status_code == 404
    assert fhir(house, token, f"/Patient/{mine}", "PUT", {"resourceType": "Patient", "id": mine}).status_code == 403
    assert fhir(house, token, "", "POST", {"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": f"Patient/{other}"}}]}).status_code == 403


@pytest.mark.parametrize(("scope", "seen"), [
    ("patient/Observation.rs?category=vital-signs", 2), ("patient/Observation.rs?category=laboratory", 0),
    (f"patient/Observation.rs?category={CATEGORY}|vital-signs", 2), ("patient/Observation.rs?code=http://loinc.org|8867-4", 1),
    ("patient/Observation.rs?code=8867-4 patient/Observation.rs?code=9279-1", 2), ("patient/Observation.s?code=8867-4", 1),
    ("patient/Patient.rs", None), ("patient/Observation.r", None)])
def test_granular_scopes(house, doc, scope, seen):
    got = App(house).tokens(doc, 0, f"launch/patient {scope}")
    assert set(got["scope"].split()) == {"launch/patient", *scope.split()}
    found = fhir(house, got["access_token"], "/Observation")
    if seen is None:
        assert found.status_code == 403 and "insufficient_scope" in found.headers["WWW-Authenticate"]
        return
    assert len(entries(found)) == seen and found.json().get("total", seen) == seen
    every = fhir(house, house.token, f"/Observation?patient={house.people[0]}")
    shown = {o["id"] for o in entries(found)}
    for one in entries(every):
        status = fhir(house, got["access_token"], f"/Observation/{one['id']}").status_code
        may_read = ".rs" in scope and one["id"] in shown
        assert (status == 200) == may_read, f"{scope}: {one['code']}"


def test_a_person_gives_less_and_takes_back(house):
    nora = Browser(house, "nora")
    app = App(house)
    got = app.tokens(nora, 0, "launch/patient patient/Patient.rs patient/Observation.rs offline_access", scopes=["launch/patient", "patient/Patient.rs"])
    assert got["scope"] == "launch/patient patient/Patient.rs" and "refresh_token" not in got
    given = nora.web.get(f"{house.url}/api/v1/applications", timeout=60).json()
    assert [g["name"] for g in given] == ["Growth chart"] and given[0]["active"]
    assert nora.web.delete(f"{house.url}/api/v1/applications/app", timeout=60).status_code == 204
    assert fhir(house, got["access_token"], "/Patient").status_code == 401


def test_tokens_are_looked_up_and_taken_back(house, doc):
    safe = App(house, "safe", ("safe", house.secret))
    got = safe.tokens(doc)
    told = safe.send("/oauth/introspect", token=got["access_token"]).json()
    assert told["active"] and told["client_id"] == "safe" and told["patient"] == house.people[0]
    assert set(told["scope"].split()) == set(got["scope"].split()) and told["exp"] > time.time() and told["fhirUser"]
    ehr = {"Authorization": f"Bearer {house.token}"}
    told = requests.post(f"{house.url}/oauth/introspect", data={"token": got["access_token"]}, headers=ehr, timeout=60).json()
    assert told["active"], "a service account may ask, too"
    assert safe.send("/oauth/introspect", token="vwa_nonsense").json() == {"active": False}
    mine = App(house).tokens(doc)["access_token"]
    assert safe.send("/oauth/introspect", token=mine).json() == {"active": False}, "another's token"
    assert App(house).send("/oauth/introspect", token=mine).status_code == 401, "public clients have no proof"
    assert safe.send("/oauth/revoke", token=mine).status_code == 200
    assert fhir(house, mine, "/Patient").status_code == 200, "another's token lives on"
    assert safe.send("/oauth/revoke", token=got["refresh_token"]).status_code == 200
    assert fhir(house, got["access_token"], "/Patient").status_code == 401
    assert safe.send(grant_type="refresh_token", refresh_token=got["refresh_token"]).json()["error"] == "invalid_grant"


def test_id_tokens_say_who_it_is(house, doc):
    app = App(house)
    address = app.address(scope="openid fhirUser launch/patient patient/Patient.rs", nonce="n-1")
    code = parameters(doc.allow(address, patient=house.people[0]))["code"]
    got = app.redeem(code).json()
    keys = jwk.JWKSet.from_json(json.dumps(house.get("/oauth/jwks")))
    token = jwt.JWT(jwt=got["id_token"], key=keys, algs=["RS256"], check_claims={"iss": house.url, "aud": "app", "nonce": "n-1"})
    claims = json.loads(token.claims)
    assert claims["fhirUser"].startswith(f"{house.url}/fhir/Practitioner/")
    who = requests.get(claims["fhirUser"], headers={"Authorization": f"Bearer {got['access_token']}"}, timeout=60)
    assert who.status_code == 200 and who.json()["name"][0]["text"] == "doc"
    assert fhir(house, got["access_token"], "/Practitioner/a-0000000000000000").status_code == 404


def test_a_grant_never_widens(house, doc):
    token = App(house).tokens(doc, 0, "launch/patient patient/*.cruds user/*.cruds")["access_token"]
    assert fhir(house, token, "/Patient", "POST", {"resourceType": "Patient"}).status_code == 403, "a physician writes nothing over FHIR"
    for path in ("/api/v1/ward", "/api/v1/session", "/api/v1/clients", "/api/v1/authorization", "/metrics"):
        assert requests.get(house.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=60).status_code in (401, 403), path
    eng = Browser(house, "eng")
    question = eng.ask(App(house).address())
    assert eng.say(question, patient=house.people[0]).status_code == 403, "whom the person may not see can't be chosen"
    token = App(house).redeem  # an engineer may let an application in, and it sees nothing
    app = App(house)
    code = parameters(eng.allow(app.address(scope="user/Patient.rs")))["code"]
    assert fhir(house, app.redeem(code).json()["access_token"], "/Patient").status_code == 403


def test_consent_can_not_be_forged(house, doc):
    question = doc.ask(App(house).address(prompt="consent"))
    body = {"ticket": question["ticket"], "allow": True, "patient": house.people[0]}
    address = f"{house.url}/api/v1/authorization"
    foreign = doc.web.post(address, json=body, headers={"Origin": "https://evil.example"}, timeout=60)
    assert foreign.status_code == 403, "another site's page"
    plain = doc.web.post(address, data=json.dumps(body), headers={"Content-Type": "text/plain"}, timeout=60)
    assert plain.status_code in (400, 415), "what a form could send"
    other = Browser(house, "nora")
    assert other.say(question, patient=house.people[0]).status_code == 400, "another person's question"
    assert doc.say(question, patient=house.people[0]).status_code == 200
    assert doc.say(question, patient=house.people[0]).status_code == 400, "answered before"
    page = requests.get(f"{house.url}/authorize", timeout=60)
    assert page.headers["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


def test_pages_of_registered_applications_only_may_call(house):
    for path in ("/oauth/token", "/fhir/Patient", "/.well-known/smart-configuration"):
        for origin, allowed in (("http://localhost:7777", True), ("https://evil.example", False), ("null", False)):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
            answer = requests.options(house.url + path, headers=headers, timeout=60)
            assert (answer.headers.get("Access-Control-Allow-Origin") == origin) == allowed, f"{path} {origin}"
            assert "Access-Control-Allow-Credentials" not in answer.headers
    answer = requests.options(f"{house.url}/api/v1/ward", headers={"Origin": "http://localhost:7777", "Access-Control-Request-Method": "GET"}, timeout=60)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_administrators_register_applications(house):
    ada, nora = Browser(house, "ada"), Browser(house, "nora")
    new = {"id": "temp", "name": "Temporary", "authentication": "public", "redirect_uris": [REDIRECT], "scopes": "openid patient/*.rs"}
    address = f"{house.url}/api/v1/clients"
    assert nora.web.post(address, json=new, timeout=60).status_code == 403
    assert ada.web.post(address, json={**new, "redirect_uris": ["javascript:alert(1)"]}, timeout=60).status_code == 400
    assert ada.web.post(address, json={**new, "scopes": "patient/x"}, timeout=60).status_code == 400
    assert ada.web.post(address, json={**new, "role": "administrator"}, timeout=60).status_code in (400, 422)
    assert ada.web.post(address, json=new, timeout=60).status_code == 200
    assert ada.web.post(address, json=new, timeout=60).status_code == 409
    app = App(house, "temp")
    got = app.tokens(Browser(house, "doc"), 0, "patient/*.rs")
    assert ada.web.delete(f"{address}/temp", timeout=60).status_code == 204
    assert fhir(house, got["access_token"], "/Patient").status_code == 401
    assert "temp" not in house.run("client", "list")


def test_metrics_are_of_the_patient_whom_their_device_is_on(house, doc):
    nora, ehr = Browser(house, "nora"), {"Authorization": f"Bearer {house.token}"}
    for device, who in zip(("m-a", "m-b"), house.people):
        answer = nora.web.post(f"{house.url}/api/v1/devices/{device}/association", json={"patient": who}, timeout=60)
        assert answer.status_code == 204, answer.text
        said = {**reading(who, "vital-signs", "8867-4"), "device": {"reference": f"Device/{device}"}}
        house.post("/fhir/Observation", said, headers=ehr, expect=201)
    theirs = lambda device: house.get(f"/fhir/DeviceMetric?source=Device/{device}", headers=ehr)["total"] == 1  # noqa: E731
    wait_for(lambda: theirs("m-a") and theirs("m-b"), "their metrics")
    where = lambda token: {m["source"]["reference"] for m in entries(fhir(house, token, "/DeviceMetric"))}  # noqa: E731
    token = App(house).tokens(doc, 0, "launch/patient patient/DeviceMetric.rs patient/Device.rs")["access_token"]
    show = lambda path: fhir(house, token, path)  # noqa: E731
    wait_for(lambda: "Device/m-a" in where(token), "the device to be on the patient")
    mine = f"Device/chart-{house.people[0]}"
    assert where(token) <= {"Device/m-a", mine}, "and nobody else's"
    assert "total" not in show("/DeviceMetric").json(), "how many there are of others is not told"
    assert [show(f"/DeviceMetric/metric-147842-0-{device}").status_code for device in ("m-a", "m-b")] == [200, 404]
    assert [show(f"/Device/part-69798-{device}").status_code for device in ("m-a", "m-b")] == [200, 404]
    parts = lambda device: {p["id"] for p in entries(show(f"/Device?parent=Device/{device}"))}  # noqa: E731
    assert parts("m-a") == {"part-69798-m-a"} and parts("m-b") == set(), "parts below the patient's own device alone"
    assert "total" not in show("/Device?parent=Device/m-b").json()
    assert {e["resourceType"] for e in entries(show("/Device?_id=m-a&_revinclude=DeviceMetric:source"))} == {"Device", "DeviceMetric"}
    everything = App(house).tokens(doc, 0, "launch/patient user/DeviceMetric.rs")["access_token"]
    assert where(everything) >= {"Device/m-a", "Device/m-b"}
    assert fhir(house, App(house).tokens(doc, 0, "launch/patient patient/Observation.rs")["access_token"], "/DeviceMetric").status_code == 403


def test_nothing_secret_is_in_the_log(house):
    log = house.log()
    assert house.secret not in log and "vwa_" not in log and "vwr_" not in log and "code=" not in log
