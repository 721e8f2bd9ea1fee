"""Reading other Nightscout sites (docs/interfaces/nightscout.md): each document once and in spite of kills, cuts and passes that
run out, by versions 1 and 3; a site written from Nightscout's documents, and a server of our own."""

import hashlib
import time

import pytest
import requests

from support.nightscout_site import SECRET, TOKEN, Site, iso
from support.server import Server, wait_for

MINUTE = 60_000


def entry(ms, glucose):
    return {"type": "sgv", "date": ms, "dateString": iso(ms), "sgv": glucose, "direction": "Flat", "device": "elsewhere"}


def values(server, device, code="99504-3"):
    page = server.get(f"/fhir/Observation?device=Device/{device}&code={code}&_count=1000")
    return sorted((o["effectiveDateTime"], o["valueQuantity"]["value"]) for o in (e["resource"] for e in page.get("entry", [])))


def line(server, device):
    found = [d for d in server.get("/api/v1/devices")["devices"] if d["id"] == device]
    return found[0] if found else {}


@pytest.fixture()
def reading(tmp_path):
    """Makes servers that read a site for the registered device cgm-1."""
    servers, made = [], {}

    def make(site_url, by, device="cgm-1"):
        secret = tmp_path / "credential"
        secret.write_text({"token": TOKEN, "secret": SECRET}.get(by, by) + "\n")
        key = "token_file" if by == "token" else "secret_file"
        config = tmp_path / "config.toml"
        config.write_text(f"""
[[collect.nightscout]]
name = "elsewhere"
url = "{site_url}"
device = "{device}"
{key} = "{secret}"
every_s = 5
back_days = 3
""")
        server = Server(tmp_path / "reader" / "data", open=False, config=config)
        server.data.mkdir(parents=True)
        token = server.run("user", "token", "ehr", "--role", "administrator").split()[0]
        server.session.headers["Authorization"] = f"Bearer {token}"
        if "device" not in made:
            server.run("device", "add", "cgm-1")
        servers.append(server)
        return server.start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture(params=["token-3", "token-1", "secret-1"])
def site(request):
    site = Site(third=request.param == "token-3")
    site.by = request.param.split("-")[0]
    site.version = request.param[-1]
    yield site
    site.stop()


def test_each_document_once_whatever_happens(site, reading):
    now = int(time.time() * 1000)
    series = [(now - (600 - 5 * at) * MINUTE, 80 + at) for at in range(120)]
    site.add("entries", *(entry(ms, glucose) for ms, glucose in series[:100]))
    site.add("treatments", {"eventType": "Meal Bolus", "created_at": iso(now - 30 * MINUTE), "date": now - 30 * MINUTE, "insulin": 2.5, "carbs": 30})
    site.add("devicestatus", {"created_at": iso(now - 20 * MINUTE), "date": now - 20 * MINUTE, "uploader": {"battery": 81}})
    server = reading(site.url, site.by)
    wait_for(lambda: len(values(server, "cgm-1")) == 100, "the first hundred")
    assert bool(site.asked("/api/v3/entries/history/")) == (site.version == "3")
    server.kill()
    site.add("entries", *(entry(ms, glucose) for ms, glucose in series[100:110]))
    # The same as before under another id, and one that came late: measured before all that was read.
    site.add("entries", entry(*series[50]), entry(now - 620 * MINUTE, 77))
    server.start()
    site.revoke()
    site.add("entries", *(entry(ms, glucose) for ms, glucose in series[110:]))
    stored = wait_for(lambda: (lambda found: len(found) >= 121 and found)(values(server, "cgm-1")), "all of them")
    assert [glucose for _, glucose in stored] == [77, *(glucose for _, glucose in series)], "each once, in their order"
    metrics = server.session.get(f"{server.url}/metrics", timeout=60).text
    assert 'collector="nightscout"' in metrics and 'outcome="read"' in metrics


def test_a_site_that_is_lost_is_told_and_comes_back(reading):
    site = Site()
    try:
        now = int(time.time() * 1000)
        site.add("entries", entry(now - 5 * MINUTE, 100))
        server = reading(site.url, "token")
        wait_for(lambda: len(values(server, "cgm-1")) == 1, "the value")
        wait_for(lambda: line(server, "cgm-1").get("link") == "online", "the site to be there")
        site.broken = 503
        wait_for(lambda: line(server, "cgm-1").get("link") == "lost", "the site to be lost", 180)
        site.broken = None
        site.add("entries", entry(now, 101))
        wait_for(lambda: len(values(server, "cgm-1")) == 2, "the value of afterwards", 180)
        wait_for(lambda: line(server, "cgm-1").get("link") == "online", "the site to be back")
        # A device that is taken out of service is read for no more.
        server.run("device", "suspend", "cgm-1", "--why", "a test")
        before = len(site.asked("history"))
        wait_for(lambda: 'outcome="device"' in server.session.get(f"{server.url}/metrics", timeout=60).text, "it to be noticed", 120)
        site.add("entries", entry(now + MINUTE, 102))
        assert len(values(server, "cgm-1")) == 2, before
    finally:
        site.stop()


@pytest.mark.parametrize("third", [True, False])
def test_more_than_one_answer_holds(reading, third):
    """Version 3 in pages, version 1 in pieces of time that shrink: three thousand values, several in a minute."""
    site = Site(third=third)
    try:
        begin = int(time.time() * 1000) - 40 * 60 * MINUTE
        site.add("entries", *(entry(begin + at * 40_000, 60 + at % 200) for at in range(3000)))
        server = reading(site.url, "token" if third else "secret")

        def metrics():
            return server.session.get(f"{server.url}/metrics", timeout=60).text

        wait_for(lambda: 'collector="nightscout",outcome="taken"} 3000' in metrics(), "three thousand", 300)
        assert 'outcome="again"' not in metrics(), "nothing is read twice within a round"
    finally:
        site.stop()


def test_ours_reads_ours(reading, tmp_path):
    ours = Server(tmp_path / "ours" / "data", open=False)
    ours.data.mkdir(parents=True)
    password = ours.run("device", "add", "cgm-9").split()[-1]
    ours.start()
    try:
        app = requests.Session()
        app.trust_env = False
        app.headers["api-secret"] = hashlib.sha1(password.encode()).hexdigest()
        now = int(time.time() * 1000)
        series = [entry(now - (60 - 5 * at) * MINUTE, 100 + at) for at in range(12)]
        answer = app.post(f"{ours.url}/api/v1/entries", json=series, timeout=60)
        assert answer.status_code == 200, answer.text
        server = reading(ours.url, password)
        found = wait_for(lambda: (lambda v: len(v) == 12 and v)(values(server, "cgm-1")), "what ours has")
        assert [glucose for _, glucose in found] == [100 + at for at in range(12)]
    finally:
        ours.stop()
