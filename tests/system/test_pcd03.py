"""CO-1 for infusion orders over HL7 v2 (IHE PCD-03): commands to a pump go to its pump server over TLS, once. The server is
hl7apy's, a library of its own, and answers well, badly or not at all; what the pump tells of the order (PCD-10) is the read-back."""

import os
import random
import socket
import ssl
import subprocess
import threading
import time
import uuid

import pytest
import requests
from hl7apy.core import Message
from hl7apy.parser import parse_message

from support.bedside import hl7
from support.commands import ADA, ask, deeds, populate, put_on, state, until, wish
from support.server import Server, wait_for

KILL_SEED = int(os.environ.get("KILL_SEED", random.randrange(1 << 30)))
KILL_COMMANDS = int(os.environ.get("KILL_COMMANDS", 6))
PUMP = "P6013"

COMMANDS = f"""
[[profile]]
devices = ["{PUMP}"]

[[profile.command]]
name = "program"
title = "Program the infusion"
class = "therapy"
two-person = true
expires-s = 60
answer-s = 8
read-back = "answer"
[[profile.command.parameter]]
name = "drug"
title = "Drug"
kind = "choice"
choices = ["Dopamine [3628 RXNORM]", "Saline"]
[[profile.command.parameter]]
name = "rate"
title = "Rate"
kind = "number"
unit = "mL/h"
low = 0.1
high = 100
[[profile.command.parameter]]
name = "volume"
title = "Volume"
kind = "number"
unit = "mL"
low = 1
high = 500

[[profile.command]]
name = "hurry"
title = "Program at once or not at all"
class = "therapy"
two-person = true
expires-s = 1
answer-s = 2
read-back = "answer"

[[profile.command]]
name = "blink"
title = "Blink"
class = "locate"
expires-s = 60
answer-s = 8
"""
ORDER = {"drug": "Dopamine [3628 RXNORM]", "rate": 5.25, "volume": 50}


def now():
    return time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())


def certificate(folder):
    """A key and a certificate for this machine, which signs itself."""
    key, file = folder / "pumps.key", folder / "pumps.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
                    "-addext", "extendedKeyUsage=serverAuth", "-keyout", key, "-out", file], check=True, capture_output=True)
    return key, file


class PumpServer:
    """Takes orders over MLLP and TLS. `manner` says how it answers; the pump behind it tells its events to the platform."""

    def __init__(self, folder):
        key, self.certificate = certificate(folder)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(self.certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.orders, self.manner, self.platform, self.said, self.gone = [], "obedient", None, 0, False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            if self.gone:
                line.close()
                continue
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line):
        try:
            with self.tls.wrap_socket(line, server_side=True) as line:
                read = b""
                while not read.endswith(b"\x1c\r"):
                    piece = line.recv(65536)
                    if not piece:
                        return
                    read += piece
                self._take(line, read.strip(b"\x0b\x1c\r").decode())
                while line.recv(65536):
                    pass
        except OSError:
            pass

    def _take(self, line, text):
        order = parse_message(text, find_groups=False)
        self.orders.append(order)
        say = lambda kind, code, *more: line.sendall(b"\x0b" + self._answer(order, kind, code, *more).encode() + b"\x1c\r")
        if self.manner == "hangs up":
            return line.close()
        if self.manner == "silent":
            return None
        if self.manner == "refuses at once":
            return say("ACK", "CR", "the pump is not on the network")
        say("ACK", "CA")
        if self.manner == "refuses":
            return say("RRG_O16", "AE", "the drug is not in the library")
        if self.manner == "takes it only":
            return None
        say("RRG_O16", "AA")
        if self.manner == "obedient":
            self.event(order)
        elif self.manner == "sets something else":
            self.event(order, rate="52.5")
        elif self.manner == "clears it":
            self.event(order, what="MDC_EVT_PUMP_AUTO_PROG_CLEARED")
        elif self.manner == "tells no drug":
            self.event(order, drug="")
        return None

    @staticmethod
    def _answer(order, kind, code, why=""):
        answer = Message(kind, version="2.6")
        answer.msh.msh_3, answer.msh.msh_5 = "PUMPS", "VITALWIRE"
        answer.msh.msh_7, answer.msh.msh_10, answer.msh.msh_11 = now(), uuid.uuid4().hex[:20], "P"
        answer.msh.msh_9 = "RRG^O16^RRG_O16" if kind == "RRG_O16" else "ACK^O15^ACK"
        answer.msa.msa_1, answer.msa.msa_2 = code, order.msh.msh_10.value
        if why:
            answer.msa.msa_3 = why
        return answer.to_er7().rstrip("\r") + "\r"

    def event(self, order, what="MDC_EVT_PUMP_DELIV_START", rate=None, drug=None):
        """What the pump tells when somebody at the bedside starts it (PCD-10)."""
        self.said += 1
        rxg = order.rxg
        rate = rate if rate is not None else rxg.rxg_15.value
        drug = drug if drug is not None else rxg.rxg_4.value
        rows = [f"MSH|^~\\&|PUMPS|ICU|VITALWIRE|H|{now()}||ORU^R42^ORU_R01|E{self.said}-{uuid.uuid4().hex[:8]}|P|2.6|||AL|NE",
                f"OBR|1|{order.orc.orc_2.value}|{self.said}^PUMPS|{drug}|||{now()}",
                f"OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||{PUMP}",
                f"OBX|2|CWE|68487^MDC_ATTR_EVT_COND^MDC|1.1.0.1|^{what}^MDC||||||R",
                f"OBX|3|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.2.3|{rate}|265266^MDC_DIM_MILLI_L_PER_HR^MDC|||||R",
                f"OBX|4|NM|157884^MDC_VOL_FLUID_TBI^MDC|1.1.2.4|{rxg.rxg_5.value}|263762^MDC_DIM_MILLI_L^MDC|||||R"]
        for _ in range(200):
            try:
                return hl7(self.platform, "\r".join(rows) + "\r")
            except OSError:
                time.sleep(0.1)  # killed, and not up again yet: a pump says it until it is heard

    def numbers(self):
        """The order numbers that came, in order."""
        return [order.orc.orc_2.value.split("^")[0] for order in self.orders]


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pcd03")
    pumps = PumpServer(folder)
    config = folder / "vitalwire.toml"
    config.write_text(f'[outgoing]\nca_file = "{pumps.certificate}"\n[mllp]\npeers = ["127.0.0.1"]\n'
                      f'[[pump_server]]\nname = "pump gateway"\naddress = "mllps://localhost:{pumps.port}"\ndevices = ["{PUMP}"]\n')
    server = Server(folder / "data", open=False, config=config)
    populate(server, (PUMP,))
    (server.data / "commands").mkdir()
    (server.data / "commands" / "pumps.toml").write_text(COMMANDS)
    server.start()
    pumps.platform, server.pumps = server, pumps
    server.ada = put_on(server, PUMP, "77", "Testperson, Ada", "1950-02-03")
    yield server
    server.stop()
    pumps.listener.close()


