"""DW-1, DW-2: a ward that is not the one a model learned from is told to the model's owner, once, over restarts; somebody looks into it;
whoever does not manage the alert policy is refused."""

import json
import re
import time

import paho.mqtt.client as mqtt
import pytest
import requests

from support.pager import SECRET, Pager
from support.server import Server, wait_for

MODEL = "deterioration-vitals"
PASSWORD = "correct horse battery 9"
PATIENTS, HOURS = 215, 6
# Fewer patients for longer, and less well: horizons pass, and nothing comes of what was foretold.
LONG, LONG_DAYS, STEP_H = 8, 10, 3
QUIET = 'name = "Quiet"\n[[chain]]\nname = "ward"\nrepeat_s = 3600\nstep = [{ role = "nurse", after_s = 0 }]\n'
WELL = {"MDC_ECG_HEART_RATE": 80, "MDC_PULS_OXIM_SAT_O2": 97, "MDC_RESP_RATE": 15, "MDC_TEMP_BODY": 36.8,
        "MDC_PRESS_BLD_NONINV_SYS": 124, "MDC_PRESS_BLD_NONINV_DIA": 74, "MDC_PRESS_BLD_NONINV_MEAN": 90}
ILL = {**WELL, "MDC_ECG_HEART_RATE": 128, "MDC_PULS_OXIM_SAT_O2": 90, "MDC_RESP_RATE": 30, "MDC_TEMP_BODY": 39.1,
       "MDC_PRESS_BLD_NONINV_SYS": 96, "MDC_PRESS_BLD_NONINV_MEAN": 67}


def message(values, at):
    return [{"n": name, "v": value, **({"bt": at} if first == 0 else {})} for first, (name, value) in enumerate(values.items())]


class Player:
    """Plays recordings of any device over one connection, each message acknowledged."""

    def __init__(self, server):
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "player")
        self.client.max_inflight_messages_set(50)
        self.client.connect(*server.mqtt)
        self.client.loop_start()

    def play(self, device, messages):
        sent = [self.client.publish(f"vitalwire/{device}/recording", json.dumps(one), 1) for one in messages]
        for one in sent:
            one.wait_for_publish(60)
            assert one.is_published(), "not acknowledged"

    def stop(self):
        self.client.disconnect()
        self.client.loop_stop()


def beds(server, player, prefix, count, begin):
    """Devices that are on patients since a time; gives their names."""
    devices = [f"{prefix}-{number}" for number in range(count)]
    for device in devices:
        player.play(device, [message({"MDC_ECG_HEART_RATE": 80}, begin - 600)])
    server.post("/api/v1/associations", [
        {"device": device, "identifier": f"urn:watch|{device}", "name": f"Secret, {device}", "birth_date": "1950-01-01",
         "sex": "female", "since_ms": int((begin - 60) * 1000)} for device in devices], expect=204)
    return devices


def watch(server):
    return server.get(f"/api/v1/models/{MODEL}/watch")


