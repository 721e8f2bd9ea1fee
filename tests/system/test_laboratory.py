"""The alarm laboratory (issue 6, must show 6): today's policy on the journal raises what the live system raised, alert by
alert; a changed policy does not; and what is wrong is told."""

import json
import subprocess

from support.bedside import WELL, Monitor, admit
from support.server import binary, wait_for

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
