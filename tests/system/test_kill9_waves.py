"""DU-1 for waveforms: every acknowledged frame is there once, sample by sample, after `kill -9` under load.

In CI 60 beds and five kills; more: KILL_BEDS=300 KILL_WAVES=20 KILL_SEED=7 pytest tests/system/test_kill9_waves.py -s
(a thousand beds: `target/release/bench --only waves-restart`).
"""

import os
import random
import secrets
import time

from support.server import wait_for
from support.waves import Load, associate, channels, checksum, patients, strips

SEED = int(os.environ.get("KILL_SEED", secrets.randbelow(2**32)))
BEDS = int(os.environ.get("KILL_BEDS", "60"))
KILLS = int(os.environ.get("KILL_WAVES", "5"))


def test_every_acknowledged_frame_is_there_once(make_server, tmp_path):
    print(f"KILL_SEED={SEED} KILL_BEDS={BEDS} KILL_WAVES={KILLS}")
    chance = random.Random(SEED)
    server = make_server().start()
    names = [f"wave-{n}" for n in range(BEDS)]
    associate(server, names)
    load = Load(server, tmp_path, BEDS, seconds=8 * KILLS, seed=SEED % 1000)
    wait_for(lambda: server.metric("vitalwire_journal_entries_total") > 2 * BEDS, "the load to begin", 60)
    slowest = 0
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.3, 5))
        server.kill()
        begun = time.monotonic()
        server.start()
        slowest = max(slowest, time.monotonic() - begun)
    report, manifest = load.end()
    print(f"{report['acknowledged']} messages acknowledged, {manifest['reconnects']} connections broke, "
          f"slowest start {slowest:.2f} s")
    # A bed that is not yet back when the next kill comes loses no connection by it.
    assert report["refused"] == 0 and manifest["reconnects"] >= BEDS * KILLS // 2
    # Asking for a count waits until everything acknowledged is in the store.
    server.get("/fhir/Observation?_summary=count")
    of = patients(server)
    wrong = []
    for bed in manifest["beds"]:
        assert bed["acknowledged"] == bed["sent"] == 8 * KILLS
        found = channels(server, of[bed["device"]])
        for channel in bed["channels"]:
            line = found[channel["metric"]]
            assert line["rate"] == channel["rate"]
            stored = strips(server, of[bed["device"]], line)
            if checksum(stored) != (channel["samples"], channel["crc32"]):
                wrong.append((bed["device"], channel, [(s[0], len(s[4])) for s in stored]))
            assert abs(stored[0][0] - channel["first_us"] / 1000) < 1
    assert not wrong, f"{len(wrong)} waveforms are not as they were sent, such as {wrong[0]}"
