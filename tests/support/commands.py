"""People who ask devices to do something, and what is seen of it: for tests of commands over any way to devices."""

import uuid

import requests

from support.server import wait_for

PASSWORD = "correct horse battery 9"
ROLES = {"nurse": "nurse", "charge": "charge-nurse", "physician": "physician", "physician2": "physician",
         "engineer": "engineer", "security": "security-officer"}
ADA = {"family": "Testperson", "birth_date": "1950-02-03"}


def populate(server, devices):
    """Accounts of all roles and of these devices; before the start."""
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    for name, role in ROLES.items():
        server.run("user", "add", name, "--role", role)
    del server.environment["VITALWIRE_PASSWORD"]
    server.passwords = {name: server.run("device", "add", name).split()[-1] for name in devices}
    server.people = {}


def person(house, name):
    if name not in house.people:
        session = requests.Session()
        session.trust_env = False
        answer = session.post(f"{house.url}/api/v1/login", json={"name": name, "password": PASSWORD}, timeout=60)
        assert answer.status_code == 200, answer.text
        house.people[name] = session
    return house.people[name]


def ask(house, who, method, path, body=None, expect=200):
    answer = person(house, who).request(method, f"{house.url}/api/v1{path}", json=body, timeout=60)
    expected = expect if isinstance(expect, tuple) else (expect,)
    assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


def put_on(house, device, number, name, birth):
    one = {"device": device, "identifier": f"urn:mrn|{number}", "name": name, "birth_date": birth}
    ask(house, "physician", "POST", "/associations", [one], expect=204)
    on = lambda: ask(house, "physician", "GET", f"/devices/{device}", expect=(200, 404)).get("device", {}).get("patient")
    return wait_for(lambda: (who := on()) and who["mrn"] == number and who["id"], f"{device} to be on {number}")


def wish(house, who, command="identify", device="p1", expect=201, key=None, **more):
    body = {"command": command, "patient": house.ada, "key": key or uuid.uuid4().hex, **more}
    return ask(house, who, "POST", f"/devices/{device}/commands", body, expect=expect)


def state(house, command):
    return ask(house, "physician", "GET", f"/commands/{command['id']}")


def until(house, command, *states, limit_s=60):
    def there():
        now = state(house, command)
        return now if now["state"] in states else None
    return wait_for(there, f"{command['command']} to be {states}", limit_s)


def deeds(house, command):
    """What the audit log says of one command, in order."""
    mine = [row for row in records(house, *STEPS) if row["object"].startswith(command["id"])]
    return [row["action"] for row in sorted(mine, key=lambda row: row["n"])]


STEPS = ["request-command", "confirm-command", "cancel-command", "send-command", *(
    f"command-{state}" for state in ("sending", "sent", "accepted", "done", "failed", "expired", "refused", "unknown"))]


def records(house, *actions):
    return ask(house, "security", "GET", f"/audit?limit=500&action={','.join(actions)}")["rows"]
