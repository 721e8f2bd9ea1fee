"""SE-1 and SE-2 on the running program: the audit log checked by an independent hand, every answer with
its record across kill -9, witnesses that notice an old log, a repository that misses nothing."""

import json
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

import pathlib

import pytest
import requests

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "independent"))
import rfc6962  # noqa: E402

from support.server import binary, wait_for  # noqa: E402

SEED = 20261121


def guard(server):
    return server.data / "guard"


def audit(server, *arguments, expect=0):
    done = subprocess.run([binary(), "audit", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == expect, f"{arguments}: {done.stdout}{done.stderr}"
    return done.stdout


def records(server):
    return [json.loads(line) for line in rfc6962.lines(guard(server))]


def test_an_independent_check_agrees(make_server):
    server = make_server(environment={"VITALWIRE_AUDIT_ROTATE_BYTES": "20000"}).start()
    for _ in range(150):
        server.get("/api/v1/ward")
    data = ("--data", str(server.data))
    old = wait_for(lambda: audit(server, "head", *data), "a signed head")
    for _ in range(50):
        server.get("/api/v1/alerts")
    server.stop()
    key, note = audit(server, "head", "--key", *data), audit(server, "head", *data)
    leaves = [rfc6962.leaf(line) for line in rfc6962.lines(guard(server))]
    size, root = rfc6962.head(note, key)
    assert size == len(leaves) and root == rfc6962.root(leaves), "all is signed at the end"
    assert len(list(guard(server).glob("audit-*.log"))) >= 2, "the log went on over files"
    for number in (1, 2, size // 2, size):
        proof = json.loads(audit(server, "prove", str(number), *data))
        path = [__import__("base64").b64decode(hash_) for hash_ in proof["path"]]
        assert rfc6962.climb(rfc6962.leaf(proof["record"].encode()), number - 1, size, path) == root
        assert json.loads(proof["record"])["n"] == number
        file = server.data.parent / "proof.json"
        file.write_text(json.dumps(proof))
        audit(server, "verify-proof", str(file), "--key", key.strip())
        file.write_text(json.dumps({**proof, "record": proof["record"].replace("trial", "ghost")}))
        if "trial" in proof["record"]:
            audit(server, "verify-proof", str(file), "--key", key.strip(), expect=1)
    kept = server.data.parent / "old-head"
    kept.write_text(old)
    report = json.loads(audit(server, "verify", "--json", "--head", str(kept), *data))
    assert report["whole"] and report["records"] == size and report["journal_heads"] >= 1
    # Older files go elsewhere, and are read there.
    archive = server.data.parent / "archive"
    audit(server, "archive", "--to", str(archive), *data)
    assert not list(guard(server).glob("audit-*.log"))
    assert "unbroken" in audit(server, "verify", *data)
    assert "unbroken" in audit(server, "verify", "--archive", str(archive), *data)
    # A changed byte is named.
    log = guard(server) / "audit.log"
    text = log.read_bytes()
    log.write_bytes(text.replace(b'"actor":"system"', b'"actor":"ghosts"', 1))
    told = json.loads(audit(server, "verify", "--json", *data, expect=1))
    assert (told["whole"], told["file"]) == (False, "audit.log") and told["record"] > 1


def test_every_answer_has_its_record_after_kill_9(make_server):
    server = make_server()
    chance = random.Random(SEED)
    answered = []
    for _ in range(4):
        server.start()
        stop = threading.Event()

        def read(paths):
            session = requests.Session()
            session.trust_env = False
            for path in paths:
                if stop.is_set():
                    return
                try:
                    answer = session.get(server.url + path, timeout=30)
                except requests.RequestException:
                    return
                if answer.status_code == 200:
                    answered.append(answer.headers["x-request-id"])

        paths = ["/api/v1/ward", "/api/v1/alerts", "/api/v1/patients", "/fhir/Patient", "/api/v1/devices"]
        readers = [threading.Thread(target=read, args=([chance.choice(paths) for _ in range(5_000)],)) for _ in range(16)]
        for reader in readers:
            reader.start()
        time.sleep(chance.uniform(0.3, 1.5))
        server.kill()
        stop.set()
        for reader in readers:
            reader.join()
    kept = {record.get("request") for record in records(server)}
    assert len(answered) > 100
    assert len(set(answered)) == len(answered), "no two requests have one id"
    missing = [one for one in answered if one not in kept]
    assert not missing, f"seed {SEED}: {len(missing)} of {len(answered)} answers without a record"
    server.start()
    server.stop()
    assert "unbroken" in audit(server, "verify", "--data", str(server.data))
    print(f"seed {SEED}: {len(answered)} answers, each with its record, over 4 kills")


def test_a_witness_signs_what_goes_on_and_refuses_an_old_log(make_server, tmp_path):
    first = make_server().start()
    first.stop()
    data = ("--data", str(first.data))
    key = audit(first, "head", "--key", *data).strip()
    state = tmp_path / "witness"
    witness = subprocess.Popen([binary(), "audit", "witness", "--state", str(state), "--listen", "127.0.0.1:0",
                                "--name", "cellar", "--log", key], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        line = witness.stdout.readline()
        url, theirs = line.split()[2].rstrip(","), line.split()[-1]
        config = tmp_path / "witnessed.toml"
        file = tmp_path / "head-on-another-disk"
        config.write_text(f'[audit]\nwitness_file = "{file}"\n'
                          f'witness = [{{name = "cellar", url = "{url}", public_key = "{theirs}"}}]\n')
        first.config = config
        shutil.copytree(first.data, tmp_path / "old")
        first.start()
        for _ in range(20):
            first.get("/api/v1/ward")
        cosigned = guard(first) / "audit.cosigned-cellar"
        wait_for(lambda: cosigned.exists() and rfc6962.head(cosigned.read_text(), theirs)[0] >= 20 and file.exists(), "the witness's signature")
        size, _ = rfc6962.head(cosigned.read_text(), theirs)
        assert rfc6962.head(cosigned.read_text(), key)[0] == size, "the log's signature stands beside it"
        first.stop()
        report = json.loads(audit(first, "verify", "--json", "--head", str(cosigned), "--witness", theirs, "--head", str(file), *data))
        assert len(report["compared"]) == 2
        # Somebody puts back an old copy of everything. From inside it is whole; the witness knows better.
        keep = tmp_path / "kept-head"
        keep.write_text(cosigned.read_text())
        shutil.rmtree(first.data)
        shutil.copytree(tmp_path / "old", first.data)
        told = json.loads(audit(first, "verify", "--json", "--head", str(keep), *data, expect=1))
        assert "cut off" in told["what"]
        first.start()
        wait_for(lambda: any(r["action"] == "witness-contradicts" for r in records(first)), "the alarm")
        first.stop()
        assert rfc6962.head(file.read_text(), key)[0] > len(records(first)) - 50, "the file keeps the newer head"
    finally:
        witness.terminate()
        witness.wait()


class Repository(threading.Thread):
    """A syslog receiver (RFC 5425's octet counting over TCP), which can hang up at any moment."""

    def __init__(self, port=0):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.messages, self.peers = [], []

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.peers.append(peer)
            threading.Thread(target=self.read, args=(peer,), daemon=True).start()

    def read(self, peer):
        stream = peer.makefile("rb")
        try:
            while True:
                count = b""
                while (byte := stream.read(1)) != b" ":
                    if not byte:
                        return
                    count += byte
                message = stream.read(int(count))
                if len(message) == int(count):
                    self.messages.append(message)
        except (OSError, ValueError):
            return

    def numbers(self):
        return [record_number(message) for message in list(self.messages)]

    def hang_up(self):
        # A socket that a thread waits on stays open until it is told.
        for one in [self.listener, *self.peers]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()


def record_number(message):
    """Takes a message apart as RFC 5424 and DICOM PS3.15 A.5 have it; gives the record's number."""
    head, _, body = message.partition(b"\xef\xbb\xbf")
    priority, time_, _host, app, _process, kind, data = head.decode().split()
    assert (priority, app, kind, data) == ("<85>1", "vitalwire", "DICOM+RFC3881", "-") and time_[10] == "T"
    tree = xml.etree.ElementTree.fromstring(body)
    assert tree.tag == "AuditMessage"
    names = [child.tag for child in tree]
    order = ["EventIdentification", "ActiveParticipant", "AuditSourceIdentification", "ParticipantObjectIdentification"]
    assert names == sorted(names, key=order.index), "the schema's order"
    assert names.count("EventIdentification") == names.count("AuditSourceIdentification") == 1
    event = tree.find("EventIdentification")
    assert event.get("EventActionCode") in "CRUDE" and event.get("EventOutcomeIndicator") in ("0", "4", "8", "12")
    assert event.find("EventID").get("codeSystemName") == "DCM"
    assert [p.get("UserIsRequestor") for p in tree.findall("ActiveParticipant")].count("true") == 1
    for one in tree.findall("ParticipantObjectIdentification"):
        assert one.get("ParticipantObjectID") and one.find("ParticipantObjectIDTypeCode") is not None
    detail = tree.find(".//ParticipantObjectDetail[@type='record']")
    return int(__import__("base64").b64decode(detail.get("value")))


def test_a_repository_gets_every_record_though_it_hangs_up(make_server, tmp_path):
    repository = Repository()
    repository.start()
    config = tmp_path / "atna.toml"
    config.write_text(f'[audit]\nrepository = [{{name = "siem", address = "127.0.0.1:{repository.port}", insecure = true}}]\n')
    server = make_server(config=config).start()
    for _ in range(30):
        server.get("/api/v1/ward")
    wait_for(lambda: len(repository.numbers()) >= 30, "records at the repository")
    repository.hang_up()
    for _ in range(30):
        server.get("/api/v1/ward")
    second = Repository(repository.port)
    second.start()
    last = len(records(server))
    wait_for(lambda: last in second.numbers(), "the records that were missed")
    seen = set(repository.numbers()) | set(second.numbers())
    assert set(range(1, last + 1)) <= seen, "none is left out"
    position = guard(server) / "atna-siem.position"
    wait_for(lambda: position.exists() and int(position.read_text()) >= last, "what surely arrived is noted")
    server.stop()
    second.hang_up()


def test_search_fhir_and_table(server):
    server.get("/api/v1/ward")
    server.get("/api/v1/devices")
    page = server.get("/api/v1/audit?action=see-devices&limit=5")
    assert page["rows"] and all(row["action"] == "see-devices" for row in page["rows"])
    row = page["rows"][0]
    proof = wait_for(lambda: server.session.get(f"{server.url}/api/v1/audit/proof/{row['n']}", timeout=60).status_code == 200
                     and server.get(f"/api/v1/audit/proof/{row['n']}"), "the signed head")
    assert proof["holds"] and json.loads(proof["record"])["n"] == row["n"]
    bundle = server.get("/fhir/AuditEvent?agent=trial&outcome=0&_count=3")
    assert bundle["resourceType"] == "Bundle" and len(bundle["entry"]) == 3
    one = server.get(f"/fhir/AuditEvent/record-{row['n']}")
    assert one["action"] in "RE" and one["agent"][2]["who"]["display"] == "trial"
    from fhir.resources.R4B.auditevent import AuditEvent
    AuditEvent.model_validate(one)
    table = server.get("/api/v1/audit/export?action=see-devices")
    assert table.splitlines()[0].startswith("record,time,who") and len(table.splitlines()) > 1
    with pytest.raises(AssertionError):
        server.get("/fhir/AuditEvent?colour=red")


def test_commands_to_devices_and_another_configuration_are_recorded(make_server, tmp_path):
    import paho.mqtt.client as mqtt
    config = tmp_path / "house.toml"
    config.write_text("[http]\nconnections_max = 100\n")
    server = make_server(config=config).start()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="console", protocol=mqtt.MQTTv5)
    client.connect(*server.mqtt)
    client.loop_start()
    for topic in ("vitalwire/pump-1/command", "vitalwire/pump-1/command", "vitalwire/pump-2/config"):
        client.publish(topic, b"{}", qos=1).wait_for_publish(60)
    client.disconnect()
    client.loop_stop()

    def deeds(*names):
        return [(r["action"], r["object"]) for r in records(server) if r["action"] in names]

    wait_for(lambda: len(deeds("command-device", "configure-device")) >= 2, "records of the commands")
    assert set(deeds("command-device", "configure-device")) == {("command-device", "pump-1"), ("configure-device", "pump-2")}
    server.stop()
    config.write_text("[http]\nconnections_max = 99\n[privacy]\nresearch_without_consent = false\n")
    server.start()
    changes = [r["detail"] for r in records(server) if r["action"] == "change-configuration"]
    assert "http.connections_max (new)" in changes[0]
    assert "http.connections_max (changed)" in changes[1] and "privacy.research_without_consent (new)" in changes[1]
    assert not any("99" in change for change in changes), "names, never values"
