"""CO-1 over SDC: people's commands become operations of an sdc11073 provider. What the device says of its call is the
command's state, what its target holds afterwards is read back; it is called once, and shown what it wants to be shown
(MDPWS safety information, which the device computes by itself)."""

import threading
import uuid

import pytest
import requests

pytest.importorskip("sdc11073", reason="needs sdc11073")

from support.sdc_site import EPR, HERE, MDIB, Device, Site
from support.server import Server, wait_for

PASSWORD = "correct horse battery 9"
ADA = {"family": "Testperson", "birth_date": "1950-02-03"}
COMMANDS = """
[[profile]]
manufacturer = "Tests"
models = ["Operable"]

[[profile.command]]
name = "set_value_0.sco.mds_0"
title = "Rate"
class = "settings"
expires-s = 60
answer-s = 8
read-back = "answer"
[[profile.command.parameter]]
name = "rate"
title = "Rate"
kind = "number"
unit = ""
low = 0
high = 100

[[profile.command]]
name = "set_string_0.sco.mds_0"
title = "Mode"
class = "settings"
expires-s = 60
answer-s = 60
read-back = "answer"
[[profile.command.parameter]]
name = "mode"
title = "Mode"
kind = "choice"
choices = ["ON", "OFF"]

[[profile.command]]
name = "activate_1.sco.mds_0"
title = "Note"
class = "locate"
expires-s = 60
answer-s = 60
[[profile.command.parameter]]
name = "first"
title = "First"
kind = "choice"
choices = ["a", "b"]
[[profile.command.parameter]]
name = "second"
title = "Second"
kind = "number"
low = 0
high = 9
[[profile.command.parameter]]
name = "third"
title = "Third"
kind = "choice"
choices = ["urn:x"]

[[profile.command]]
name = "activate_0.sco.mds_0"
title = "What wants a digest that nobody knows"
class = "locate"
expires-s = 60
answer-s = 60

[[profile.command]]
name = "nothing"
title = "What the device does not have"
class = "locate"
expires-s = 60
answer-s = 60
"""


class House:
    """A locked house with a charge nurse, whose device is on Ada."""

    def __init__(self, folder):
        Site(folder, "platform", "device")
        (folder / "authority.pem").write_bytes((folder / "ca.pem").read_bytes())
        (folder / "own.pem").write_bytes(b"".join((folder / f"device.{part}").read_bytes() for part in ("pem", "key")))
        self.device = Device(folder, "sdc_operable.py")
        config = folder / "sdc.toml"
        config.write_text(f"""
[sdc.consumer]
listen = "{HERE}:0"
authority = "{folder}/ca.pem"
certificate = "{folder}/platform.pem"
key = "{folder}/platform.key"
devices = [{{ id = "pump", address = "{self.device.start()}", endpoint = "urn:uuid:{EPR}" }}]
subscription_s = 9
""")
        self.calls = []
        threading.Thread(target=self.listen, daemon=True).start()
        self.server = Server(folder / "data", open=False, config=config)
        self.server.environment["VITALWIRE_PASSWORD"] = PASSWORD
        for name, role in (("clara", "charge-nurse"), ("nora", "nurse"), ("sue", "security-officer")):
            self.server.run("user", "add", name, "--role", role)
        del self.server.environment["VITALWIRE_PASSWORD"]
        (self.server.data / "commands").mkdir(parents=True, exist_ok=True)
        (self.server.data / "commands" / "tests.toml").write_text(COMMANDS)
        self.server.start()
        self.people = {}
        one = {"device": "pump", "identifier": "urn:mrn|77", "name": "Testperson, Ada", "birth_date": "1950-02-03"}
        wait_for(lambda: self.ask("clara", "GET", "/devices/pump", expect=(200, 404)), "the device", 60)
        self.ask("clara", "POST", "/associations", [one], expect=204)
        on = lambda: self.ask("clara", "GET", "/devices/pump", expect=(200, 404)).get("device", {}).get("patient")
        self.ada = wait_for(lambda: (who := on()) and who["id"], "the device to be on Ada")
        wait_for(lambda: self.ask("clara", "GET", "/devices/pump/commands")["offers"], "what the device takes", 120)

    def listen(self):
        """What the device carried out, as it says it."""
        for line in self.device.process.stdout:
            self.calls.append(line.split()[1:])

    def ask(self, who, method, path, body=None, expect=200):
        if who not in self.people:
            session = self.people[who] = requests.Session()
            session.trust_env = False
            answer = session.post(f"{self.server.url}/api/v1/login", json={"name": who, "password": PASSWORD}, timeout=60)
            assert answer.status_code == 200, answer.text
        answer = self.people[who].request(method, f"{self.server.url}/api/v1{path}", json=body, timeout=60)
        expected = expect if isinstance(expect, tuple) else (expect,)
        assert answer.status_code in expected, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def wish(self, command, parameters=None, who="clara", expect=201):
        body = {"command": command, "patient": self.ada, "key": uuid.uuid4().hex, "parameters": parameters or {},
                "identifiers": ADA}
        return self.ask(who, "POST", "/devices/pump/commands", body, expect=expect)

    def until(self, command, *states):
        def there():
            now = self.ask("clara", "GET", f"/commands/{command['id']}")
            return now if now["state"] in states else None
        return wait_for(there, f"{command['command']} to be {states}", 60)

    def settled(self, command, parameters=None):
        return self.until(self.wish(command, parameters), "done", "failed", "unknown", "expired", "refused")

    def stop(self):
        self.server.stop()
        if self.device.process.poll() is None:
            self.device.kill()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    if not MDIB.exists():
        pytest.skip(f"skipped: {MDIB.name} is not in VITALWIRE_DATA/sdc")
    house = House(tmp_path_factory.mktemp("sdc-commands"))
    yield house
    house.stop()


