"""CO-1: commands to devices. Wrong role, wrong patient, expired, said twice, device away, no read-back, killed in the middle:
each ends in a state that is seen and in the audit log, and the device never gets one command twice."""

import json
import os
import random
import time
import uuid

import paho.mqtt.client as mqtt
import pytest
import requests

from support.commands import ADA, ask, deeds, person, populate, put_on, records, state, until, wish
from support.server import Server, wait_for

KILL_SEED = int(os.environ.get("KILL_SEED", random.randrange(1 << 30)))
KILL_COMMANDS = int(os.environ.get("KILL_COMMANDS", 12))

PUMP = """
[[profile]]
manufacturer = "Acme"
models = ["P2"]

[[profile.command]]
name = "identify"
title = "Blink"
class = "locate"
expires-s = 30
answer-s = 60

[[profile.command]]
name = "hurry"
title = "Blink at once or not at all"
class = "locate"
expires-s = 1
answer-s = 2

[[profile.command]]
name = "set-limit"
title = "Alarm limit"
class = "settings"
expires-s = 60
answer-s = 3
read-back = "answer"
[[profile.command.parameter]]
name = "pressure"
title = "Occlusion pressure"
kind = "number"
unit = "mm[Hg]"
low = 50
high = 750

[[profile.command]]
name = "set-rate"
title = "Rate"
class = "therapy"
two-person = true
expires-s = 60
answer-s = 60
read-back = "answer"
[[profile.command.parameter]]
name = "rate"
title = "Rate"
kind = "number"
unit = "mL/h"
low = 0
high = 100
"""


class Pump:
    """A device on MQTT with an account of its own. `manner` says how it answers."""

    def __init__(self, house, name, manner="obedient"):
        self.house, self.name, self.manner, self.got = house, name, manner, []
        self.paho = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5)
        self.paho.username_pw_set(name, house.passwords[name])
        self.paho.on_message = self.told
        self.ready = False
        self.paho.on_connect = lambda c, u, f, reason, p: c.subscribe(f"vitalwire/{name}/command", 1)
        self.paho.on_subscribe = lambda *_: setattr(self, "ready", True)
        self.connect()

    def connect(self, clean=True, expiry_s=0):
        properties = mqtt.Properties(mqtt.PacketTypes.CONNECT)
        properties.SessionExpiryInterval = expiry_s
        self.ready = False
        self.paho.connect(*self.house.mqtt, clean_start=clean, properties=properties)
        self.paho.loop_start()
        wait_for(lambda: self.ready, "the pump's subscription")
        self.say("status", {"manufacturer": "Acme", "model": "P2", "serial": self.name})

    def say(self, topic, body):
        self.paho.publish(f"vitalwire/{self.name}/{topic}", json.dumps(body), 1)

    def told(self, _client, _user, message):
        told = json.loads(message.payload)
        assert not message.retain and message.qos == 1
        told["left_s"] = message.properties.MessageExpiryInterval
        self.got.append(told)
        answer = lambda **said: self.say("command/answer", {"id": told["id"], **said})
        read_back = {name: value["value"] for name, value in told["parameters"].items() if isinstance(value, dict)}
        if self.manner == "obedient":
            answer(state="accepted")
            answer(state="done", read_back=read_back)
        elif self.manner == "forgets-to-read-back":
            answer(state="done")
        elif self.manner == "reads-back-wrong":
            answer(state="done", read_back={name: value + 1 for name, value in read_back.items()})
        elif self.manner == "refuses":
            answer(state="failed", reason="the door is open")

    def stop(self):
        self.paho.disconnect()
        self.paho.loop_stop()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    server = Server(folder / "data", open=False)
    populate(server, ("p1", "p2"))
    server.console = server.run("user", "token", "console", "--role", "administrator").split()[0]
    (server.data / "commands").mkdir()
    (server.data / "commands" / "acme.toml").write_text(PUMP)
    (server.data / "commands" / "broken.toml").write_text("[[profile]]\ncolour = 1\n")
    server.start()
    server.ada = put_on(server, "p1", "77", "Testperson, Ada", "1950-02-03")
    yield server
    server.stop()


@pytest.fixture
def pump(house):
    pump = Pump(house, "p1")
    wait_for(lambda: ask(house, "physician", "GET", "/devices/p1/commands")["offers"], "the pump's own word what it is")
    yield pump
    pump.stop()


