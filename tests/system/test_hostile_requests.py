"""SE-1 against crafted requests: smuggling, paths that climb, injected SQL, JSON and HL7, too many fields, guesses by time."""

import json
import socket
import statistics
import time

import pytest
import requests
from support.bedside import admit, hl7
from support.server import wait_for

PASSWORD = "correct horse battery 9"


@pytest.fixture(scope="module")
def locked(tmp_path_factory):
    from support.server import Server

    server = Server(tmp_path_factory.mktemp("hostile") / "data", open=False)
    for name, role in (("nurse", "nurse"), ("adm", "administrator")):
        server.environment["VITALWIRE_PASSWORD"] = PASSWORD
        server.run("user", "add", name, "--role", role)
    del server.environment["VITALWIRE_PASSWORD"]
    server.tokens = {role: server.run("user", "token", f"t-{role}", "--role", role).split()[0]
                     for role in ("nurse", "administrator", "service", "engineer")}
    server.start()
    yield server
    server.stop()


def ask(server, method, path, token="administrator", **options):
    headers = {"Authorization": f"Bearer {server.tokens[token]}", **options.pop("headers", {})}
    # The path goes out as it stands: the library would tidy it.
    request = requests.Request(method, server.url, headers=headers, **options).prepare()
    request.url = server.url + path
    with requests.Session() as session:
        session.trust_env = False
        return session.send(request, timeout=60, allow_redirects=False)


# -- one request is one request -------------------------------------------------------------------

