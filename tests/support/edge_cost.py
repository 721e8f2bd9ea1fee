"""What an edge costs: memory with so many beds that send waveforms and numerics, with the line up and then cut, and the
time from its start until it answers that it is ready.

    VITALWIRE_BIN=target/release/vitalwire target/test-venv/bin/python tests/support/edge_cost.py [beds ...]

Prints a line for each number of beds (1, 8, 24). Nothing is asserted: figures depend on the machine."""

import json
import pathlib
import sys
import tempfile
import time

import requests

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from support.edge import Edge, Line  # noqa: E402
from support.server import Server  # noqa: E402
from support.waves import Load, associate  # noqa: E402

UP_S, CUT_S = 60, 60


def started_s(edge):
    """Seconds from its start until it is ready. Its port is known: it was started before."""
    begun = time.monotonic()
    edge._spawn()
    while True:
        try:
            if requests.get(f"{edge.url}/readyz", timeout=1).status_code == 200:
                return time.monotonic() - begun
        except requests.RequestException:
            pass
        time.sleep(0.005)


def most(edge, seconds):
    found = {}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for kind, mib in edge.memory_mib().items():
            found[kind] = max(found.get(kind, 0), mib)
        time.sleep(0.5)
    return found


def measure(folder, beds):
    centre = Server(folder / "centre").start()
    line = Line(centre.http)
    code = centre.post("/api/v1/edges", {"id": "ward-7", "name": "Ward 7"})["code"]
    edge = Edge(folder / "edge", f"http://127.0.0.1:{line.port}", code).start()
    try:
        idle = most(edge, 5)
        associate(edge, [f"wave-{n}" for n in range(beds)])
        load = Load(edge, folder, beds, seconds=UP_S + CUT_S, seed=7)
        up = most(edge, UP_S)
        line.cut()
        cut = most(edge, CUT_S)
        load.end()
        line.mend()
        begun = time.monotonic()
        after = most(edge, 5)
        while not edge.delivered():
            now = most(edge, 1)
            after = {kind: max(after[kind], now[kind]) for kind in after}
        caught_up_s = time.monotonic() - begun
        edge.stop()
        again = []
        for _ in range(5):
            again.append(round(started_s(edge), 2))
            edge.stop()
        print(json.dumps({"beds": beds, "idle_mib": idle, "line_up_mib": up, "line_cut_mib": cut, "catching_up_mib": after,
                          "caught_up_s": round(caught_up_s, 1), "ready_s": again}), flush=True)
    finally:
        line.close()
        edge.stop()
        centre.stop()


for beds in [int(arg) for arg in sys.argv[1:]] or [1, 8, 24]:
    with tempfile.TemporaryDirectory() as folder:
        measure(pathlib.Path(folder), beds)
