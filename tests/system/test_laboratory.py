"""The alarm laboratory (issue 6, must show 6): today's policy on the journal raises what the live system raised, alert by
alert; a changed policy does not; what is wrong is told. Over HTTP the same figures, beside a ward that goes on; and a version of the
policy takes two people."""

import datetime
import json
import subprocess
import time

import pytest

from support.bedside import WELL, Monitor, admit
from support.commands import PASSWORD, ask
from support.server import Server, binary, wait_for
from support.unsealed import Keyring, backup, database
from test_foresight import ILL_H, WELL_H, publish, values

HR, SPO2 = "MDC_ECG_HEART_RATE", "MDC_PULS_OXIM_SAT_O2"
POLICY = f"""
name = "Test"
# The numbers below are changed in place: this remark stays.
[[chain]]
name = "ward"
repeat_s = 2
step = [{{ role = "nurse", after_s = 0 }}, {{ role = "physician", after_s = 1 }}]
[gap]
after_s = 3
intervals = 4
priority = "low"
[[rule]]
id = "news2"
title = "Early-warning score high"
group = "score"
level = [{{ priority = "high", when = "NEWS2 >= 7" }}, {{ priority = "medium", when = "NEWS2 >= 5" }}]
clear_s = 1
[[limit]]
metric = "{HR}"
high = 120
critical_high = 150
for_s = 0.5
clear_s = 1
worsen_by = 10
group = "limits"
"""
FAST = {HR: 130}
ILL = {HR: 135, SPO2: 86, "MDC_RESP_RATE": 29, "MDC_TEMP_BODY": 39.3}


def alerts(server):
    """What the live system raised, in the laboratory's words."""
    found = server.get("/api/v1/alerts?state=all&limit=1000")["alerts"]
    lines = [(a["episode"], a["patient"]["id"], a["raised_ms"], a["resolved_ms"]) for a in found]
    return sorted(lines, key=lambda line: [int(n) for n in line[0][1:].split("-")])


def simulate(server, *more):
    return json.loads(server.run("policy", "simulate", "--json", *more))


def listed(figures):
    return sorted(((a["id"], a["patient"], a["begin_ms"], a["end_ms"]) for a in figures["list"]),
                  key=lambda line: [int(n) for n in line[0][1:].split("-")])


def said(server, *arguments):
    done = subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=120, env=server.environment)
    return done.returncode, done.stdout + done.stderr


