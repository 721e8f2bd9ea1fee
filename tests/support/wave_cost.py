"""What viewers of live waveforms cost the server: CPU time a second with so many viewers of 32 channels each, beside none.

    VITALWIRE_BIN=target/release/vitalwire target/test-venv/bin/python tests/support/wave_cost.py [viewers ...]

Prints a line for each number of viewers. Nothing is asserted: figures depend on the machine."""

import asyncio
import json
import os
import pathlib
import sys
import tempfile
import time

from websockets.asyncio.client import connect

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from support.server import Server, wait_for  # noqa: E402
from support.waves import Load, associate  # noqa: E402

BEDS, CHANNELS, SECONDS, SETTLE_S = 16, 32, 20, 5


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def channels(server):
    """All waveforms: patient and series."""
    found = []
    for tile in server.get("/api/v1/ward")["tiles"]:
        patient = tile["patient"]["id"]
        found += [(patient, c["series"]) for c in server.get(f"/api/v1/patients/{patient}/waveforms")["channels"]]
    return found


async def look(server, wanted, counted):
    async with connect(f"ws://{server.http[0]}:{server.http[1]}/api/v1/waveforms/live", proxy=None,
                       compression=None, max_size=None) as socket:
        watch = [{"view": view, "patient": patient, "series": series} for view, (patient, series) in enumerate(wanted)]
        await socket.send(json.dumps({"type": "watch", "channels": watch, "columns_per_s": 100}))
        async for message in socket:
            if isinstance(message, str):
                text = json.loads(message)
                if text["type"] == "time":
                    await socket.send(json.dumps({"type": "seen", "ms": text["now_ms"]}))
                counted["thinned"] += text.get("why") == "slow link"
            else:
                counted["bytes"] += len(message)


async def measure(server, viewers):
    wanted = channels(server)[:CHANNELS]
    counted = {"bytes": 0, "thinned": 0}
    tasks = [asyncio.create_task(look(server, wanted, counted)) for _ in range(viewers)]
    await asyncio.sleep(SETTLE_S)
    before, begin, told = cpu_s(server.process.pid), time.monotonic(), counted["bytes"]
    await asyncio.sleep(SECONDS)
    passed = time.monotonic() - begin
    used, sent = (cpu_s(server.process.pid) - before) / passed, (counted["bytes"] - told) / passed
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return used, sent, counted["thinned"]


def main():
    numbers = [int(text) for text in sys.argv[1:]] or [0, 10, 40]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(pathlib.Path(folder) / "data").start()
        try:
            length = len(numbers) * (SECONDS + SETTLE_S + 3) + 15
            associate(server, [f"wave-{bed}" for bed in range(BEDS)])
            load = Load(server, pathlib.Path(folder), BEDS, length, 1)
            wait_for(lambda: len(channels(server)) >= 4 * BEDS, "the waveforms")
            none = None
            for viewers in numbers:
                used, sent, thinned = asyncio.run(measure(server, viewers))
                none = used if none is None else none
                each = (used - none) / viewers * 1000 if viewers else 0.0
                print(f"{viewers} viewers of {CHANNELS} channels: {used * 100:.1f}% of a core, {each:.2f} ms CPU a second each, "
                      f"{sent / 1000:.0f} kB/s sent, thinned {thinned} times", flush=True)
            load.end()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
