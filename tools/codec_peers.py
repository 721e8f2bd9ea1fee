"""Messages a second that independent libraries read, for `bench --only codecs`: FOLDER of sessions, SECONDS each.
Prints one JSON object; a library that is not installed is left out."""

import json
import pathlib
import sys
import time


def rate(messages, read, seconds):
    """Messages a second, after a warm-up."""
    for limit in (seconds / 10, seconds):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < limit:
            for message in messages:
                read(message)
            count += len(messages)
    return count / (time.perf_counter() - start)


def hl7apy(folder, seconds):
    from hl7apy.parser import parse_message
    text = (folder / "hl7-pcd-01/1.hl7").read_text()
    # Its own profile of the version, without validation: as fast as it goes.
    return rate([text], lambda message: parse_message(message, find_groups=False), seconds)


def bluetooth_sig(folder, seconds):
    from bluetooth_sig.core.translator import BluetoothSIGTranslator
    values = json.loads((folder / "gatt-heart-rate/1.json").read_text())
    payloads = [bytearray.fromhex(value["hex"]) for value in values]
    reader = BluetoothSIGTranslator()
    return rate(payloads, lambda payload: reader.parse_characteristic("2A37", payload), seconds) / len(payloads)


def main():
    folder, seconds = pathlib.Path(sys.argv[1]), float(sys.argv[2])
    found = {}
    for name, measure in (("hl7apy", hl7apy), ("bluetooth-sig", bluetooth_sig)):
        try:
            found[name] = measure(folder, seconds)
        except ImportError:
            pass
    print(json.dumps(found))


main()