@pytest.fixture
def pumps(house):
    house.pumps.orders.clear()
    house.pumps.manner, house.pumps.gone = "obedient", False
    return house.pumps


def program(house, command="program", parameters=None, confirm=True, **more):
    """An order that two people want."""
    asked = wish(house, "physician", command, device=PUMP, identifiers=ADA, parameters=ORDER if parameters is None else parameters, **more)
    if confirm:
        ask(house, "physician2", "POST", f"/commands/{asked['id']}/confirm", {"identifiers": ADA})
    return asked


def test_an_order_goes_out_once_and_is_done_when_the_pump_says_so(house, pumps):
    asked = program(house, confirm=False)
    time.sleep(1)
    assert pumps.orders == [] and state(house, asked)["state"] == "awaiting"
    ask(house, "nurse", "POST", f"/commands/{asked['id']}/confirm", {"identifiers": ADA}, expect=403)
    ask(house, "physician2", "POST", f"/commands/{asked['id']}/confirm", {"identifiers": ADA})
    done = until(house, asked, "done")
    assert done["history"][-1]["by"] == PUMP
    ask(house, "physician2", "POST", f"/commands/{asked['id']}/confirm", {"identifiers": ADA}, expect=409)
    order, = pumps.orders
    assert order.msh.msh_9.value == "RGV^O15^RGV_O15" and order.orc.orc_2.value == f"{asked['id']}^VITALWIRE"
    assert order.pid.pid_3.value.startswith("77^") and order.orc.orc_12.value == "physician"
    rxg = order.rxg
    assert (rxg.rxg_4.value, rxg.rxg_5.value, rxg.rxg_15.value) == ("3628^Dopamine^RXNORM", "50", "5.25")
    assert "MDC_DIM_MILLI_L_PER_HR" in rxg.rxg_16.value and PUMP in order.to_er7()
    trail = wait_for(lambda: (d := deeds(house, asked)) and "command-done" in d and d, "the audit log")
    # Its server's answers and the pump's own word come over two lines: the pump may be the quicker one.
    assert [deed for deed in trail if deed not in ("command-sent", "command-accepted", "command-unknown")] == \
        ["request-command", "confirm-command", "send-command", "command-sending", "command-done"]