def test_the_present_is_what_was_raised(make_server, tmp_path):
    server = make_server().start()
    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    beds = []
    for number in (1, 2):
        patient, bed = admit(server, f"L{number}", f"L{number}")
        monitor = Monitor(server, f"lab-{number}")
        monitor.say(WELL)
        server.post(f"/api/v1/devices/lab-{number}/mount", {"location": bed}, expect=204)
        beds.append((patient, monitor))

    def open_of(patient, **wanted):
        found = server.get(f"/api/v1/alerts?state=all&patient={patient}")["alerts"]
        return next((a for a in found if all(a[k] == v for k, v in wanted.items())), None)

    def until(number, values, **wanted):
        patient, monitor = beds[number]
        return monitor.keep_saying(values, lambda: open_of(patient, **wanted), f"an alert with {wanted}")

    # One is taken and ends; one escalates; one is snoozed, and lasts across a kill -9; one is a silence.
    raised = until(0, FAST, state="raised")
    server.post(f"/api/v1/alerts/{raised['episode']}/acknowledge", {"reason": "seen"})
    until(0, WELL, episode=raised["episode"], state="resolved")
    ill = until(1, ILL, state="raised", priority="high")
    wait_for(lambda: server.get(f"/api/v1/alerts/{ill['episode']}")["alert"]["level"] > 0, "it to go on to the physician")
    server.post(f"/api/v1/alerts/{ill['episode']}/snooze", {"reason": "on the way", "minutes": 60})
    for _, monitor in beds:
        monitor.drop()
    server.kill()
    server.start()
    for _, monitor in beds:
        monitor.connect()
    until(1, WELL, episode=ill["episode"], state="resolved")
    again = until(1, FAST, state="raised")
    assert again["episode"] != ill["episode"]
    wait_for(lambda: open_of(beds[0][0], device="lab-1", state="raised"), "the silence of the first monitor")

    # While the program runs: what is in the journal by then.
    beside = simulate(server, "--list")["report"]["policies"][0]
    assert {line[0] for line in listed(beside)} >= {raised["episode"], ill["episode"], again["episode"]}
    for _, monitor in beds:
        monitor.stop()
    # When both are silent nothing else can be raised before the end.
    wait_for(lambda: open_of(beds[1][0], device="lab-2", state="raised"), "the silence of the second monitor")
    live = wait_for(lambda: alerts(server), "the alerts")
    server.kill()
    found = simulate(server, "--list", "--set", f"limit.{HR}.high=140", "--event", "fast=HR > 125 for 1 s")["report"]
    present, changed = found["policies"]
    # Alerts that ended between the question and the kill are the only ones that may have changed since.
    ended = {line[0] for line in live if line[3]}
    assert [line[:3] for line in listed(present)] == [line[:3] for line in live]
    assert [line for line in listed(present) if line[0] in ended] == [line for line in live if line[0] in ended]
    assert present["answered"]["observed"] and present["answered"]["taken"] == 2
    assert {line["role"] for line in present["calls"]} == {"nurse", "physician"}
    assert changed["alerts"] < present["alerts"], "who alerts later alerts less"
    assert present["events"][0]["events"] >= 1 and found["patients"] == 2 and found["bed_days"] > 0

    # The policy that was tried can be kept: only the number is another.
    file = tmp_path / "later.toml"
    simulate(server, "--set", f"limit.{HR}.high=140", "--write", str(file))
    assert file.read_text().rstrip() == POLICY.replace("\nhigh = 120", "\nhigh = 140").rstrip()
    # A proposal needs something to be seen: a limit that a pulse of 130 passes sees it, one of 150 does not.
    swept = simulate(server, "--sweep", f"limit.{HR}.high=110..150/20", "--event", "fast=HR > 125 for 1 s", "--budget", "10000000")
    assert len(swept["points"]) == 4, swept
    assert swept["proposed"]["on_frontier"] and swept["proposed"] in swept["points"], swept
    assert simulate(server, "--sweep", f"limit.{HR}.high=110..150/20", "--budget", "0")["proposed"] is None


def test_what_cannot_be_simulated_is_told(make_server, tmp_path):
    server = make_server().start()
    server.kill()
    data = ["--data", str(server.data)]
    code, text = said(server, "policy", "simulate", *data, "--set", "limit.SpO2.lower=80")
    assert code == 2 and "limit.SpO2.low" in text
    code, text = said(server, "policy", "simulate", *data, "--event", "x=Nothing < 3")
    assert code == 2 and "Nothing" in text
    code, text = said(server, "policy", "simulate", *data, "--from", "yesterday")
    assert code == 2 and "--from" in text
    code, text = said(server, "policy", "simulate", "--data", str(tmp_path / "none"))
    assert code == 1 and "no journal" in text
    (tmp_path / "a.toml").write_text(POLICY)
    (tmp_path / "b.toml").write_text(POLICY.replace("NEWS2 >= 5", "NEWS2 >= 6"))
    code, text = said(server, "policy", "diff", str(tmp_path / "a.toml"), str(tmp_path / "b.toml"))
    assert code == 0 and "rule.news2.medium.when" in text and "5 → 6" in text
    code, text = said(server, "policy", "numbers")
    assert code == 0 and "limit.SpO2.low" in text