def test_a_command_goes_its_way_and_each_step_is_in_the_audit_log(house, pump):
    offers = {offer["name"]: offer for offer in ask(house, "nurse", "GET", "/devices/p1/commands")["offers"]}
    assert {name: offer["allowed"] for name, offer in offers.items()} == \
        {"identify": True, "hurry": True, "set-limit": False, "set-rate": False}
    command = wish(house, "nurse")
    done = until(house, command, "done")
    assert [line["state"] for line in done["history"] if line["state"] != "accepted"] == ["requested", "sending", "sent", "done"] \
        or [line["state"] for line in done["history"]][-1] == "done"
    assert [told["command"] for told in pump.got] == ["identify"]
    told = pump.got[0]
    assert told["id"] == command["id"] and told["patient"] == house.ada and 0 < told["left_s"] <= 30
    expected = ["request-command", "send-command", "command-sending", "command-done"]
    found = wait_for(lambda: (d := deeds(house, command)) and "command-done" in d and d, "the audit log")
    assert [deed for deed in found if deed in expected] == expected, found


def test_the_wrong_role_gets_nothing_done(house, pump):
    limit = {"parameters": {"pressure": 300}, "identifiers": ADA}
    wish(house, "nurse", "set-limit", expect=403, **limit)
    wish(house, "engineer", expect=403)
    assert pump.got == []
    assert any(row["outcome"] == "denied" for row in records(house, "command-settings"))


def test_two_people_and_two_identifiers(house, pump):
    rate = {"parameters": {"rate": 5}, "identifiers": ADA}
    wish(house, "physician", "set-rate", expect=409, **{**rate, "identifiers": {**ADA, "birth_date": "1950-02-04"}})
    wish(house, "physician", "set-rate", expect=409, parameters={"rate": 5})
    for wrong in ({}, {"rate": 101}, {"rate": "5"}, {"rate": 5, "bolus": 1}):
        wish(house, "physician", "set-rate", expect=400, parameters=wrong, identifiers=ADA)
    command = wish(house, "physician", "set-rate", **rate)
    assert command["state"] == "awaiting" and pump.got == []
    one = f"/commands/{command['id']}"
    ask(house, "physician", "POST", f"{one}/confirm", {"identifiers": ADA}, expect=409)
    ask(house, "nurse", "POST", f"{one}/confirm", {"identifiers": ADA}, expect=403)
    ask(house, "physician2", "POST", f"{one}/confirm", {}, expect=409)
    assert state(house, command)["state"] == "awaiting" and pump.got == []
    ask(house, "physician2", "POST", f"{one}/confirm", {"identifiers": ADA})
    done = until(house, command, "done")
    assert done["second"] == "physician2" and len(pump.got) == 1
    assert pump.got[0]["parameters"] == {"rate": {"value": 5.0, "unit": "mL/h"}} or pump.got[0]["parameters"]["rate"]["value"] == 5
    ask(house, "physician2", "POST", f"{one}/confirm", {"identifiers": ADA}, expect=409)
    ask(house, "physician", "POST", f"{one}/cancel", {}, expect=409)
    assert len(pump.got) == 1


def test_the_wrong_patient_is_refused_before_anything_is_sent(house, pump):
    other = put_on(house, "p2", "78", "Other, Bea", "1960-01-01")
    command = wish(house, "physician", patient=other)
    assert state(house, command)["state"] == "refused" and "another patient" in state(house, command)["history"][-1]["detail"]
    # Moved while it waits for the second person.
    waiting = wish(house, "physician", "set-rate", parameters={"rate": 7}, identifiers=ADA)
    put_on(house, "p1", "79", "Third, Cid", "1970-01-01")
    try:
        refused = until(house, waiting, "refused")
        ask(house, "physician2", "POST", f"/commands/{waiting['id']}/confirm", {"identifiers": ADA}, expect=(403, 409))
    finally:
        put_on(house, "p1", "77", "Testperson, Ada", "1950-02-03")
    assert refused["history"][-1]["by"] == "system" and pump.got == []
    wait_for(lambda: "command-refused" in deeds(house, waiting), "the audit log")