NEXT = b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
AMBIGUOUS = {
    "length and chunks": (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "chunks and length": (b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n"),
    "two lengths": (b"Content-Length: 0\r\nContent-Length: 5\r\n", b""),
    "a list of lengths": (b"Content-Length: 0, 5\r\n", b""),
    "an unknown coding": (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "chunked not last": (b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "two codings": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "a space before the colon": (b"Content-Length : 5\r\n", b""),
    "a folded line": (b"X: a\r\n Content-Length: 5\r\n", b""),
    "a signed length": (b"Content-Length: +5\r\n", b""),
    "a line feed in a chunk extension": (b"Transfer-Encoding: chunked\r\n", b"0;\n\r\n\r\n"),
    "a negative chunk": (b"Transfer-Encoding: chunked\r\n", b"-0\r\n\r\n"),
    "a chunk in C's hexadecimal": (b"Transfer-Encoding: chunked\r\n", b"0x0\r\n\r\n"),
    "a zero byte": (b"X: a\0b\r\n", b""),
    "two hosts": (b"Host: other\r\n", b""),
}


def exchange(server, raw):
    """Sends bytes; gives the status lines until the server closes, or None if it does not."""
    with socket.create_connection(server.http, timeout=30) as connection:
        connection.sendall(raw)
        answer = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                return [int(line[9:12]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
            answer += piece


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_no_request_hides_in_another(locked, name):
    fields, body = AMBIGUOUS[name]
    raw = b"POST /api/v1/logout HTTP/1.1\r\nHost: h\r\n" + fields + b"\r\n" + body
    statuses = exchange(locked, raw + NEXT)
    if name == "two hosts":
        assert statuses[0] == 400
    else:
        # Answered once and closed: what follows is never taken for a request.
        assert len(statuses) == 1 and statuses[0] in (204, 400), statuses


def test_http_1_1_names_its_host(locked):
    assert exchange(locked, b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n") == [400]


# -- paths ----------------------------------------------------------------------------------------

CLIMBS = ["/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/....//....//etc/passwd",
          "/assets/../../guard/guard.db", "/assets/%2e%2e%2f%2e%2e%2fguard%2fguard.db", "/..\\..\\etc\\passwd",
          "/%5c..%5c..%5cetc%5cpasswd", "/%00/etc/passwd", "//etc/passwd", "/api/v1/profiles/../../guard/guard.db",
          "/api/v1/profiles/..%2f..%2fguard%2faudit.log", "/fhir/../api/v1/ward", "/api/v1/../../fhir/Patient"]


@pytest.mark.parametrize("path", CLIMBS)
def test_paths_do_not_climb(locked, path):
    for method in ("GET", "PUT"):
        answer = ask(locked, method, path, token="engineer", data="x" if method == "PUT" else None)
        assert answer.status_code < 500, f"{method} {path}: {answer.status_code}"
        for secret in ("root:", "SQLite format", '"hash":"'):
            assert secret not in answer.text, f"{method} {path}"
    assert not list(locked.data.parent.rglob("passwd"))


def test_a_profile_is_not_written_outside_its_folder(locked):
    for name in ("../evil", "..%2fevil", "a/../../evil", "/evil", "a/..%2f..%2f..%2fevil", "evil%00"):
        answer = ask(locked, "PUT", f"/api/v1/profiles/{name}", json={"text": "name = 'evil'"})
        assert answer.status_code in (400, 404, 405, 409, 422), f"{name}: {answer.status_code}"
    assert not [p for p in locked.data.parent.rglob("*evil*")]


# -- injection ------------------------------------------------------------------------------------

SQL = ["' OR '1'='1", "1; DROP TABLE account; --", "\" OR \"\"=\"", "1' UNION SELECT name,secret,1,1 FROM account --", "%' --"]


@pytest.mark.parametrize("text", SQL)
def test_sql_is_text(locked, text):
    before = ask(locked, "GET", "/fhir/Patient?_summary=count").json().get("total")
    for path, parameter in (("/fhir/Patient", "name"), ("/fhir/Patient", "identifier"), ("/fhir/Observation", "code"),
                            ("/api/v1/patients", "q"), ("/api/v1/alerts", "state"), ("/api/v1/quarantine", "status")):
        query = requests.models.RequestEncodingMixin._encode_params({parameter: text})
        answer = ask(locked, "GET", f"{path}?{query}")
        assert answer.status_code < 500, f"{path}: {answer.status_code} {answer.text[:200]}"
        assert "argon2" not in answer.text.lower() and "syntax error" not in answer.text.lower()
    login = requests.post(f"{locked.url}/api/v1/login", json={"name": text, "password": text}, timeout=60)
    assert login.status_code in (401, 429)
    assert ask(locked, "GET", "/fhir/Patient?_summary=count").json().get("total") == before


JSON = ['{"name":"nurse","name":"adm","password":"%s"}' % PASSWORD, '{"__proto__":{"role":"administrator"}}', "[" * 20_000,
        '{"name":{"$ne":null},"password":{"$ne":null}}', '{"name":"adm","password":true}', "1e999999", '"\\ud800"', "\0", "{" + '"a":{' * 5_000]


@pytest.mark.parametrize("number", range(len(JSON)))
def test_json_is_read_strictly(locked, number):
    for path in ("/api/v1/login", "/api/v1/associations", "/fhir/Patient", "/api/v1/profiles/test"):
        answer = ask(locked, "POST", path, data=JSON[number].encode(), headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500, f"{path}: {answer.status_code}"
        assert "Set-Cookie" not in answer.headers


def test_more_fields_than_asked_for_change_nothing(locked):
    """Mass assignment: nobody becomes more by saying so."""
    for body in ({"name": "nurse", "password": PASSWORD, "role": "administrator"},
                 {"name": "nurse", "password": PASSWORD, "account": {"role": "administrator"}}):
        with requests.Session() as session:
            answer = session.post(f"{locked.url}/api/v1/login", json=body, timeout=60)
            if answer.status_code == 200:
                me = session.get(f"{locked.url}/api/v1/session", timeout=60).json()
                assert me["role"] == "nurse", me


def test_hl7_separators_in_a_field_stay_in_it(server):
    """A name with a carriage return or separators, escaped as HL7 says, makes no segment and no other patient."""
    evil = "Mal\\F\\lory\\X0D\\PID|||999^^^TEST^MR||Injected"
    patient, _ = admit(server, "100", "1")
    code = hl7(server, "MSH|^~\\&|A|T|||20260101000000+0000||ADT^A08^ADT_A01|x1|P|2.5\nEVN||20260101000000+0000\n"
                       f"PID|||100^^^TEST^MR||{evil}^Pat||19500101|F\nPV1||I|WARD^1^1\n")
    assert code in ("AA", "AE", "AR")
    names = wait_for(lambda: server.get("/api/v1/patients"), "patients")
    assert "999" not in [p.get("mrn") for p in names], names
    assert server.get(f"/api/v1/patients/{patient}")


# -- guesses by time ------------------------------------------------------------------------------

def test_time_tells_no_account(locked):
    """An unknown name takes as long as a wrong password: medians within half of each other."""
    def seconds(name):
        began = time.perf_counter()
        # A name of its own each time: nobody is slowed down by what went before.
        status = requests.post(f"{locked.url}/api/v1/login", json={"name": name, "password": "x" * 20}, timeout=60).status_code
        assert status in (401, 429)
        return time.perf_counter() - began if status == 401 else None

    known, unknown = [], []
    for number in range(3):  # After three failures a name waits.
        known.append(seconds("nurse"))
        unknown.append(seconds(f"nobody-{number}"))
    known, unknown = [statistics.median(t for t in times if t is not None) for times in (known, unknown)]
    assert 0.3 < known / unknown < 3, (known, unknown)


def test_somebody_elses_and_nobodys_look_the_same(locked):
    """A role without right learns nothing from whether a patient exists."""
    body = {"resourceType": "Patient", "id": "p-aaaaaaaaaaaaaaaa", "name": [{"family": "There"}]}
    made = ask(locked, "PUT", "/fhir/Patient/p-aaaaaaaaaaaaaaaa", token="service", data=json.dumps(body),
               headers={"Content-Type": "application/fhir+json"})
    assert made.status_code in (200, 201)
    answers = [ask(locked, "GET", f"/api/v1/patients/{id}", token="engineer")
               for id in ("p-aaaaaaaaaaaaaaaa", "p-bbbbbbbbbbbbbbbb")]
    assert [a.status_code for a in answers] == [403, 403]
    assert answers[0].text == answers[1].text