def ended(house, who, run, limit_s=300):
    """A run when it is over."""
    def over():
        now = ask(house, who, "GET", f"/laboratory/runs/{run['id']}")
        return now if now["state"] != "running" else None
    return wait_for(over, "the run to end", limit_s, 0.2)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A house whose monitor had a fast heart and a well one again; then people sign in."""
    server = Server(tmp_path_factory.mktemp("house") / "data").start()
    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    server.patient, bed = admit(server, "V1", "V1", unit="ICU")
    monitor = Monitor(server, "lab-1")
    monitor.say(WELL)
    server.post("/api/v1/devices/lab-1/mount", {"location": bed}, expect=204)
    found = lambda: server.get("/api/v1/alerts?state=all")["alerts"]
    monitor.keep_saying(FAST, found, "an alert")
    later = time.monotonic() + 2
    monitor.keep_saying(FAST, lambda: time.monotonic() > later, "a fast heart for longer")
    monitor.keep_saying(WELL, lambda: found()[0]["state"] == "resolved", "its end")
    monitor.stop()
    wait_for(lambda: len(found()) > 1, "the silence of the monitor")
    server.stop()
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    for name, role in (("anna", "physician"), ("bert", "physician"), ("nora", "nurse"), ("emil", "engineer")):
        server.run("user", "add", name, "--role", role)
    server.run("user", "add", "walter", "--role", "nurse", "--unit", "Elsewhere")
    server.open, server.people = False, {}
    server.start()
    yield server
    server.stop()


def asked(house, **more):
    there = ask(house, "anna", "GET", "/laboratory")
    return {"to_ms": there["to_ms"], "set": [{"path": f"limit.{HR}.high", "value": 140}],
            "events": [{"name": "fast", "when": "HR > 125", "for_s": 1}], **more}


def test_over_http_a_run_tells_what_the_command_line_tells(house):
    body = asked(house, title="later")
    run = ended(house, "anna", ask(house, "anna", "POST", "/laboratory/runs", body, expect=202))
    assert run["state"] == "done", run
    result = run["result"]
    to = datetime.datetime.fromtimestamp(body["to_ms"] / 1000, datetime.timezone.utc).isoformat().replace("+00:00", "Z")
    own = simulate(house, "--to", to, "--set", f"limit.{HR}.high=140", "--event", "fast=HR > 125 for 1 s")["report"]
    assert {**result["report"], "source": ""} == {**own, "source": ""}
    live = ask(house, "anna", "GET", "/alerts?state=all")["alerts"]
    assert result["report"]["policies"][0]["alerts"] == len([a for a in live if not a["device"]])
    assert result["report"]["differences"][0]["alerts"]["gone_preceding"] == 1

    # Alert by alert: for whoever may see the patient, and no patient for others.
    path = f"/laboratory/runs/{run['id']}/alerts?candidate=1"
    gone, = ask(house, "nora", "GET", path)["gone"]
    assert gone["patient"]["id"] == house.patient and gone["preceded"] and gone["episode"] in {a["episode"] for a in live}
    elsewhere = ask(house, "walter", "GET", path)
    assert elsewhere["gone"] == [] and elsewhere["hidden"] == 1
    ask(house, "emil", "GET", path, expect=403)
    ask(house, "nora", "POST", "/laboratory/runs", body, expect=403)
    assert house.patient not in house.log()


def test_a_version_takes_two_people_and_can_be_checked_anywhere(house, tmp_path):
    run = ended(house, "anna", ask(house, "anna", "POST", "/laboratory/runs", asked(house), expect=202))
    proposal = {"run": run["id"], "candidate": 1, "title": "Fast hearts later", "reason": "called at night for nothing"}
    ask(house, "nora", "POST", "/policy/versions", proposal, expect=403)
    version = ask(house, "anna", "POST", "/policy/versions", proposal, expect=201)["version"]
    base = f"/policy/versions/{version['number']}"
    ask(house, "anna", "POST", f"{base}/approval", {"note": "mine"}, expect=403)
    ask(house, "nora", "POST", f"{base}/approval", {"note": "a nurse's"}, expect=403)
    ask(house, "bert", "POST", f"{base}/in-force", expect=409)
    assert ask(house, "bert", "POST", f"{base}/approval", {"note": "agreed"})["state"] == "approved"

    signed = house.people["anna"].get(f"{house.url}/api/v1{base}/signed", timeout=60)
    assert signed.status_code == 200 and "attachment" in signed.headers["Content-Disposition"]
    (tmp_path / "it").write_text(signed.text)
    (tmp_path / "altered").write_text(signed.text.replace("140", "240"))
    key = ["--key", str(house.data / "guard" / "audit.pub")]
    code, text = said(house, "policy", "verify", str(tmp_path / "it"), *key)
    assert code == 0 and "proposed by anna, approved by bert" in text, text
    code, text = said(house, "policy", "verify", str(tmp_path / "altered"), *key)
    assert code == 1 and "does not hold" in text, text
    assert "approved by bert" in house.run("policy", "versions")

    assert ask(house, "anna", "POST", f"{base}/in-force")["state"] == "in-force"
    in_force = ask(house, "bert", "GET", "/policy")
    assert in_force["text"] == version["policy"] and in_force["by"] == "anna"
    # What was made for the policy of before is not put in its place.
    late = ask(house, "anna", "POST", "/policy/versions", proposal, expect=409)
    assert "run it again" in late["message"]
    house.run("audit", "verify")

    # On the command line one proposes, and decides under one's own name, by the same rules.
    (tmp_path / "other.toml").write_text(POLICY)
    house.run("policy", "propose", str(tmp_path / "other.toml"), "--title", "Back", "--reason", "as it was")
    back = ask(house, "bert", "GET", "/policy/versions")["versions"][0]
    assert back["version"]["title"] == "Back" and back["state"] == "proposed" and back["may"]["approve"]
    number = str(back["version"]["number"])
    code, text = said(house, "policy", "approve", number, "--as", "nora", "--url", house.url)
    assert code == 1 and "right" in text, text
    house.environment["VITALWIRE_PASSWORD"] = "wrong horse battery 9"
    code, text = said(house, "policy", "approve", number, "--as", "bert", "--url", house.url)
    assert code == 1 and "password" in text, text
    house.environment["VITALWIRE_PASSWORD"] = PASSWORD
    code, text = said(house, "policy", "approve", number, "--as", "bert", "--url", house.url, "--note", "as it was")
    assert code == 0 and f"version {number} is approved" in text, text
    code, text = said(house, "policy", "put-in-force", number, "--as", "bert", "--url", house.url)
    assert code == 0 and ask(house, "anna", "GET", "/policy")["text"] == POLICY, text
    code, text = said(house, "policy", "reject", number, "--as", "anna", "--reason", "no", "--url", house.url)
    assert code == 1 and "in-force" in text, text
    signed = house.people["anna"].get(f"{house.url}/api/v1/policy/versions/{number}/signed", timeout=60)
    (tmp_path / "back").write_text(signed.text)
    code, text = said(house, "policy", "verify", str(tmp_path / "back"), *key)
    assert code == 0 and "approved by bert" in text, text


def test_one_person_alone_changes_the_policy_only_in_an_emergency(house, tmp_path):
    before = ask(house, "anna", "GET", "/policy")["text"]
    other = before.replace("high = 120", "high = 125")
    refused = ask(house, "anna", "PUT", "/policy", {"text": other, "by": ""}, expect=403)
    assert "second person" in refused["message"] and "policy propose" in refused["message"], refused
    proposal = {"policy": other, "title": "Later at night", "reason": "nobody sleeps"}
    number = ask(house, "anna", "POST", "/policy/versions", proposal, expect=201)["version"]["number"]
    force = ["policy", "put-in-force", str(number), "--as", "anna", "--url", house.url]
    code, text = said(house, *force)
    assert code == 1 and "not approved" in text, text
    code, text = said(house, *force, "--unreviewed", "forty alarms since midnight")
    assert code == 0 and "unreviewed" in text, text
    assert ask(house, "bert", "GET", "/policy")["text"] == other
    assert "put in force by anna, not reviewed" in house.run("policy", "versions")
    assert "change-alert-policy-unreviewed" in (house.data / "guard" / "audit.log").read_text()
    code, text = said(house, "policy", "approve", str(number), "--as", "anna", "--url", house.url)
    assert code == 1 and "second person" in text, text
    code, text = said(house, "policy", "reject", str(number), "--as", "bert", "--reason", "the probe was off", "--url", house.url)
    assert code == 0, text
    assert ask(house, "bert", "GET", "/policy")["text"] == before, "what was in force before is again"
    house.run("audit", "verify")


LONG = {"title": "long", "sweep": [{"path": f"limit.{HR}.high", "from": 110, "to": 145, "step": 1}]}


def long_run(server):
    """A bed with ten minutes of values, ten a second, and a run over them that takes a while: patient, monitor, the run's path."""
    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    patient, bed = admit(server, "L1", "L1")
    monitor = Monitor(server, "long-1")
    monitor.say(WELL)
    server.post("/api/v1/devices/long-1/mount", {"location": bed}, expect=204)
    begin = time.time() - 1_200
    for part in range(20):
        monitor.send(*[json.dumps([{"n": n, "v": v, **({"bt": round(begin + part * 30 + at / 10, 3)} if n == HR else {})} for n, v in WELL.items()])
                       for at in range(300)])
    return patient, monitor, f"/api/v1/laboratory/runs/{server.post('/api/v1/laboratory/runs', LONG, expect=202)['id']}"


