"""What alarms cost: a device that chatters and a flood are named, verdicts are kept and counted, and who may not see it is refused."""

import csv
import io
import json
import time

import pytest
import requests

from support.bedside import WELL, Monitor, admit
from support.server import Server, wait_for

SPO2, HR = "MDC_PULS_OXIM_SAT_O2", "MDC_ECG_HEART_RATE"
PASSWORD = "correct horse battery 9"
# Each side of a limit makes an alert of its own, at once: what no ward should do.
POLICY = f"""
name = "Nervous"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{{ role = "nurse", after_s = 0 }}]
[[limit]]
metric = "{SPO2}"
low = 88
group = "saturation"
[[limit]]
metric = "{HR}"
high = 120
group = "rate"
"""
# Near their limits, so that no value is a jump, which would raise nothing.
QUIET = {**WELL, SPO2: 91, HR: 105}
BAD = {SPO2: 86, HR: 125}


def alerts(server, state="all"):
    return server.get(f"/api/v1/alerts?state={state}&limit=1000")["alerts"]


def on_patient(server, name):
    devices = server.get("/api/v1/devices")["devices"]
    return any(one["id"] == name and one["patient"] for one in devices)


def swing(server, monitor, metric, times):
    """Lets a value go beyond its limit and come back, so often."""
    of = {SPO2: "Oxygen saturation", HR: "Heart rate"}[metric]
    for _ in range(times):
        before = sum(a["title"].startswith(of) for a in alerts(server))

        def beyond():
            monitor.say({**QUIET, metric: BAD[metric]})
            return sum(a["title"].startswith(of) for a in alerts(server)) > before

        def back():
            monitor.say(QUIET)
            return not [a for a in alerts(server, "open") if a["title"].startswith(of)]

        wait_for(beyond, "an alert", every_s=0.3)
        wait_for(back, "its end", every_s=0.3)


@pytest.fixture(scope="module")
def ward(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("burden") / "data").start()
    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    monitors = []
    for bed in ("1", "2"):
        patient, place = admit(server, f"B{bed}", bed, unit="ICU")
        monitor = Monitor(server, f"mon-{bed}")
        monitor.say(QUIET)
        server.post(f"/api/v1/devices/mon-{bed}/mount", {"location": place}, expect=204)
        wait_for(lambda b=bed: on_patient(server, f"mon-{b}"), "the device to be on its patient")
        monitors.append(monitor)
    swing(server, monitors[0], SPO2, 8)
    swing(server, monitors[1], HR, 4)
    yield server
    server.stop()


def test_a_chattering_device_and_a_flood_are_named(ward):
    figures = ward.get("/api/v1/burden")["now"]["figures"]
    assert figures["alerts"] == 12 and figures["medium"] == 12
    assert figures["bed_days"] > 0 and figures["per_bed_day"] > 0
    assert figures["devices"]["rows"][0]["name"] == "mon-1" and figures["devices"]["rows"][0]["alerts"] == 8
    assert figures["beds"]["rows"][0]["unit"] == "ICU" and figures["beds"]["rows"][0]["alerts"] == 8
    assert figures["units"]["rows"][0]["name"] == "ICU"
    worst = figures["chatter"][0]
    assert worst["device"] == "mon-1" and worst["rule"] == "Oxygen saturation low" and worst["alerts"] == 8, worst
    flood = [flood for flood in figures["floods"] if not flood["bed"]]
    assert len(flood) == 1 and flood[0]["unit"] == "ICU" and flood[0]["most"] >= 10, figures["floods"]
    assert sum(map(sum, figures["hours"])) == 12
    limit = figures["limits"][0]
    assert (limit["metric"], limit["mark"], limit["below"], limit["alerts"]) == ("Oxygen saturation", 88, True, 8)
    assert limit["steps"][0] == {"mark": 86, "spared": 8, "spared_actionable": 0}
    # The time before had nothing, and another unit has nothing now.
    assert ward.get("/api/v1/burden")["before"]["figures"]["alerts"] == 0
    assert ward.get("/api/v1/burden?unit=Elsewhere")["now"]["figures"]["alerts"] == 0
    ward.get("/api/v1/burden?from_ms=2&to_ms=1", expect=400)
    ward.get("/api/v1/burden?from_ms=0", expect=400)