def test_a_device_that_is_away_gets_nothing_late(house):
    command = wish(house, "nurse", "hurry")
    assert command["state"] == "requested"
    expired = until(house, command, "expired")
    assert expired["history"][-1]["by"] == "system"
    pump = Pump(house, "p1")
    again = until(house, wish(house, "nurse"), "done")
    assert [told["id"] for told in pump.got] == [again["id"]]
    wait_for(lambda: "command-expired" in deeds(house, command), "the audit log")
    assert "send-command" not in deeds(house, command)
    # One that comes back in time gets it then, once.
    pump.stop()
    wait_for(lambda: ask(house, "nurse", "GET", "/devices/p1")["device"]["link"] != "online", "the pump to be gone")
    waits = wish(house, "nurse")
    time.sleep(1.5)
    assert state(house, waits)["state"] == "requested"
    pump.connect()
    until(house, waits, "done")
    assert [told["id"] for told in pump.got] == [again["id"], waits["id"]]
    pump.stop()


def test_the_same_wish_twice_is_one_command(house, pump):
    key = uuid.uuid4().hex
    first = wish(house, "nurse", key=key)
    until(house, first, "done")
    second = wish(house, "nurse", key=key, expect=200)
    assert second["id"] == first["id"] and second["state"] == "done" and len(pump.got) == 1
    wish(house, "nurse", "hurry", key=key, expect=409)
    theirs = wish(house, "charge", key=key)
    assert theirs["id"] != first["id"], "another account's key is another key"
    until(house, theirs, "done")
    assert len(pump.got) == 2


@pytest.mark.parametrize("manner, ends, says", [
    ("forgets-to-read-back", "unknown", "no read-back"),
    ("reads-back-wrong", "failed", "something else than was asked"),
    ("refuses", "failed", "the door is open"),
    ("silent", "unknown", "no answer"),
])
def test_what_a_device_does_not_confirm_is_never_called_done(house, pump, manner, ends, says):
    pump.manner = manner
    command = wish(house, "charge", "set-limit", parameters={"pressure": 300}, identifiers=ADA)
    ended = until(house, command, ends)
    assert says in ended["history"][-1]["detail"]
    wait_for(lambda: f"command-{ends}" in deeds(house, command), "the audit log")
    time.sleep(1.5)
    assert len(pump.got) == 1, "it is never sent again"
    # A late word still counts where nothing was known, and nothing changes what is final.
    pump.say("command/answer", {"id": command["id"], "state": "done", "read_back": {"pressure": 300}})
    pump.say("command/answer", {"id": command["id"], "state": "perhaps"})
    if ends == "unknown":
        until(house, command, "done")
    else:
        time.sleep(0.5)
        assert state(house, command)["state"] == "failed"


def test_nobody_answers_for_another_device(house, pump):
    pump.manner = "silent"
    other = Pump(house, "p2")
    command = wish(house, "charge", "set-limit", parameters={"pressure": 300}, identifiers=ADA)
    until(house, command, "sent", "sending")
    other.say("command/answer", {"id": command["id"], "state": "done", "read_back": {"pressure": 300}})
    ended = until(house, command, "unknown")
    assert "done" not in [line["state"] for line in ended["history"]]
    other.stop()


def test_nobody_but_the_platform_sends_commands(house, pump):
    """A program that may manage devices, as its will, retained and by QoS 0 to 2: the device gets nothing."""
    topic = "vitalwire/p1/command"
    refused = []

    def console(will=False):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "console", protocol=mqtt.MQTTv5)
        client.username_pw_set("console", house.console)
        client.on_connect = lambda c, u, f, reason, p: refused.append(("connect", reason.value))
        client.on_publish = lambda c, u, mid, reason, p: refused.append(("publish", reason.value))
        if will:
            client.will_set(topic, '{"id":"c-9","command":"identify"}', 1)
        client.connect(*house.mqtt)
        client.loop_start()
        wait_for(lambda: any(what == "connect" for what, _ in refused), "an answer")
        return client

    client = console()
    for qos, retain in ((0, False), (1, False), (1, True), (2, False)):
        client.publish(topic, '{"id":"c-9","command":"identify"}', qos, retain)
    wait_for(lambda: len([r for what, r in refused if what == "publish" and r == 0x87]) == 2, "refusals at QoS 1")
    client.publish("vitalwire/p1/config", '{"brightness":3}', 1).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()
    refused.clear()
    client = console(will=True)
    assert ("connect", 0x87) in refused
    client.loop_stop()
    until(house, wish(house, "nurse"), "done")
    assert [told["command"] for told in pump.got] == ["identify"] and pump.got[0]["id"] != "c-9"
    denied = lambda: [r for r in records(house, "command-device") if r["outcome"] == "denied" and r["object"] == "p1"]
    assert wait_for(denied, "a record of the refusal")[0]["actor"] == "console"
    bearer = {"Authorization": f"Bearer {house.console}"}
    metrics = requests.get(f"{house.url}/metrics", headers=bearer, timeout=60)
    assert metrics.status_code == 200, metrics.text
    counted = [line for line in metrics.text.splitlines() if line.startswith("vitalwire_gateway_refused_total")]
    assert any('reason="forbidden"' in line for line in counted), counted


