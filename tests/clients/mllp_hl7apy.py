#!/usr/bin/env python3
"""An independent MLLP client against a running listener, with messages built by hl7apy.

    python3 -m venv .venv && .venv/bin/pip install hl7apy
    .venv/bin/python tests/clients/mllp_hl7apy.py 127.0.0.1:2575

Sends PCD-01 and plain observations, each ADT event, batches, repeated control ids, many messages in
flight, garbage, half frames, a segment of 10 MB and wrong character sets, and checks every
acknowledgement; a good neighbour sends all the while and must not notice. Needs nothing of
Vitalwire's own code. Prints a line for each check; exit code 0 if all hold, 1 if not, 2 if used
wrongly.
"""

import socket
import sys
import threading
import time
import uuid

from hl7apy.core import Message, Segment
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

START, END = b"\x0b", b"\x1c\x0d"
RUN = uuid.uuid4().hex[:8]
NOW = time.strftime("%Y%m%d%H%M%S+0000", time.gmtime())
FAILURES = []
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def check(condition, what):
    if not condition:
        FAILURES.append(what)
        print(f"     WRONG: {what}")


class Client:
    """One connection."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, timeout=30)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, message):
        data = message if isinstance(message, bytes) else message.encode("utf-8")
        self.raw(START + data + END)

    def frame(self):
        while END not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError("closed before an answer")
            self.buffer += piece
        frame, self.buffer = self.buffer.split(END, 1)
        check(frame.startswith(START), "an answer begins with 0x0B")
        return frame[1:]

    def ask(self, message):
        self.send(message)
        return Ack(self.frame())

    def is_silent(self, seconds=0.5):
        self.socket.settimeout(seconds)
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(30)


class Ack:
    """An acknowledgement, read by hl7apy where it can."""

    def __init__(self, data):
        self.text = data.decode("utf-8", errors="replace")
        self.segments = [line.split("|") for line in self.text.split("\r") if line]
        by_name = {segment[0]: segment for segment in self.segments}
        self.msh, self.msa = by_name["MSH"], by_name["MSA"]
        self.code = self.msa[1]
        self.control_id = self.msa[2] if len(self.msa) > 2 else ""
        self.version = self.msh[11]

    def errors(self):
        """Place and code of each ERR."""
        found = []
        for segment in self.segments:
            if segment[0] != "ERR":
                continue
            if len(segment) > 3:
                found.append((segment[2], segment[3].split("^")[0], segment[4]))
            else:
                place, code = segment[1].rsplit("^", 1)
                found.append((place, code.split("&")[0], ""))
        return found


def control_id(name):
    return f"{RUN}-{name}"[:20]


def header(message, name, kind, version):
    message.msh.msh_3 = "HL7APY"
    message.msh.msh_4 = "TEST"
    message.msh.msh_5 = "VITALWIRE"
    message.msh.msh_7 = NOW
    message.msh.msh_9 = kind
    message.msh.msh_10 = control_id(name)
    message.msh.msh_11 = "P"
    message.msh.msh_12 = version


def patient(segment, mrn="4711", family="Doe"):
    segment.pid_3 = f"{mrn}^^^HOSP^MR"
    segment.pid_5 = f"{family}^Jane"
    segment.pid_7 = "19500517"
    segment.pid_8 = "F"


def obx(version, set_id, kind, code, path, value, unit="", **fields):
    segment = Segment("OBX", version=version, validation_level=VALIDATION_LEVEL.TOLERANT)
    segment.obx_1 = str(set_id)
    if kind:
        segment.obx_2 = kind
    segment.obx_3 = code
    if path:
        segment.obx_4 = path
    if value:
        segment.obx_5 = value
    if unit:
        segment.obx_6 = unit
    segment.obx_11 = fields.pop("status", "F")
    for name, content in fields.items():
        setattr(segment, name, content)
    return segment


def observations(name, segments, version="2.6", family="Doe"):
    """An ORU^R01 around OBX segments."""
    message = Message("ORU_R01", version=version, validation_level=VALIDATION_LEVEL.TOLERANT)
    header(message, name, "ORU^R01^ORU_R01", version)
    result = message.add_group("ORU_R01_PATIENT_RESULT")
    about = result.add_group("ORU_R01_PATIENT")
    patient(about.add_segment("PID"), family=family)
    order = result.add_group("ORU_R01_ORDER_OBSERVATION")
    request = order.add_segment("OBR")
    request.obr_1 = "1"
    request.obr_4 = "182777000^monitoring of patient^SCT"
    request.obr_7 = NOW
    text = message.to_er7()
    return text.rstrip("\r") + "\r" + "\r".join(s.to_er7() for s in segments) + "\r"


def pcd01(name, version="2.6"):
    mds = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"
    return observations(
        name,
        [
            obx(version, 1, "", mds, "1.0.0.0", "", status="X", obx_18=f"MON-{RUN}^^0012210000000001^EUI-64"),
            obx(version, 2, "", "69854^MDC_DEV_METER_PHYSIO_MULTI_PARAM_VMD^MDC", "1.1.0.0", "", status="X"),
            obx(version, 3, "", "69855^MDC_DEV_METER_PHYSIO_MULTI_PARAM_CHAN^MDC", "1.1.1.0", "", status="X"),
            obx(version, 4, "NM", "147842^MDC_ECG_HEART_RATE^MDC", "1.1.1.147842", "72", "264864^MDC_DIM_BEAT_PER_MIN^MDC", status="R", obx_14=NOW),
            obx(version, 5, "NM", "150456^MDC_PULS_OXIM_SAT_O2^MDC", "1.1.1.150456", "97", "262688^MDC_DIM_PERCENT^MDC", status="R"),
            obx(version, 6, "NM", "150021^MDC_PRESS_BLD_NONINV_SYS^MDC", "1.2.1.150021", "120", "266016^MDC_DIM_MMHG^MDC"),
            obx(version, 7, "NM", "150022^MDC_PRESS_BLD_NONINV_DIA^MDC", "1.2.1.150022", "80", "266016^MDC_DIM_MMHG^MDC"),
            obx(version, 8, "NM", "151562^MDC_RESP_RATE^MDC", "1.3.1.151562", "", status="X", obx_8="NAV"),
            obx(version, 9, "NA", "131329^MDC_ECG_ELEC_POTL_I^MDC", "1.4.1.131329", "0.1^0.2^0.3", "266418^MDC_DIM_MILLI_VOLT^MDC"),
            obx(version, 10, "NM", "0^MDC_ATTR_SAMP_RATE^MDC", "1.4.1.131329.1", "250", "264608^MDC_DIM_PER_SEC^MDC"),
        ],
        version,
    )


def adt(event, name, bed="23", mrn="4711", version="2.5"):
    structure = {"A02": "ADT_A02", "A03": "ADT_A03", "A11": "ADT_A09", "A12": "ADT_A12", "A40": "ADT_A39"}
    structure = structure.get(event, "ADT_A01")
    message = Message(structure, version=version, validation_level=VALIDATION_LEVEL.TOLERANT)
    header(message, name, f"ADT^{event}^{structure}", version)
    message.evn.evn_2 = NOW
    if event == "A40":
        pair = message.add_group("ADT_A39_PATIENT")
        patient(pair.add_segment("PID"), mrn)
        pair.add_segment("MRG").mrg_1 = f"{mrn}-OLD^^^HOSP^MR"
    else:
        patient(message.pid, mrn)
        message.pv1.pv1_2 = "I"
        message.pv1.pv1_3 = f"ICU^2^{bed}"
        message.pv1.pv1_6 = "ER^1^4"
        message.pv1.pv1_19 = f"V-{mrn}"
    return message.to_er7()


@test
def every_version_of_pcd01(address):
    with Client(address) as client:
        for version in ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8"]:
            name = f"pcd{version}"
            built = pcd01(name, "2.6").replace("|P|2.6", f"|P|{version}")
            ack = client.ask(built)
            check((ack.code, ack.errors()) == ("AA", []), f"PCD-01 {version}: {ack.text!r}")
            check(ack.control_id == control_id(name), f"control id of {version}")
            check(ack.version == version, f"version of the answer to {version}")
            check(ack.msh[4] == "HL7APY" and ack.msh[5] == "TEST", "the answer goes to its sender")


@test
def hl7apy_reads_the_answer(address):
    with Client(address) as client:
        ack = client.ask(pcd01("readable"))
        parsed = parse_message(ack.text, validation_level=VALIDATION_LEVEL.STRICT, find_groups=False)
        check(parsed.msa.msa_1.value == "AA", "hl7apy finds AA")
        parsed.validate()
        ack = client.ask(observations("unreadable", [obx("2.6", 1, "NM", "HR^^L", "", "many")]))
        parsed = parse_message(ack.text, validation_level=VALIDATION_LEVEL.STRICT, find_groups=False)
        check(parsed.err.err_3.cwe_1.value == "102", "hl7apy finds the error code")
        check(parsed.err.err_2.to_er7() == "OBX^1^5", "hl7apy finds the field")


@test
def every_adt_event(address):
    with Client(address) as client:
        for event in ["A01", "A02", "A03", "A13", "A08", "A12", "A11", "A04", "A40"]:
            ack = client.ask(adt(event, event, mrn=f"ADT-{RUN}"))
            check((ack.code, ack.errors()) == ("AA", []), f"ADT^{event}: {ack.text!r}")
        ack = client.ask(adt("A01", "nopid").replace("|4711^^^HOSP^MR|", "||"))
        check(ack.code == "AE" and ack.errors()[0][:2] == ("PID^1^3", "101"), f"no PID-3: {ack.text!r}")
        ack = client.ask(adt("A02", "nobed").replace("|ICU^2^23|", "||"))
        check(ack.code == "AE" and ack.errors()[0][:2] == ("PV1^1^3", "101"), f"no PV1-3: {ack.text!r}")


@test
def refusals_name_the_field(address):
    good = pcd01("refuse")
    with Client(address) as client:
        for old, new, code, place, error in [
            ("ORU^R01^ORU_R01", "SIU^S12^SIU_S12", "AR", "MSH^1^9", "200"),
            ("ORU^R01^ORU_R01", "ADT^A99^ADT_A01", "AR", "MSH^1^9", "201"),
            ("|P|2.6", "|Z|2.6", "AR", "MSH^1^11", "202"),
            ("|P|2.6", "|P|3.1", "AR", "MSH^1^12", "203"),
            ("ORU^R01^ORU_R01", "", "AE", "MSH^1^9", "101"),
            (control_id("refuse"), "", "AE", "MSH^1^10", "101"),
        ]:
            ack = client.ask(good.replace(old, new))
            check((ack.code, ack.errors()[0][:2]) == (code, (place, error)), f"{new}: {ack.text!r}")


@test
def one_bad_observation_loses_one_value(address):
    with Client(address) as client:
        ack = client.ask(
            observations(
                "partly",
                [
                    obx("2.6", 1, "NM", "8867-4^Heart rate^LN", "", "72", "/min"),
                    obx("2.6", 2, "NM", "8867-4^Heart rate^LN", "", "seventy", "/min"),
                    obx("2.6", 3, "NM", "UNHEARD^of^L", "", "1"),
                    obx("2.6", 4, "NM", "HR^^L", "", "70", "furlong"),
                ],
            )
        )
        expected = [("OBX^2^5", "102", "W"), ("OBX^3^3", "103", "W"), ("OBX^4^6", "103", "W")]
        check((ack.code, ack.errors()) == ("AA", expected), f"partly: {ack.text!r}")


@test
def acknowledgement_modes(address):
    with Client(address) as client:
        for accept, application, expected in [("AL", "NE", "CA"), ("NE", "AL", "AA"), ("NE", "NE", None), ("ER", "ER", None)]:
            name = f"mode{accept}{application}"
            lines = pcd01(name).split("\r")
            fields = (lines[0].split("|") + [""] * 20)[:16]
            fields[14], fields[15] = accept, application
            client.send("\r".join(["|".join(fields)] + lines[1:]))
            if expected is None:
                check(client.is_silent(), f"{accept}/{application} wants no answer")
            else:
                ack = Ack(client.frame())
                check(ack.code == expected, f"{accept}/{application}: {ack.text!r}")


@test
def repeated_control_ids_are_answered_again(address):
    message = pcd01("repeated")
    with Client(address) as client:
        codes = [client.ask(message).code for _ in range(5)]
    with Client(address) as client:
        codes.append(client.ask(message).code)
    check(codes == ["AA"] * 6, f"repeated: {codes}")


@test
def many_in_flight_in_order(address):
    count = 500
    pattern = pcd01("pattern")

    def message(n):
        return pattern.replace(control_id("pattern"), control_id(f"f{n}"))

    with Client(address) as client:
        sender = threading.Thread(target=lambda: [client.send(message(n)) for n in range(count)])
        sender.start()
        found = [Ack(client.frame()) for _ in range(count)]
        sender.join()
    check([a.control_id for a in found] == [control_id(f"f{n}") for n in range(count)], "in order")
    check(all(a.code == "AA" for a in found), "all accepted")


@test
def batches(address):
    with Client(address) as client:
        messages = "".join(pcd01(f"b{n}") for n in range(3))
        client.send(f"FHS|^~\\&\rBHS|^~\\&\r{messages}BTS|3\rFTS|1\r")
        text = client.frame().decode()
        check(text.startswith("BHS|") and text.count("MSA|AA|") == 3, f"batch: {text!r}")
        client.send("".join(pcd01(f"bare{n}") for n in range(2)))
        codes = [Ack(client.frame()).code for _ in range(2)]
        check(codes == ["AA", "AA"], f"two messages in one frame: {codes}")


@test
def line_ends_and_separators(address):
    with Client(address) as client:
        for name, ending in [("lf", "\n"), ("crlf", "\r\n")]:
            ack = client.ask(pcd01(name).replace("\r", ending))
            check((ack.code, ack.errors()) == ("AA", []), f"{name}: {ack.text!r}")
        swapped = pcd01("odd").translate(str.maketrans("|^~\\&", "#*%!$"))
        client.send(swapped)
        text = client.frame().decode()
        check(f"MSA#AA#{control_id('odd')}" in text, f"own separators: {text!r}")


@test
def garbage(address):
    with Client(address) as client:
        for rubbish in [b"hello", b"", b"\x00\xff" * 50, b"MSH", b"GET / HTTP/1.1", b"PID|||1\rMSH"]:
            ack = client.ask(rubbish)
            check(ack.code == "AR" and ack.errors(), f"{rubbish!r}: {ack.text!r}")
        client.raw(b"bytes outside of any frame")
        check(client.ask(pcd01("aftergarbage")).code == "AA", "a good frame after garbage")


@test
def half_frames(address):
    with Client(address) as client:
        client.raw(START + pcd01("half").encode()[:200])
    with Client(address) as client:
        client.raw(START + pcd01("cut").encode()[:200])
        ack = client.ask(pcd01("aftercut"))
        check((ack.code, ack.control_id) == ("AA", control_id("aftercut")), f"after a cut: {ack.text!r}")
        whole = START + pcd01("slow").encode() + END
        for at in range(0, len(whole), 37):
            client.raw(whole[at : at + 37])
            time.sleep(0.002)
        check(Ack(client.frame()).control_id == control_id("slow"), "a frame in small pieces")


@test
def a_segment_of_ten_megabytes(address):
    with Client(address) as client:
        for name, filler in [("x", "x"), ("carets", "^"), ("tildes", "~"), ("bars", "|"), ("escapes", "\\")]:
            text = pcd01(f"big{name}") + "OBX|11|ST|HR^^L||" + filler * 10_000_000 + "\r"
            ack = client.ask(text)
            check(ack.code == "AA", f"10 MB of {name}: {ack.text[:300]!r}")
        too_long = pcd01("toolong") + "NTE|1||" + "x" * 20_000_000 + "\r"
        ack = client.ask(too_long)
        check(ack.code == "AR" and ack.control_id == control_id("toolong"), f"20 MB: {ack.text[:300]!r}")
        check(client.ask(pcd01("afterlong")).code == "AA", "a good frame after one that is too long")


@test
def character_sets(address):
    def in_set(name, declared, encoding, family="Müller"):
        text = observations(name, [obx("2.6", 1, "NM", "HR^^L", "", "72")], family=family)
        lines = text.split("\r")
        fields = (lines[0].split("|") + [""] * 20)[:18]
        fields[17] = declared
        return "\r".join(["|".join(fields)] + lines[1:]).encode(encoding)

    with Client(address) as client:
        for name, declared, encoding in [
            ("utf8", "UNICODE UTF-8", "utf-8"),
            ("latin1", "8859/1", "latin-1"),
            ("latin9", "8859/15", "iso8859-15"),
            ("none", "", "utf-8"),
            ("undeclared", "", "cp1252"),
            ("utf16", "UNICODE UTF-16", "utf-16-le"),
            ("utf16be", "UNICODE UTF-16", "utf-16-be"),
        ]:
            ack = client.ask(in_set(name, declared, encoding))
            check((ack.code, ack.errors()) == ("AA", []), f"{declared} in {encoding}: {ack.text!r}")
        for name, declared, encoding in [("liar", "UNICODE UTF-8", "latin-1"), ("strange", "KLINGON", "latin-1")]:
            ack = client.ask(in_set(name, declared, encoding))
            check(ack.code == "AA", f"{declared} in {encoding}: the number is kept")
            check(ack.errors()[0][0] == "MSH^1^18", f"{declared} in {encoding}: {ack.text!r}")


def neighbour(address, stop, waits):
    """Sends a message every few milliseconds and notes how long each answer took."""
    pattern = pcd01("pattern")
    with Client(address) as client:
        number = 0
        while not stop.is_set():
            begun = time.monotonic()
            ack = client.ask(pattern.replace(control_id("pattern"), control_id(f"n{number}")))
            waits.append(time.monotonic() - begun)
            check(ack.code == "AA" and ack.control_id == control_id(f"n{number}"), "the neighbour's answer")
            number += 1
            time.sleep(0.005)


def main():
    if len(sys.argv) != 2 or ":" not in sys.argv[1]:
        print("usage: mllp_hl7apy.py HOST:PORT", file=sys.stderr)
        return 2
    host, port = sys.argv[1].rsplit(":", 1)
    address = (host, int(port))
    stop, waits = threading.Event(), []
    beside = threading.Thread(target=neighbour, args=(address, stop, waits))
    beside.start()
    try:
        for function in TESTS:
            before = len(FAILURES)
            begun = time.monotonic()
            try:
                function(address)
            except Exception as error:  # a broken connection is a finding, not the end
                check(False, f"{function.__name__}: {type(error).__name__}: {error}")
            word = "ok  " if len(FAILURES) == before else "FAIL"
            print(f"{word} {function.__name__} ({time.monotonic() - begun:.1f} s)")
    finally:
        stop.set()
        beside.join()
    waits.sort()
    if waits:
        print(f"neighbour: {len(waits)} messages, slowest answer {waits[-1] * 1000:.0f} ms")
        check(waits[-1] < 20, "the neighbour never waited twenty seconds")
    else:
        check(False, "the neighbour got an answer")
    print("all checks hold" if not FAILURES else f"{len(FAILURES)} checks failed")
    return 0 if not FAILURES else 1


if __name__ == "__main__":
    sys.exit(main())
