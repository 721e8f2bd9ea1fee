"""Messages a second that independent libraries read, for `bench --only codecs`: FOLDER of sessions, SECONDS each, an MDIB
(or a path where there is none). Prints one JSON object; what is not installed, or has nothing to read, is left out."""

import json
import logging
import pathlib
import sys
import time

# A sensor's registration over CoAP, as crates/bench reads it.
REGISTRATION = b"\x40\x02\x00\x01\xb2rd\x44ep=s\xff</3303/0>"


def rate(messages, read, seconds):
    """Messages a second, after a warm-up."""
    for limit in (seconds / 10, seconds):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < limit:
            for message in messages:
                read(message)
            count += len(messages)
    return count / (time.perf_counter() - start)


def octets(path):
    """A message in hexadecimal digits."""
    return bytes.fromhex("".join(path.read_text().split()))


def hl7apy(folder, seconds, _):
    from hl7apy.parser import parse_message
    text = (folder / "hl7-pcd-01/1.hl7").read_text()
    # Its own profile of the version, without validation: as fast as it goes.
    return rate([text], lambda message: parse_message(message, find_groups=False), seconds)


def bluetooth_sig(folder, seconds, _):
    from bluetooth_sig.core.translator import BluetoothSIGTranslator
    values = json.loads((folder / "gatt-heart-rate/1.json").read_text())
    payloads = [bytearray.fromhex(value["hex"]) for value in values]
    reader = BluetoothSIGTranslator()
    # One message of ours holds all of these payloads.
    return rate(payloads, lambda payload: reader.parse_characteristic("2A37", payload), seconds) / len(payloads)


def fhir_resources(folder, seconds, _):
    from fhir.resources.R4B.observation import Observation
    texts = [path.read_text() for path in sorted((folder / "fhir-observation").glob("*.json"))]
    return rate(texts, Observation.model_validate_json, seconds)


def cbor2(folder, seconds, _):
    import cbor2
    return rate([octets(folder / "native-senml-cbor/1.hex")], cbor2.loads, seconds)


def pysparkplug(folder, seconds, _):
    from pysparkplug import DBirth
    return rate([octets(folder / "sparkplug-monitor/1.hex")], DBirth.decode, seconds)


def aiocoap(_, seconds, __):
    from aiocoap import Message
    return rate([REGISTRATION], Message.decode, seconds)


def sdc11073(_, seconds, mdib):
    from sdc11073.definitions_sdc import SdcV1Definitions
    from sdc11073.loghelper import LoggerAdapter
    from sdc11073.pysoap.msgreader import MessageReader
    if not mdib.is_file():
        return None
    reader = MessageReader(SdcV1Definitions, None, LoggerAdapter(logging.getLogger("sdc")), validate=False)
    return rate([mdib.read_bytes()], reader.read_mdib_xml, seconds)


PEERS = {"hl7apy": hl7apy, "bluetooth-sig": bluetooth_sig, "fhir.resources": fhir_resources, "cbor2": cbor2,
         "pysparkplug": pysparkplug, "aiocoap": aiocoap, "sdc11073": sdc11073}


def main():
    folder, seconds, mdib = pathlib.Path(sys.argv[1]), float(sys.argv[2]), pathlib.Path(sys.argv[3])
    found = {}
    for name, measure in PEERS.items():
        try:
            found[name] = measure(folder, seconds, mdib)
        except ImportError:
            pass
    print(json.dumps(found))


main()