def test_files_of_commands_are_read_again_when_they_change(house, pump):
    file = house.data / "commands" / "later.toml"
    names = lambda: {offer["name"] for offer in ask(house, "nurse", "GET", "/devices/p1/commands")["offers"]}
    before = names()
    later = PUMP[:PUMP.index('[[profile.command]]\nname = "hurry"')].replace('"identify"', '"sing"')
    # One file with a fault and nothing changes: the broken one is there from the start.
    file.write_text(later)
    failed = lambda: [r for r in records(house, "change-device-commands") if r["outcome"] == "failed"]
    assert "broken.toml" in wait_for(failed, "the record of a change with a fault")[0]["detail"]
    assert names() == before
    (house.data / "commands" / "broken.toml").unlink()
    wait_for(lambda: names() == before | {"sing"}, "the new command")
    command = wish(house, "nurse", "sing")
    until(house, command, "done")
    file.unlink()
    wait_for(lambda: names() == before, "the command to be gone again")
    assert state(house, command)["state"] == "done"
    assert any(r["outcome"] == "allowed" and "later.toml" in r["detail"] for r in records(house, "change-device-commands"))


def test_a_broken_connection_is_no_reason_to_send_again(house, pump):
    pump.manner = "silent"
    pump.stop()
    pump.connect(clean=True, expiry_s=600)
    seen = len(pump.got)
    # Never acknowledged: the connection breaks in the moment of delivery.
    def cut(_client, _user, message):
        pump.got.append(json.loads(message.payload))
        pump.paho.socket().close()
    pump.paho.on_message = cut
    pump.paho.manual_ack_set(True)
    command = wish(house, "nurse")
    wait_for(lambda: len(pump.got) > seen, "the command")
    time.sleep(3)
    assert [told["id"] for told in pump.got[seen:]] == [command["id"]]
    assert state(house, command)["state"] in ("sent", "unknown")
    pump.paho.manual_ack_set(False)


def test_kill_9_in_the_middle_never_sends_twice(house):
    print(f"KILL_SEED={KILL_SEED}")
    chance = random.Random(KILL_SEED)
    pump = Pump(house, "p1")
    wanted = {}
    for _ in range(KILL_COMMANDS):
        key = uuid.uuid4().hex
        try:
            command = wish(house, "nurse", key=key, expect=(200, 201))
            wanted[key] = command["id"]
        except requests.RequestException:
            wanted[key] = None
        time.sleep(chance.choice((0, 0, 0.002, 0.005, 0.01, 0.03)))
        house.kill()
        house.start()
        house.people.clear()
        # Whoever got no answer asks again under the same key.
        command = wish(house, "nurse", key=key, expect=(200, 201))
        assert wanted[key] in (None, command["id"])
        wanted[key] = command["id"]
        wait_for(lambda: pump.ready and pump.paho.is_connected(), "the pump to be back")
    ended = {key: until(house, {"id": one, "command": "identify"}, "done", "unknown", "expired", "failed", limit_s=120)
             for key, one in wanted.items()}
    got = [told["id"] for told in pump.got]
    assert len(got) == len(set(got)), "no command came twice"
    assert set(got) <= set(wanted.values())
    for one in ended.values():
        if one["state"] in ("expired",):
            assert one["id"] not in got
        if one["state"] == "done":
            assert one["id"] in got
        wait_for(lambda: f"command-{one['state']}" in deeds(house, one) or None, f"the audit log of {one['id']}")
    print({state: sum(one["state"] == state for one in ended.values()) for state in ("done", "unknown", "expired", "failed")})
    pump.stop()
    house.stop()
    house.run("audit", "verify")
    house.start()
    house.people.clear()