def test_the_table_holds_the_same(ward):
    text = ward.get("/api/v1/burden/export")
    rows = list(csv.DictReader(io.StringIO(text)))
    told = {(row["section"], row["name"], row["figure"]): row["value"] for row in rows}
    assert told["all", "", "alerts"] == "12"
    assert told["device", "mon-1", "alerts"] == "8"


def test_a_verdict_is_kept_in_the_history_and_counted(ward):
    over = [a["episode"] for a in alerts(ward, "resolved")]
    say = lambda episode, verdict, **more: ward.post(f"/api/v1/alerts/{episode}/judge", {"verdict": verdict, "reason": ""}, **more)
    say(over[0], "artefact")
    say(over[0], "not-actionable")
    say(over[1], "actionable")
    say(over[2], "perhaps", expect=400)
    ward.post(f"/api/v1/alerts/{over[2]}/judge", {"reason": ""}, expect=400)
    ward.post("/api/v1/alerts/e99999999-0/judge", {"verdict": "artefact", "reason": ""}, expect=404)
    history = [(e["kind"], e.get("verdict")) for e in ward.get(f"/api/v1/alerts/{over[0]}")["events"]]
    assert history[-2:] == [("judged", "artefact"), ("judged", "not-actionable")]
    judged = ward.get("/api/v1/burden")["now"]["figures"]["judged"]
    assert judged["actionable"]["of"] == 1 and judged["actionable"]["all"] == 2, judged
    assert judged["actionable"]["share"] is None, "two are too few to tell"
    assert judged["not_actionable"] == 1 and judged["artefact"] == 0, "the last word counts"


def test_scores_say_how_often_they_were_right_or_that_there_are_too_few(ward):
    told = ward.get("/api/v1/burden/scores")
    assert told["horizon_h"] == 24 and {one["score"] for one in told["scores"]} >= {"NEWS2", "MEWS", "qSOFA", "SIRS", "SI", "PEWS"}
    assert all(one["right"]["followed"]["share"] is None for one in told["scores"])


def test_a_report_of_the_week_that_ended_is_made_and_kept(ward):
    reports = wait_for(lambda: ward.get("/api/v1/burden/reports"), "the report of last week")
    report = ward.get(f"/api/v1/burden/reports/{reports[0]['name']}")
    assert report["to_ms"] - report["from_ms"] == 7 * 86_400_000
    assert report["figures"]["alerts"] == 0 and report["to_ms"] <= time.time() * 1_000
    ward.get("/api/v1/burden/reports/1999-W01", expect=404)


def test_the_command_reckons_up_a_data_folder_and_the_journal_tells_the_same(ward):
    before = ward.get("/api/v1/burden")["now"]["figures"]
    ward.stop()
    try:
        report = json.loads(ward.run("report", "burden", "--json"))
        assert report["figures"]["alerts"] == before["alerts"] == 12
        assert report["figures"]["judged"] == before["judged"]
        text = ward.run("report", "burden", "--unit", "ICU")
        assert "12 alerts" in text and "mon-1" in text and "too few to tell" in text
        # Verdicts are in the journal: taken in again, it gives the same histories.
        summary = json.loads(ward.run("audit", "rebuild", "--json").splitlines()[-1])
        assert summary["store"].startswith("equal"), summary
    finally:
        ward.start()


def test_who_may_not_see_it_is_refused(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("locked") / "data", open=False)
    server.environment["VITALWIRE_PASSWORD"] = PASSWORD
    may = {"charge-nurse", "physician", "engineer", "operations", "administrator"}
    roles = may | {"nurse", "security-officer", "researcher"}
    for role in roles:
        server.run("user", "add", role, "--role", role)
    server.start()
    try:
        for role in sorted(roles):
            session = requests.Session()
            session.trust_env = False
            entered = session.post(f"{server.url}/api/v1/login", json={"name": role, "password": PASSWORD}, timeout=60)
            assert entered.status_code == 200, entered.text
            for path in ("/burden", "/burden/export", "/burden/reports"):
                status = session.get(f"{server.url}/api/v1{path}", timeout=60).status_code
                assert status == (200 if role in may else 403), (role, path, status)
        assert requests.get(f"{server.url}/api/v1/burden", timeout=60).status_code == 401
    finally:
        server.stop()
