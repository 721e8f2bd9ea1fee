"""Looks at live waveforms as a program of somebody else would: the WebSocket of docs/interfaces/waveforms.md, with the `websockets`
library and nothing of ours."""

import json
import struct
import time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

HEADER = struct.Struct("<BBHIdIIffI")
SAMPLES, PAIRS = 1, 2
THINNED = 1


class WaveViewer:
    """One viewer. `bytes_per_s` is what its link carries: it reads, and acknowledges, no faster."""

    def __init__(self, server, headers=None, origin=None, bytes_per_s=None):
        address = f"ws://{server.http[0]}:{server.http[1]}/api/v1/waveforms/live"
        self.connection = connect(address, additional_headers=headers, origin=origin, proxy=None, max_size=None)
        self.socket = self.connection.__enter__()
        self.pace = bytes_per_s
        self.told = []  # texts but for the time
        self.counts = {}  # samples by view
        self.starts = {}  # time of the first sample of each message, with its rate, by view
        self.pairs = 0  # messages of pairs
        self.thinned = 0  # messages that were thinned for the link

    def watch(self, channels, columns_per_s=300):
        """`channels`: view, patient, series."""
        wanted = [{"view": view, "patient": patient, "series": series} for view, patient, series in channels]
        self.socket.send(json.dumps({"type": "watch", "channels": wanted, "columns_per_s": columns_per_s}))

    def read(self, limit_s):
        """Takes in what comes for a while; False when the server closed."""
        end = time.monotonic() + limit_s
        while (left := end - time.monotonic()) > 0:
            try:
                message = self.socket.recv(timeout=left)
            except TimeoutError:
                return True
            except ConnectionClosed:
                return False
            if self.pace:
                time.sleep(len(message) / self.pace)
            self.take(message)
        return True

    def until(self, condition, what, limit_s=60):
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, f"waited {limit_s} s in vain for: {what}; {self.told[-5:]}"
            assert self.read(0.2), f"closed while waiting for: {what}"

    def take(self, message):
        if isinstance(message, str):
            text = json.loads(message)
            if text["type"] == "time":
                self.socket.send(json.dumps({"type": "seen", "ms": text["now_ms"]}))
            else:
                self.told.append(text)
            return
        version, kind, flags, view, start_ms, n, d, scale, offset, count = HEADER.unpack_from(message)
        assert version == 1 and kind in (SAMPLES, PAIRS), (version, kind)
        assert len(message) == HEADER.size + 2 * count * (2 if kind == PAIRS else 1)
        self.thinned += bool(flags & THINNED)
        if kind == PAIRS:
            self.pairs += 1
            return
        self.starts.setdefault(view, []).append((start_ms, (n, d), count, scale, offset))
        self.counts.setdefault(view, []).extend(struct.unpack_from(f"<{count}h", message, HEADER.size))

    def close(self):
        self.connection.__exit__(None, None, None)
