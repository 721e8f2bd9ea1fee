"""The worklist and care pathways over the real protocols: a patient whose charted values go downhill is on top with a reason before any
alert; advice is declined and followed, survives kill -9, and is in the audit log; wrong roles are refused."""

import datetime
import time

import requests

from support.bedside import WELL, Monitor, admit
from support.server import Server, wait_for

PASSWORD = "correct horse battery 9"
RESP, HEART = "9279-1", "8867-4"
POLICY = """
name = "Watchful"
[[chain]]
name = "ward"
repeat_s = 3600
step = [{ role = "nurse", after_s = 0 }]
[[pathway]]
id = "fast-pulse"
title = "Fast pulse"
source = "a test"
when = "HR > 120"
worsen_by = 30
step = [
  { id = "ecg", title = "Record an ECG", within_min = 10 },
  { id = "fluid", title = "Give fluid", within_min = 60 },
]
"""


def chart(server, patient, code, value, hours_ago):
    """Charts a value of some hours ago."""
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=hours_ago)
    server.post("/fhir/Observation", {
        "resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "effectiveDateTime": then.isoformat(timespec="seconds"),
        "valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}}, expect=201)


def lines(server):
    return server.get("/api/v1/worklist")["lines"]


def line(server, patient):
    return next((one for one in lines(server) if one["patient"]["id"] == patient), None)


def test_who_goes_downhill_is_on_top_before_any_alert(make_server):
    server = make_server().start()
    people = [admit(server, f"W{bed}", str(bed))[0] for bed in range(1, 5)]
    for at, patient in enumerate(people):
        for quarter in range(16, 0, -1):
            rising = (16 - quarter) * 0.5 if at == 2 else 0.0
            chart(server, patient, RESP, round(14 + rising, 1), quarter / 4)
    # Judged again, and weighed, within a minute.
    top = wait_for(lambda: next((one for one in lines(server)[:1] if any("respiratory rate rising" in r["text"] for r in one["reasons"])), None),
                   "a trend among the reasons", limit_s=150, every_s=1)
    assert top["patient"]["id"] == people[2], [(one["patient"]["mrn"], one["points"], one["reasons"]) for one in lines(server)]
    trend = next(r for r in top["reasons"] if r["kind"] == "trend")
    assert trend["text"].startswith("respiratory rate rising 14→2") and trend["text"].endswith(" over 4 h"), trend
    assert server.get("/api/v1/alerts?state=all")["alerts"] == [], "before any alert"
    assert top["seen"]["how"] == "charted"
    points = [one["points"] for one in lines(server)]
    assert points == sorted(points, reverse=True)
    # Somebody looked: the line says so.
    server.post(f"/api/v1/patients/{people[2]}/seen", {"how": "bedside"}, expect=204)
    assert line(server, people[2])["seen"]["how"] == "bedside"
    server.post(f"/api/v1/patients/{people[2]}/seen", {"how": "perhaps"}, expect=400)


def deed(server, patient, verb, expect=200, **said):
    return server.post(f"/api/v1/patients/{patient}/pathways/fast-pulse/{verb}", said, expect=expect)


def test_advice_is_declined_and_followed_and_survives_kill_9(make_server):
    server = make_server().start()
    server.put("/api/v1/policy", {"text": POLICY, "by": ""})
    patient, place = admit(server, "P1", "1")
    monitor = Monitor(server, "mon-1")
    monitor.say(WELL)
    server.post("/api/v1/devices/mon-1/mount", {"location": place}, expect=204)
    assert deed(server, patient, "decline", expect=409, reason="r")
    deed(server, patient, "start", expect=200)
    deed(server, patient, "start", expect=409)
    deed(server, patient, "stop", expect=400)
    deed(server, patient, "stop", reason="a mistake")

    def suggested():
        monitor.say({**WELL, "MDC_ECG_HEART_RATE": 128})
        time.sleep(0.5)
        found = line(server, patient)
        return found and next((p for p in found["pathways"] if p["state"] == "suggested"), None)

    offer = wait_for(suggested, "the pathway to be suggested", limit_s=120)
    assert "HR 128" in offer["because"], offer
    deed(server, patient, "decline", expect=400, reason=" ")
    deed(server, patient, "decline", reason="known, plan is in the notes")
    for _ in range(5):
        monitor.say({**WELL, "MDC_ECG_HEART_RATE": 130})
        time.sleep(0.3)
    assert [p["state"] for p in line(server, patient)["pathways"]] == ["declined"], "quiet until it worsens"
    deed(server, patient, "start", reason="changed my mind")
    deed(server, patient, "done", step="ecg", reason="sinus")
    deed(server, patient, "done", expect=409, step="ecg")
    deed(server, patient, "done", expect=404, step="nothing")
    monitor.drop()
    server.kill()
    server.start()
    found = wait_for(lambda: line(server, patient), "the patient after the crash")
    running = found["pathways"][0]
    assert running["state"] == "running" and [s["state"] for s in running["steps"]] == ["done", "open"]
    deed(server, patient, "decline-step", step="fluid", reason="heart failure")
    over = next(p for p in server.get(f"/api/v1/patients/{patient}/pathways")["pathways"] if p["id"] == offer["id"])
    kinds = [event["kind"] for event in over["events"]]
    assert kinds == ["suggested", "declined", "started", "step-done", "step-declined", "completed"], "each once, through the crash"
    assert over["events"][1]["reason"] == "known, plan is in the notes"
    for name in ("decline-pathway", "start-pathway", "do-pathway-step", "decline-pathway-step"):
        rows = server.get(f"/api/v1/audit?action={name}&limit=5")["rows"]
        assert rows and {row["action"] for row in rows} == {name}, name


def test_wrong_roles_are_refused(tmp_path):
    server = Server(tmp_path / "data", open=False, environment={"VITALWIRE_PASSWORD": PASSWORD})
    for name, role in (("nora", "nurse"), ("eve", "engineer"), ("ada", "administrator")):
        server.run("user", "add", name, "--role", role)
    server.start()
    try:
        def session(name):
            one = requests.Session()
            answer = one.post(server.url + "/api/v1/login", json={"name": name, "password": PASSWORD}, timeout=30)
            assert answer.ok, answer.text
            return one
        nora, eve, ada = session("nora"), session("eve"), session("ada")
        assert nora.get(server.url + "/api/v1/worklist", timeout=30).status_code == 200
        for one in (eve, ada):
            for path in ("/api/v1/patients/p-1/seen", "/api/v1/patients/p-1/pathways/sepsis-hour-1/start"):
                answer = one.post(server.url + path, json={}, headers={"origin": server.url}, timeout=30)
                assert answer.status_code == 403, (path, answer.status_code, answer.text)
        assert requests.get(server.url + "/api/v1/worklist", timeout=30).status_code == 401
    finally:
        server.stop()
