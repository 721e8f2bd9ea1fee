"""ATNA over TLS syslog (RFC 5425) against a real server: rsyslog, which asks for our certificate and
names, is away for a while, and gets every record; servers under another name get none."""

import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from support.server import wait_for
from test_audit import guard, record_number, records
from test_encrypted import certificate, openssl

RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/sbin:/usr/bin")
GTLS = list(pathlib.Path("/usr/lib").glob("**/rsyslog/lmnsd_gtls.so"))
pytestmark = pytest.mark.skipif(not (RSYSLOGD and GTLS and shutil.which("openssl")),
                                reason="needs rsyslog, rsyslog-gnutls and openssl (tests/setup.sh)")

CONFIGURATION = """
global(
    workDirectory="{folder}"
    maxMessageSize="256k"
    defaultNetstreamDriver="gtls"
    defaultNetstreamDriverCAFile="{folder}/ca.pem"
    defaultNetstreamDriverCertFile="{folder}/siem.pem"
    defaultNetstreamDriverKeyFile="{folder}/siem.key"
)
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/name"
       permittedPeer="vitalwire.example")
template(name="whole" type="list") {{ property(name="rawmsg") constant(value="\\n") }}
input(type="imtcp" port="{port}" address="127.0.0.1")
*.* action(type="omfile" file="{folder}/received" template="whole")
"""


class Siem:
    """rsyslogd on a port of its own."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.file = folder / "rsyslog.conf"
        self.file.write_text(CONFIGURATION.format(folder=folder, port=port))
        self.process = None

    def start(self):
        log = (self.folder / "rsyslog.log").open("ab")
        self.process = subprocess.Popen([RSYSLOGD, "-n", "-f", str(self.file), "-i", str(self.folder / "rsyslog.pid")],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.listens, "rsyslog to listen")

    def listens(self):
        assert self.process.poll() is None, (self.folder / "rsyslog.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=60)
            self.process = None

    def numbers(self):
        """Numbers of the records received, each message taken apart by RFC 5424 and DICOM; a line is a message."""
        received = self.folder / "received"
        if not received.exists():
            return []
        lines = [line for line in received.read_bytes().splitlines() if b"DICOM+RFC3881" in line]
        return [record_number(line) for line in lines]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def siem(tmp_path):
    openssl(tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-days", "30", "-subj", "/CN=A hospital")
    certificate(tmp_path, "siem", "IP:127.0.0.1,DNS:siem.example")
    certificate(tmp_path, "own", "DNS:vitalwire.example")
    certificate(tmp_path, "stranger", "DNS:stranger.example")
    server = Siem(tmp_path, free_port())
    yield server
    server.stop()


def test_a_real_syslog_server_gets_every_record_and_others_none(make_server, siem):
    folder = siem.folder

    def repository(name, host, own):
        return (f'{{name = "{name}", address = "{host}:{siem.port}", authority = "{folder}/ca.pem"'
                + (f', certificate = "{folder}/{own}.pem", key = "{folder}/{own}.key"' if own else "") + "}")

    config = folder / "vitalwire.toml"
    config.write_text("[audit]\nrepository = [\n    " + ",\n    ".join([
        repository("siem", "127.0.0.1", "own"),
        repository("other-name", "localhost", "own"),  # the certificate does not name localhost
        repository("bare", "127.0.0.1", None),
        repository("stranger", "127.0.0.1", "stranger"),
    ]) + "]\n")
    siem.start()
    server = make_server(config=config).start()
    for _ in range(50):
        server.get("/api/v1/ward")
    last = len(records(server))
    wait_for(lambda: last in siem.numbers(), "the first records at rsyslog")
    first = siem.numbers()
    assert sorted(set(first)) == list(range(1, max(first) + 1)), "every record, framed as RFC 5425 says"
    assert len(first) == len(set(first)), "and once, while nothing broke"

    # It goes away, records wait and are told of, and come when it is back.
    siem.stop()
    for _ in range(50):
        server.get("/api/v1/devices")
    wait_for(lambda: server.metric("vitalwire_atna_waiting", repository="siem") > 0, "records that wait are told")
    wait_for(lambda: "audit records wait" in server.log() and re.search(r"repository=\"?siem", server.log()),
             "the log says that they wait")
    last = len(records(server))
    assert last not in siem.numbers()
    siem.start()
    wait_for(lambda: last in siem.numbers(), "what was missed")
    assert set(range(1, last + 1)) <= set(siem.numbers()), "none is left out"
    position = guard(server) / "atna-siem.position"
    wait_for(lambda: position.exists() and int(position.read_text()) >= last, "what surely arrived is noted")

    # Whoever is not who they say, or is not let in, has nothing and is told of.
    for name in ("other-name", "bare", "stranger"):
        wait_for(lambda: server.metric("vitalwire_atna_failures_total", repository=name) > 0, f"failures of {name}")
        noted = guard(server) / f"atna-{name}.position"
        assert not noted.exists() or int(noted.read_text()) == 0, f"{name}: nothing counts as arrived"
    log = server.log()
    assert re.search(r"repository=\"?other-name.*|audit records wait.*certificate", log)
    server.stop()