def test_a_run_beside_a_busy_ward_leaves_it_alone_and_can_be_cancelled(make_server):
    server = make_server().start()
    patient, monitor, path = long_run(server)
    assert "one at a time" in server.post("/api/v1/laboratory/runs", LONG, expect=409)["message"]
    slowest, seen = 0.0, []
    for _ in range(10):
        before = time.monotonic()
        monitor.say(WELL)
        slowest = max(slowest, time.monotonic() - before)
        seen.append(server.get(path))
        time.sleep(0.05)
    assert any(one["state"] == "running" for one in seen), seen[-1]
    assert slowest < 5, f"a message waited {slowest:.1f} s for its acknowledgement"
    shares = [one["progress"]["share"] for one in seen]
    assert shares == sorted(shares)
    # An alert goes out all the same.
    monitor.keep_saying(FAST, lambda: [a for a in server.get(f"/api/v1/alerts?patient={patient}")["alerts"] if not a["device"]], "an alert")
    # A fast program may be through by now; then this forgets the run.
    server.call("DELETE", path, expect=204)
    wait_for(lambda: server.get("/api/v1/laboratory")["running"] is None, "the run to stop")

    path = f"/api/v1/laboratory/runs/{server.post('/api/v1/laboratory/runs', LONG, expect=202)['id']}"
    server.call("DELETE", path, expect=204)
    over = wait_for(lambda: (now := server.get(path))["state"] != "running" and now, "the run to stop")
    assert over["state"] == "cancelled" and over["result"] is None, over
    server.call("DELETE", path, expect=204)
    server.get(path, expect=404)
    monitor.stop()


