"""Alerts over HL7 (IHE PCD-04 and PCD-05): alarms of devices come in, ours go out to an alert manager, its answers
come back; over the running program, killed on the way. Messages that come out are read by hl7apy, a library of its own."""

import socket
import ssl
import threading
import time

import pytest
from hl7apy.parser import parse_message

from support.bedside import hl7
from support.sdc_site import Site
from support.server import Server, wait_for

MSH = "MSH|^~\\&|{sender}|ICU|VITALWIRE|H|{at}||{kind}|{id}|P|2.6|||NE|AL"


def now():
    return time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())


class Manager:
    """An alert manager: keeps what comes, answers each message when it is told to answer."""

    def __init__(self, tls=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.messages, self.answers = [], True
        self.tls, self.shown, self.turned_away = tls, set(), 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                line, _ = self.listener.accept()
            except OSError:
                return
            if self.tls:
                try:
                    line = self.tls.wrap_socket(line, server_side=True)
                except (OSError, ssl.SSLError):
                    self.turned_away += 1
                    continue
                self.shown.add(dict(part[0] for part in line.getpeercert()["subject"])["commonName"])
            with line:
                read = b""
                while not read.endswith(b"\x1c\r"):
                    piece = line.recv(65536)
                    if not piece:
                        break
                    read += piece
                text = read.strip(b"\x0b\x1c\r").decode()
                if not text:
                    continue
                self.messages.append(text)
                if self.answers:
                    control = text.split("|")[9]
                    line.sendall(f"\x0bMSH|^~\\&|AM|H|||{now()}||ACK^R40^ACK|1|P|2.6\rMSA|AA|{control}\r\x1c\r".encode())

    def phases(self):
        """Each message's phase and control id, without what came twice."""
        found = []
        for text in self.messages:
            row = next(line for line in text.split("\r") if "MDC_ATTR_EVENT_PHASE" in line).split("|")[5]
            if (row, text.split("|")[9]) not in found:
                found.append((row, text.split("|")[9]))
        return found


@pytest.fixture()
def house(tmp_path):
    manager = Manager()
    config = tmp_path / "vitalwire.toml"
    config.write_text(f'[[alert_manager]]\nname = "AM"\naddress = "mllp://127.0.0.1:{manager.port}"\n')
    server = Server(tmp_path / "data", config=config)
    server.start()
    yield server, manager
    server.stop()
    manager.listener.close()


def alarm(server, number, phase, state, priority="PH"):
    rows = [MSH.format(sender="PUMPS", at=now(), kind="ORU^R40^ORU_R40", id=number),
            "PID|||4711^^^HOSP^MR||Muster^Anna||19500302|F",
            f"OBR|1|1^PUMPS|E1^PUMPS|196616^MDC_EVT_ALARM^MDC|||{now()}",
            "OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|196940^MDC_EVT_FLUID_LINE_OCCL^MDC^^^^^^Occlusion|||"
            f"{priority}~ST|||F|||{now()}||||P6013",
            f"OBX|2|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.0.0.0.3|{phase}||||||F",
            f"OBX|3|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.0.0.0.4|{state}||||||F"]
    return hl7(server, "\r".join(rows) + "\r")


def open_alerts(server):
    return [a for a in server.get("/api/v1/alerts")["alerts"] if a["state"] != "resolved"]


def test_an_alarm_goes_in_and_out_is_taken_and_ends(house):
    server, manager = house
    assert alarm(server, 1, "start", "active") == "AA"
    wait_for(lambda: len(manager.phases()) == 1, "the start to be reported")
    alarm(server, 2, "continue", "active")
    first = open_alerts(server)
    assert [(a["title"], a["priority"]) for a in first] == [("Occlusion", "high")]
    message = parse_message(manager.messages[0], find_groups=False)
    assert message.msh.msh_9.value == "ORU^R40^ORU_R40"
    assert message.pid.pid_3.value.startswith("4711^")
    assert message.obr.obr_3.value.split("^")[0] == first[0]["episode"]
    control = message.msh.msh_10.value
    status = MSH.format(sender="AM", at=now(), kind="ORA^R41^ORA_R41", id=77)
    said = f"{status}\rMSA|AA|{control}\rPRT|1|AD|Accepted|AAP|n17^Muster^Kim\r"
    assert hl7(server, said) == "AA"
    wait_for(lambda: [a["state"] for a in open_alerts(server)] == ["acknowledged"], "the answer to count")
    other = said.replace("|AM|", "|OTHER|", 1)
    assert hl7(server, other) == "AE", "nobody else may answer"
    alarm(server, 3, "end", "inactive")
    wait_for(lambda: not open_alerts(server), "the alert to end")
    wait_for(lambda: [p for p, _ in manager.phases()] == ["start", "continue", "end"], "all to be reported in order")


def test_what_is_to_be_reported_survives_kill_9_and_keeps_its_control_id(house):
    server, manager = house
    manager.answers = False
    alarm(server, 1, "start", "active")
    wait_for(lambda: manager.messages, "a first try")
    server.kill()
    manager.answers = True
    server.start()
    wait_for(lambda: len(manager.messages) >= 2, "the next try", limit_s=90)
    assert len(manager.phases()) == 1, "the same message with the same control id"
    alarm(server, 2, "end", "inactive")
    wait_for(lambda: [p for p, _ in manager.phases()] == ["start", "end"], "the end behind the start", limit_s=90)


def test_a_manager_that_asks_who_we_are_is_told_over_tls(tmp_path):
    Site(tmp_path, "manager", "vitalwire")
    strict = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    strict.load_cert_chain(tmp_path / "manager.pem", tmp_path / "manager.key")
    strict.load_verify_locations(tmp_path / "ca.pem")
    strict.verify_mode = ssl.CERT_REQUIRED
    manager = Manager(strict)
    config = tmp_path / "vitalwire.toml"
    said = f'[[alert_manager]]\nname = "AM"\naddress = "mllps://127.0.0.1:{manager.port}"\n'
    trusted = f'[outgoing]\nca_file = "{tmp_path}/ca.pem"\n'
    config.write_text(trusted + said)
    server = Server(tmp_path / "data", config=config)
    server.start()
    try:
        # Nobody is told anything by one who does not say who it is.
        alarm(server, 1, "start", "active")
        wait_for(lambda: manager.turned_away or manager.shown, "a try without a certificate")
        assert not manager.messages and not manager.shown
        server.stop()
        config.write_text(f'{trusted}certificate_file = "{tmp_path}/vitalwire.pem"\nkey_file = "{tmp_path}/vitalwire.key"\n{said}')
        server.start()
        wait_for(lambda: manager.messages, "the report, kept until now", limit_s=90)
        alarm(server, 2, "end", "inactive")
        wait_for(lambda: [p for p, _ in manager.phases()] == ["start", "end"], "the end behind the start", limit_s=90)
        assert manager.shown == {"vitalwire"}
        assert parse_message(manager.messages[0], find_groups=False).msh.msh_9.value == "ORU^R40^ORU_R40"
    finally:
        server.stop()
        manager.listener.close()
