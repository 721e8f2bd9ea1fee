"""Keys: where the master key may be, rotation while the program runs, what lies on the disk, what doctor says of it."""

import json
import os
import pathlib
import secrets
import shutil
import stat
import subprocess

import pytest

from support.bedside import Monitor
from support.server import binary, wait_for

MODULE = next((path for path in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                                 "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so") if pathlib.Path(path).exists()), None)


def say(server, value, device="keys-1"):
    monitor = Monitor(server, device)
    monitor.say({"MDC_ECG_HEART_RATE": value})
    monitor.stop()


def stored(server):
    return server.get("/fhir/Observation?_summary=count")["total"]


def associate(server, *devices):
    for device in devices:
        server.post("/api/v1/associations", [{"device": device, "identifier": f"urn:keys|{device}", "name": f"Keys, {device}"}],
                    expect=204)


def doctor(server, expect=0):
    done = subprocess.run([binary(), "doctor", "--security", "--data", str(server.data)], capture_output=True, text=True,
                          env=server.environment, timeout=120)
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def test_out_of_the_box_everything_is_encrypted(server):
    associate(server, "keys-1")
    say(server, 71)
    assert stored(server) > 0
    keys = server.data / "keys"
    for path in [keys, *keys.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    for path in (server.data / "store.db",):
        assert path.read_bytes()[:15] != b"SQLite format 3"
    for path in server.data.rglob("*"):
        if path.is_file():
            found = path.read_bytes()
            assert b"MDC_ECG" not in found and b"urn:keys" not in found and b"create table" not in found, path
    said = doctor(server)
    assert "mind  master key" in said and "lies beside" in said and "ok    databases" in said, said
    assert "mind  backup" in said
    (keys / "master.key").chmod(0o644)
    assert "chmod go=" in doctor(server, expect=1)


@pytest.mark.parametrize("to", [None, "file"])
def test_the_master_key_is_rotated_while_the_program_runs(server, tmp_path, to):
    associate(server, "keys-1")
    say(server, 71)
    before = (server.data / "keys/master.key").read_bytes()
    moved = tmp_path / "elsewhere.key"
    server.run("keys", "rotate", *(["--to", f"file:{moved}"] if to else []))
    if to:
        (server.data / "keys/master.key").unlink()
        assert "lies beside" not in doctor(server)
    else:
        assert (server.data / "keys/master.key").read_bytes() != before
    # Somebody new needs a new key in the keyring that was written anew.
    associate(server, "keys-2")
    say(server, 72, "keys-2")
    count = stored(server)
    server.kill()
    server.start()
    assert stored(server) == count
    assert json.loads(server.run("keys", "status", "--json"))["patients"] == 2


def test_data_keys_are_rotated_while_the_program_runs(server):
    associate(server, "keys-1")
    say(server, 71)
    before = json.loads(server.run("keys", "status", "--json"))
    server.run("keys", "rotate", "--data-keys")
    after = json.loads(server.run("keys", "status", "--json"))
    assert after["keys"]["patients"]["keys"] == before["keys"]["patients"]["keys"] + 1
    say(server, 72)
    count = stored(server)
    server.kill()
    server.start()
    assert stored(server) == count
    server.run("audit", "verify")


def test_from_the_environment(make_server):
    key = secrets.token_hex(32)
    server = make_server(environment={"VITALWIRE_MASTER_KEY": key}).start()
    associate(server, "keys-1")
    say(server, 71)
    count = stored(server)
    assert not (server.data / "keys/master.key").exists()
    server.kill()
    del server.environment["VITALWIRE_MASTER_KEY"]
    with pytest.raises(AssertionError, match="no master key in the variable VITALWIRE_MASTER_KEY"):
        server.start()
    server.process = None
    server.environment["VITALWIRE_MASTER_KEY"] = secrets.token_hex(32)
    with pytest.raises(AssertionError, match="does not open with the master key"):
        server.start()
    server.process = None
    server.environment["VITALWIRE_MASTER_KEY"] = key
    server.start()
    assert stored(server) == count


def test_from_systemds_credentials(make_server, tmp_path):
    (tmp_path / "vitalwire-master-key").write_bytes(secrets.token_bytes(32))
    server = make_server(environment={"CREDENTIALS_DIRECTORY": str(tmp_path)}).start()
    say(server, 71)
    server.kill()
    server.start()
    assert "the systemd credential vitalwire-master-key" in server.run("keys", "status")


@pytest.mark.skipif(MODULE is None or shutil.which("softhsm2-util") is None, reason="skipped: softhsm2 is not there")
def test_in_a_token(make_server, tmp_path):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\nlog.level = ERROR\n")
    (tmp_path / "pin").write_text("493127\n")
    (tmp_path / "pin").chmod(0o600)
    # softhsm2-util reads no further than the first white space or zero byte of a key's file.
    (tmp_path / "key").write_text(secrets.token_hex(16))
    token = {"SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf")}
    environment = {**os.environ, **token}
    for arguments in (["--init-token", "--free", "--label", "ward", "--so-pin", "11112222", "--pin", "493127"],
                      ["--import", str(tmp_path / "key"), "--aes", "--token", "ward", "--label", "master", "--id", "a1", "--pin", "493127"]):
        subprocess.run(["softhsm2-util", *arguments], env=environment, check=True, capture_output=True)
    (tmp_path / "key").unlink()
    server = make_server(environment=token).start()
    associate(server, "keys-1")
    say(server, 71)
    count = stored(server)
    # From the file into the token, while the program runs.
    server.environment |= {"VITALWIRE_KEYS_TOKEN_MODULE": MODULE, "VITALWIRE_KEYS_TOKEN": "ward",
                           "VITALWIRE_KEYS_TOKEN_PIN_FILE": str(tmp_path / "pin"), "VITALWIRE_KEYS_TOKEN_KEY": "master"}
    server.run("keys", "rotate", "--to", "pkcs11")
    (server.data / "keys/master.key").unlink()
    associate(server, "keys-2")
    say(server, 72, "keys-2")
    server.kill()
    server.start()
    assert stored(server) > count
    said = doctor(server)
    assert "ok    master key: the key master of the PKCS#11 token ward" in said
    server.stop()
    shutil.rmtree(tmp_path / "tokens")
    with pytest.raises(AssertionError, match="PKCS#11"):
        server.start()
    server.process = None


def test_a_data_folder_that_was_open_is_encrypted_at_the_next_start(make_server):
    server = make_server(environment={"VITALWIRE_KEYS_ENCRYPT": "false"}).start()
    associate(server, "keys-1")
    say(server, 71)
    count = stored(server)
    # A command that knows nothing of the configuration does not encrypt what the program beside it uses.
    server.environment["VITALWIRE_KEYS_ENCRYPT"] = "true"
    server.run("patient", "count")
    assert not (server.data / "keys" / "keyring").exists()
    server.stop()
    assert (server.data / "store.db").read_bytes()[:15] == b"SQLite format 3"
    server.start()
    assert stored(server) == count
    say(server, 72)
    wait_for(lambda: stored(server) > count, "a new value")
    assert (server.data / "store.db").read_bytes()[:15] != b"SQLite format 3"