RISK = """
[[rule]]
id = "risk"
title = "Risk of getting worse"
group = "risk"
level = [{ priority = "high", when = "VW_RISK_DETERIORATION_VITALS >= 0.1" }]
"""


def test_rules_that_rest_on_the_models_of_the_house_are_compared(make_server, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[models]\nshipped = "champion"\n')
    server = make_server(config=config).start()
    server.put("/api/v1/policy", {"text": POLICY + RISK, "by": ""})
    patient, _ = admit(server, "R1", "R", unit="ICU")
    begin = time.time() - 3 * 86_400
    publish(server, "player", [[{"n": HR, "v": 75, "bt": begin - 600}]])
    server.post("/api/v1/devices/player/association", {"patient": patient, "since_ms": int((begin - 60) * 1000)}, expect=204)
    steps = range(0, (WELL_H + ILL_H) * 6)
    publish(server, "player", [[{"n": name, "v": round(value, 1), **({"bt": begin + step * 600} if at == 0 else {})}
                                for at, (name, value) in enumerate(values(step / 6).items())] for step in steps])
    raised = lambda: [a for a in server.get("/api/v1/alerts?state=all")["alerts"] if a["condition"] == "risk"]
    wait_for(raised, "an alert of the model")
    found = simulate(server, "--list", "--set", "rule.risk.high.when=0.99")["report"]
    own = [line["id"] for line in found["policies"][0]["list"] if line["cause"] == "rule.risk"]
    assert own == [a["episode"] for a in raised()], "the model said the same again"
    assert not [line for line in found["policies"][1]["list"] if line["cause"] == "rule.risk"]
    run = server.post("/api/v1/laboratory/runs", {"set": [{"path": "rule.risk.high.when", "value": 0.99}]}, expect=202)
    over = wait_for(lambda: (now := server.get(f"/api/v1/laboratory/runs/{run['id']}"))["state"] != "running" and now, "the run", 300)
    assert over["state"] == "done", over
    gone = server.get(f"/api/v1/laboratory/runs/{run['id']}/alerts?candidate=1")["gone"]
    assert {line["episode"] for line in gone if line["cause"] == "rule.risk"} == set(own)


def test_what_runs_found_and_versions_outlive_a_restart_and_a_backup(house, tmp_path):
    run = ended(house, "anna", ask(house, "anna", "POST", "/laboratory/runs", asked(house, title="kept"), expect=202))
    assert run["state"] == "done", run
    path = f"/laboratory/runs/{run['id']}"
    alerts = ask(house, "anna", "GET", f"{path}/alerts?candidate=1")
    assert alerts["gone"], alerts
    house.stop()
    house.people = {}
    house.start()
    assert ask(house, "anna", "GET", path) == run
    assert ask(house, "anna", "GET", f"{path}/alerts?candidate=1") == alerts
    proposal = {"run": run["id"], "candidate": 1, "title": "Quieter nights", "reason": "a word nobody else says: Kolibri"}
    number = ask(house, "anna", "POST", "/policy/versions", proposal, expect=201)["version"]["number"]
    ask(house, "bert", "POST", f"/policy/versions/{number}/approval", {"note": "agreed"})
    for file in (house.data / "alarm-policies").iterdir():
        text = file.read_bytes()
        assert not any(word in text for word in (b"Quieter", b"Kolibri", b"anna", b"limit")), file

    saved, copy = tmp_path / "saved.backup", tmp_path / "keyring.copy"
    house.run("backup", "--to", str(saved), "--keyring-to", str(copy))
    assert b"Kolibri" not in saved.read_bytes()
    versions = ask(house, "bert", "GET", "/policy/versions")
    restored = Server(tmp_path / "restored", open=False)
    restored.people = {}
    restored.run("restore", "--from", str(saved), "--keyring", str(copy), "--master-key", str(house.data / "keys/master.key"))
    assert "Quieter nights" in restored.run("policy", "versions")
    restored.start()
    try:
        assert ask(restored, "bert", "GET", "/policy/versions") == versions
        signed = restored.people["bert"].get(f"{restored.url}/api/v1/policy/versions/{number}/signed", timeout=60)
        (tmp_path / "it").write_text(signed.text)
        code, text = said(restored, "policy", "verify", str(tmp_path / "it"), "--key", str(restored.data / "guard" / "audit.pub"))
        assert code == 0 and "approved by bert" in text, text
        assert ask(restored, "anna", "GET", path) == run
        assert ask(restored, "anna", "GET", f"{path}/alerts?candidate=1") == alerts
        assert ask(restored, "anna", "POST", f"/policy/versions/{number}/in-force")["state"] == "in-force"

        # The journal begins anew: a run says what is there, and takes it in.
        there = ask(restored, "anna", "GET", "/laboratory")
        assert there["from_ms"] > run["result"]["report"]["to_ms"], there
        body = {"set": [{"path": f"limit.{HR}.high", "value": 150}], "from_ms": run["result"]["report"]["from_ms"]}
        cut = ended(restored, "anna", ask(restored, "anna", "POST", "/laboratory/runs", body, expect=202))
        assert cut["state"] == "done", cut
        report = cut["result"]["report"]
        assert report["from_ms"] >= there["from_ms"], report
        assert any("begins at" in text for text in report["assumptions"]), report["assumptions"]
        before = {**body, "to_ms": run["result"]["report"]["to_ms"]}
        nothing = ended(restored, "anna", ask(restored, "anna", "POST", "/laboratory/runs", before, expect=202))
        assert nothing["state"] == "failed" and "it begins at" in nothing["error"], nothing
    finally:
        restored.stop()


def test_a_run_that_a_restart_ended_is_told_and_begun_again(make_server):
    server = make_server().start()
    patient, monitor, path = long_run(server)
    wait_for(lambda: server.get(path)["progress"]["done"] > 0, "the run to be on its way", 60, 0.02)
    assert server.get(path)["state"] == "running"
    monitor.stop()
    server.kill()
    server.start()
    over = server.get(path)
    assert over["state"] == "interrupted" and over["result"] is None and over["asked"]["title"] == "long", over
    assert server.get("/api/v1/laboratory")["running"] is None
    again = server.post("/api/v1/laboratory/runs", over["asked"], expect=202)
    other = f"/api/v1/laboratory/runs/{again['id']}"
    assert other != path and again["asked"]["sweep"] == LONG["sweep"]
    server.call("DELETE", other, expect=204)
    server.call("DELETE", path, expect=204)
    server.get(path, expect=404)


def test_what_a_run_tells_of_a_patient_goes_with_the_patient(make_server, tmp_path):
    copy, saved = tmp_path / "keyring.copy", tmp_path / "saved.backup"
    server = make_server(environment={"VITALWIRE_KEYS_COPY": str(copy)}).start()
    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    patient, bed = admit(server, "E9", "E9")
    monitor = Monitor(server, "erased-1")
    monitor.say(WELL)
    server.post("/api/v1/devices/erased-1/mount", {"location": bed}, expect=204)
    fast = lambda: [a for a in server.get("/api/v1/alerts?state=all")["alerts"] if not a["device"]]
    monitor.keep_saying(FAST, fast, "an alert")
    monitor.stop()
    body = {"set": [{"path": f"limit.{HR}.high", "value": 140}]}
    run = server.post("/api/v1/laboratory/runs", body, expect=202)
    path = f"/api/v1/laboratory/runs/{run['id']}"
    wait_for(lambda: server.get(path)["state"] == "done", "the run to end", 120)
    alerts = lambda: server.get(f"{path}/alerts?candidate=1")
    assert alerts()["gone"][0]["patient"]["id"] == patient
    row = f"{run['id']}/{patient}".encode()

    def kept():
        keyring = Keyring(server.data / "keys/keyring", server.data / "keys/master.key")
        return row in database(server.data / "store.db", keyring.of("store")[0])

    def backed_up():
        return row in backup(saved, Keyring(copy, server.data / "keys/master.key"))[0]

    wait_for(kept, "the run to be kept")
    server.run("backup", "--to", str(saved))
    assert backed_up()
    server.post(f"/api/v1/patients/{patient}/erasure", {"reason": "request 18 of 2026"})
    assert not kept() and not backed_up()
    assert alerts()["gone"] == []
    server.stop()
    server.start()
    assert server.get(path)["result"]["report"]["differences"][0]["alerts"]["gone"] == 1 and alerts()["gone"] == []