@pytest.mark.parametrize("manner, ends, says", [
    ("accepts", "unknown", "never said that it was done"),
    ("tells no drug", "unknown", "no read-back"),
    ("sets something else", "failed", "something else than was asked"),
    ("clears it", "failed", "cleared at the pump"),
    ("refuses", "failed", "the drug is not in the library"),
    ("refuses at once", "failed", "not on the network"),
    ("takes it only", "unknown", "no answer"),
    ("silent", "unknown", "no answer"),
    ("hangs up", "unknown", "no answer"),
])
def test_what_the_pump_does_not_confirm_is_never_called_done_nor_sent_again(house, pumps, manner, ends, says):
    pumps.manner = manner
    asked = program(house)
    ended = until(house, asked, ends)
    assert says in ended["history"][-1]["detail"]
    time.sleep(1)
    assert pumps.numbers() == [asked["id"]]
    wait_for(lambda: f"command-{ends}" in deeds(house, asked), "the audit log")
    # Somebody goes and starts the pump late: its word counts where nothing was known.
    pumps.event(pumps.orders[0])
    if ends == "unknown":
        until(house, asked, "done")
    else:
        time.sleep(0.5)
        assert state(house, asked)["state"] == "failed"
    assert pumps.numbers() == [asked["id"]]


def test_wrong_role_wrong_patient_expired_and_twice_send_nothing_more(house, pumps):
    wish(house, "charge", "program", device=PUMP, identifiers=ADA, parameters=ORDER, expect=403)
    wish(house, "physician", "program", device=PUMP, identifiers={**ADA, "birth_date": "1950-02-04"}, parameters=ORDER, expect=409)
    wish(house, "physician", "program", device=PUMP, identifiers=ADA, parameters={**ORDER, "rate": 101}, expect=400)
    late = program(house, "hurry", parameters={}, confirm=False)
    until(house, late, "expired")
    ask(house, "physician2", "POST", f"/commands/{late['id']}/confirm", {"identifiers": ADA}, expect=409)
    moved = program(house, confirm=False)
    put_on(house, PUMP, "79", "Third, Cid", "1970-01-01")
    try:
        until(house, moved, "refused")
    finally:
        put_on(house, PUMP, "77", "Testperson, Ada", "1950-02-03")
    assert pumps.orders == []
    key = uuid.uuid4().hex
    first = program(house, key=key)
    until(house, first, "done")
    assert program(house, key=key, confirm=False, expect=200)["id"] == first["id"]
    assert pumps.numbers() == [first["id"]]


def test_a_server_that_is_away_and_a_command_that_is_no_order_fail_at_once(house, pumps):
    pumps.gone = True
    asked = program(house)
    assert "cannot be reached" in until(house, asked, "failed")["history"][-1]["detail"]
    pumps.gone = False
    blink = wish(house, "nurse", "blink", device=PUMP)
    assert "missing" in until(house, blink, "failed")["history"][-1]["detail"]
    time.sleep(1)
    assert pumps.orders == [] and state(house, asked)["state"] == "failed"


def test_an_event_of_another_order_or_pump_says_nothing_of_ours(house, pumps):
    pumps.manner = "accepts"
    asked = program(house)
    until(house, asked, "accepted")
    order = parse_message(pumps.orders[0].to_er7().replace(f"{asked['id']}^VITALWIRE", f"{asked['id']}^EHR"), find_groups=False)
    pumps.event(order)
    ended = until(house, asked, "unknown")
    assert "done" not in [line["state"] for line in ended["history"]]


def test_kill_9_in_the_middle_never_programs_twice(house, pumps):
    print(f"KILL_SEED={KILL_SEED}")
    chance = random.Random(KILL_SEED)
    wanted = []
    for _ in range(KILL_COMMANDS):
        pumps.manner = chance.choice(("obedient", "accepts", "silent"))
        key = uuid.uuid4().hex
        try:
            program(house, key=key)
        except requests.RequestException:
            pass
        time.sleep(chance.choice((0, 0, 0.002, 0.005, 0.01, 0.03, 0.1)))
        house.kill()
        house.start()
        house.people.clear()
        again = program(house, key=key, confirm=False, expect=(200, 201))
        if again["state"] == "awaiting":
            ask(house, "physician2", "POST", f"/commands/{again['id']}/confirm", {"identifiers": ADA}, expect=(200, 409))
        wanted.append(again)
        until(house, again, "done", "unknown", "failed", "expired", limit_s=120)
    got = pumps.numbers()
    assert len(got) == len(set(got)), "no order came twice"
    assert set(got) <= {one["id"] for one in wanted}
    ended = [state(house, one) for one in wanted]
    for one in ended:
        assert one["state"] != "done" or one["id"] in got
        wait_for(lambda: f"command-{one['state']}" in deeds(house, one) or None, f"the audit log of {one['id']}")
    print({name: sum(one["state"] == name for one in ended) for name in ("done", "unknown", "failed", "expired")})