def drift(pager):
    return [one for one in pager.told if one["event"] == "model-drift"]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model-watch")
    pager = Pager()
    config = folder / "config.toml"
    config.write_text(f'[models]\nowner = "the committee"\n[[models.model]]\nshipped = "{MODEL}"\nrole = "champion"\nowner = "Ada Test"\n'
                      f'[[webhook]]\nname = "owner"\nurl = "{pager.url}/drift"\nsecret = "{SECRET}"\nroles = ["physician"]\npriority = "high"\n')
    server = Server(folder / "data", config=config).start()
    # Nothing of this ward is an alert: this is about models.
    server.put("/api/v1/policy", {"text": QUIET, "by": ""})
    player = Player(server)
    now = time.time()
    begin = now - HOURS * 3600 - 600
    for device in beds(server, player, "short", PATIENTS, begin):
        player.play(device, [message(WELL, begin + hour * 3600 + 1) for hour in range(HOURS)])
    begin = now - LONG_DAYS * 86_400 - 3600
    for device in beds(server, player, "long", LONG, begin):
        player.play(device, [message(ILL, begin + step * STEP_H * 3600 + 1) for step in range(LONG_DAYS * 24 // STEP_H)])
    player.stop()
    server.pager, server.said = pager, PATIENTS * HOURS + LONG * LONG_DAYS * 24 // STEP_H
    wait_for(lambda: watch(server)["judgements"] >= server.said, "every judgement to be counted", 120)
    yield server
    server.stop()
    pager.stop()


def test_the_owner_is_told_once_also_over_restarts(house):
    wait_for(lambda: watch(house)["outcomes"]["risks"] >= 50, "horizons that have passed to be looked at", 120)
    before = wait_for(lambda: (lambda view: view if {one["matter"] for one in view["matters"]} >= {"inputs", "outcomes"} else None)(watch(house)),
                      "both matters to be seen", 60)
    assert before["outcomes"]["observed"] == 0 and before["outcomes"]["expected"] > 3, before["outcomes"]
    wait_for(lambda: drift(house.pager), "the owner to be told")
    for _ in range(2):
        house.kill()
        house.start()
        # A look comes at the start and each 20 s.
        time.sleep(25)
        view = watch(house)
        assert (view["judgements"], view["outcomes"]) == (before["judgements"], before["outcomes"]), "counted once"
    told = drift(house.pager)
    assert 1 <= len(told) <= 3, told
    numbers = [one["models"][0]["notice"] for one in told]
    assert numbers == sorted(set(numbers)), "no notice twice"
    last = told[-1]
    assert last["owner"] == "Ada Test" and last["models"][0]["model"] == MODEL and last["models"][0]["role"] == "champion"
    assert {one["matter"] for one in last["models"][0]["matters"]} >= {"inputs", "outcomes"}
    assert view["notice"]["number"] == last["models"][0]["notice"]
    assert not re.search(r"Secret|urn:watch|short-|long-|p-[0-9a-f]{16}", json.dumps([told, view])), "no patient is named"


def test_metrics_tell_it_without_patients(house):
    assert house.metric("vitalwire_model_drift_level", model=MODEL, matter="inputs") == 2
    assert house.metric("vitalwire_model_drift_level", model=MODEL, matter="outcomes") >= 1
    assert house.metric("vitalwire_model_drift_level", model=MODEL, matter="abstentions") == 0
    assert house.metric("vitalwire_model_drift_notice_open", model=MODEL) == 1
    assert house.metric("vitalwire_model_drift_judgements", model=MODEL) == house.said
    lines = [line for line in house.get("/metrics").splitlines() if line.startswith("vitalwire_model_drift")]
    assert lines and not any("patient" in line or "short-" in line for line in lines)


def test_models_stand_beside_scores_on_the_same_moments(house):
    told = house.get(f"/api/v1/models/{MODEL}/compare")
    assert told["moments"] == house.said and told["patients"] == PATIENTS + LONG
    model = told["models"][0]
    assert model["model"] == MODEL and model["role"] == "champion" and model["judged"] + model["abstained"] == told["moments"]
    assert 0 < model["mean_risk"] < 1 and model["alerts_per_bed_day"] > 0
    assert told["settled"] >= 50 and told["observed"] == 0 and model["auroc"] is None, "too few events to tell"
    assert model["ratio"]["value"] == 0 and model["curve"]
    news = next(one for one in told["models"] if one["title"] == "NEWS2")
    assert news["role"] == "score" and news["judged"] > 0 and news["expected"] is None
    house.get("/api/v1/models/none/compare", expect=404)
    house.get(f"/api/v1/models/{MODEL}/compare?from_ms=5&to_ms=4", expect=400)


def test_whoever_looked_into_it_is_kept_and_the_watch_begins_anew(house):
    path = f"/api/v1/models/{MODEL}/looked-into"
    for why in ("", "  ", "x" * 501):
        house.post(path, {"why": why}, expect=400)
    house.post(path, {"why": "x", "version": "0.0.1+none"}, expect=404)
    house.post("/api/v1/models/none/looked-into", {"why": "x"}, expect=404)
    told = len(drift(house.pager))
    house.post(path, {"why": "all one age: a test ward"}, expect=204)
    view = watch(house)
    assert view["notice"] is None and view["matters"] == [] and view["judgements"] == 0
    assert view["looks"][0]["why"] == "all one age: a test ward" and view["looks"][0]["by"]
    house.kill()
    house.start()
    time.sleep(25)
    view = watch(house)
    assert (view["judgements"], view["outcomes"]["risks"], view["notice"]) == (0, 0, None), "what was looked into is not counted again"
    assert len(view["looks"]) == 1 and len(drift(house.pager)) == told
    assert house.metric("vitalwire_model_drift_notice_open", model=MODEL) == 0


def test_whoever_does_not_manage_the_policy_is_refused_and_looks_are_audited(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text(f'[[models.model]]\nshipped = "{MODEL}"\nrole = "shadow"\n')
    server = Server(tmp_path / "data", open=False, config=config)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    roles = {"nurse": 403, "charge-nurse": 403, "engineer": 403, "physician": 200, "administrator": 200, "security-officer": 403}
    for role in roles:
        server.run("user", "add", role, "--role", role)
    server.start()
    try:
        people = {}
        for role in roles:
            people[role] = session = requests.Session()
            session.trust_env = False
            entered = session.post(f"{server.url}/api/v1/login", json={"name": role, "password": PASSWORD}, timeout=60)
            assert entered.status_code == 200, entered.text
        for role, expected in roles.items():
            for path in ("models/watch", f"models/{MODEL}/watch", f"models/{MODEL}/compare"):
                assert people[role].get(f"{server.url}/api/v1/{path}", timeout=60).status_code == expected, (role, path)
            looked = people[role].post(f"{server.url}/api/v1/models/{MODEL}/looked-into", json={"why": "the words stay here"}, timeout=60)
            assert looked.status_code == (204 if expected == 200 else 403), (role, looked.text)
        view = people["physician"].get(f"{server.url}/api/v1/models/{MODEL}/watch", timeout=60).json()
        assert [look["by"] for look in view["looks"]] == ["administrator", "physician"] and view["role"] == "shadow"
        audit = people["security-officer"].get(f"{server.url}/api/v1/audit?action=look-into-model", timeout=60)
        assert audit.status_code == 200, audit.text
        assert "physician" in audit.text and MODEL in audit.text and "the words stay here" not in audit.text
        for path in ("/api/v1/models/watch", f"/api/v1/models/{MODEL}/watch", f"/api/v1/models/{MODEL}/compare"):
            assert requests.get(server.url + path, timeout=60).status_code == 401, path
    finally:
        server.stop()