def calls(house):
    """What the device carried out since this was last asked."""
    found, house.calls = house.calls, []
    return found


def states(command):
    return [line["state"] for line in command["history"]]


def test_a_number_is_set_with_safety_information_and_read_back(house):
    done = house.settled("set_value_0.sco.mds_0", {"rate": 5})
    assert done["state"] == "done", done["history"]
    assert calls(house) == [["set_value_0.sco.mds_0", "5"]], "once"
    assert "accepted" in states(done)
    # The next one is shown another version of the value.
    assert house.settled("set_value_0.sco.mds_0", {"rate": 6})["state"] == "done"
    sue = house.ask("sue", "GET", "/audit?limit=500&action=send-command,command-done")["rows"]
    assert [row["action"] for row in sorted(sue, key=lambda row: row["n"]) if row["object"].startswith(done["id"])] == \
        ["send-command", "command-done"]
    calls(house)


def test_a_text_and_an_action_with_arguments(house):
    assert house.settled("set_string_0.sco.mds_0", {"mode": "OFF"})["state"] == "done"
    acted = house.settled("activate_1.sco.mds_0", {"first": "a", "second": 7, "third": "urn:x"})
    assert acted["state"] == "done", acted
    assert calls(house) == [["set_string_0.sco.mds_0", "OFF"], ["activate_1.sco.mds_0", "a7urn:x"]]


def test_what_the_device_refuses_or_does_otherwise_has_failed(house):
    refused = house.settled("set_value_0.sco.mds_0", {"rate": 66})
    assert refused["state"] == "failed" and refused["history"][-1]["by"] == "pump", refused
    other = house.settled("set_value_0.sco.mds_0", {"rate": 44})
    assert other["state"] == "failed" and "reads back something else" in other["history"][-1]["detail"], other
    assert calls(house) == [["set_value_0.sco.mds_0", "45"]]


def test_what_certainly_never_left_has_failed_and_the_device_heard_nothing(house):
    for command, word in (("nothing", "no operation"), ("activate_0.sco.mds_0", "digest")):
        failed = house.settled(command)
        assert failed["state"] == "failed" and word in failed["history"][-1]["detail"], failed
        assert "sent" not in states(failed)
    house.wish("set_value_0.sco.mds_0", {"rate": 5}, who="nora", expect=403)
    assert calls(house) == []


def test_without_a_last_word_it_is_unknown_and_never_called_again(house):
    lost = house.settled("set_value_0.sco.mds_0", {"rate": 55})
    assert lost["state"] == "unknown", lost
    assert calls(house) == [["set_value_0.sco.mds_0", "55"]]
    # The device is gone: what is asked now waits, and expires or is taken back; nothing is sent.
    house.device.kill()
    wait_for(lambda: house.ask("clara", "GET", "/devices/pump")["device"]["link"] != "online", "the loss", 120)
    waiting = house.wish("activate_1.sco.mds_0", {"first": "b", "second": 1, "third": "urn:x"})
    assert house.until(waiting, "requested")
    house.ask("clara", "POST", f"/commands/{waiting['id']}/cancel", {"reason": "the device is gone"})
    assert house.until(waiting, "cancelled")
