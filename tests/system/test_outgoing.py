"""What the program asks of others over HTTPS: receivers of alerts, and the keys of applications at their address."""

import json
import secrets
import time

import pytest
import requests
from jwcrypto import jwk, jwt

from support.pager import SECRET, Pager
from support.secure import Authority, Documents
from support.server import Server, wait_for

PASSWORD = "correct horse battery 9"
JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY = jwk.JWK.generate(kty="EC", crv="P-384", kid="first")
LATER = jwk.JWK.generate(kty="EC", crv="P-384", kid="later")


def shown(*keys):
    return json.dumps({"keys": [key.export_public(as_dict=True) for key in keys]})


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outgoing")
    authority, other = Authority(folder), Authority(tmp_path_factory.mktemp("other"), "Somebody else")
    trusted, unknown = Pager(authority.server()), Pager(other.server())
    documents = Documents(authority, {"/jwks": shown(KEY), "/broken": "no keys"})
    hooks = "".join(f'[[webhook]]\nname = "{name}"\nurl = "{pager.url}/page"\nsecret = "{SECRET}"\n'
                    for name, pager in (("trusted", trusted), ("unknown", unknown)))
    config = folder / "vitalwire.toml"
    config.write_text(f'[outgoing]\nca_file = "{authority.path}"\n{hooks}')
    server = Server(folder / "data", open=False, config=config)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    server.run("user", "add", "nora", "--role", "nurse", "--unit", "ICU")
    server.run("user", "add", "ada", "--role", "administrator")
    del server.environment["VITALWIRE_PASSWORD"]
    server.token = server.run("user", "token", "ehr").split()[0]
    server.run("user", "token", "export")
    for name, path in (("backend", "/jwks"), ("without", "/broken")):
        server.run("client", "add", name, "--authentication", "key", "--jwks-uri", documents.url + path,
                   "--account", "export", "--scopes", "system/Patient.rs")
    server.start()
    server.trusted, server.unknown, server.documents = trusted, unknown, documents
    yield server
    server.stop()
    for other in (trusted, unknown, documents):
        other.stop()


def entered(server, name):
    web = requests.Session()
    web.trust_env = False
    answer = web.post(f"{server.url}/api/v1/login", json={"name": name, "password": PASSWORD}, timeout=60)
    assert answer.status_code == 200, answer.text
    return web


def test_a_receiver_is_told_over_https_and_an_untrusted_one_is_told_nothing(house):
    ehr = {"Authorization": f"Bearer {house.token}"}
    made = house.post("/fhir/Patient", {"resourceType": "Patient", "name": [{"family": "Abel"}],
                      "identifier": [{"system": "urn:mrn", "value": "1"}]}, headers=ehr, expect=201)
    house.post("/fhir/Observation", {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{made['id']}"}, "effectiveDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "valueQuantity": {"value": 72, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    }, headers=ehr, expect=201)
    nora = entered(house, "nora")
    body = {"patient": made["id"], "reason": "emergency", "words": "found on the floor", "minutes": 30}
    wait_for(lambda: nora.post(f"{house.url}/api/v1/break-glass", json=body, timeout=60).status_code == 200,
             "the patient to be known")
    told = wait_for(lambda: house.trusted.told, "the trusted receiver to be told")
    assert told[0]["event"] == "break-glass" and told[0]["account"] == "nora"
    house.session.headers.update(ehr)
    wait_for(lambda: house.metric("vitalwire_webhook_failures_total") >= 1, "the failed delivery to be counted")
    assert house.unknown.told == [], "nothing is sent to whom nobody vouches for"


def assertion(server, key, client="backend"):
    claims = {"iss": client, "sub": client, "aud": f"{server.url}/oauth/token", "exp": int(time.time()) + 240,
              "jti": secrets.token_hex(16)}
    token = jwt.JWT(header={"alg": "ES384", "kid": key.get("kid"), "typ": "JWT"}, claims=claims)
    token.make_signed_token(key)
    return token.serialize()


def prove(server, signed):
    form = {"grant_type": "client_credentials", "scope": "system/Patient.rs", "client_assertion_type": JWT,
            "client_assertion": signed}
    return requests.post(f"{server.url}/oauth/token", data=form, timeout=60)


def test_keys_are_fetched_kept_and_asked_for_again_at_most_once_a_minute(house):
    for _ in range(3):
        assert prove(house, assertion(house, KEY)).status_code == 200
    assert house.documents.asked == ["/jwks"], "kept"
    # A key that is not there yet; and a thousand unknown ones would ask no more than once.
    for _ in range(5):
        refused = prove(house, assertion(house, LATER))
        assert refused.status_code == 401 and refused.json()["error"] == "invalid_client", refused.text
    assert house.documents.asked == ["/jwks"], "within the minute"
    assert prove(house, assertion(house, KEY, "without")).status_code == 401
    assert prove(house, assertion(house, KEY)).status_code == 200, "another's broken address changes nothing"


def test_keys_at_an_address_are_at_an_encrypted_one(house):
    ada = entered(house, "ada")
    for address, status in (("http://127.0.0.1:1/jwks", 400), ("http://lab.example/jwks", 400),
                            ("https://lab.example/jwks", 200)):
        body = {"id": "lab", "name": "Lab", "authentication": "key", "jwks_uri": address, "account": "export",
                "scopes": "system/Patient.rs"}
        answer = ada.post(f"{house.url}/api/v1/clients", json=body, timeout=60)
        assert answer.status_code == status, (address, answer.text)


def test_nothing_secret_is_in_the_log(house):
    log = house.log()
    for secret in (PASSWORD, SECRET, house.token, "found on the floor", "Abel"):
        assert secret not in log
