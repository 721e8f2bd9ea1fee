"""Writes the Vitalwire waveform frame, version 1. Needs nothing but Python 3.

    from vitalwire_frame import Channel, I16, encode
    payload = encode(sequence=1, time_us=..., channels=[Channel(metric=131328, rate=(250, 1),
                     scale=0.005, samples=[12, 14, None, 13])])
    client.publish("vitalwire/monitor-7/waveform", payload, qos=1)

`python3 vitalwire_frame.py --example` prints the example of the documentation in hexadecimal.
"""

import struct
import sys
import zlib
from dataclasses import dataclass, field

I16, I24, I32, DELTA_VARINT = range(4)
RECORDED, HAS_TIME, TEST = 1, 2, 4
QUESTIONABLE, INVALID, CALIBRATING, QUALITY_TEST = 1, 2, 16, 32
_BITS = {I16: 16, I24: 24, I32: 32}


@dataclass
class Channel:
    """One waveform. value = raw * scale + offset, in the unit; None is a missing sample."""

    metric: int  # context-free IEEE 11073-10101 code
    rate: tuple  # samples a second as (numerator, denominator)
    samples: list = field(default_factory=list)
    scale: float = 1.0
    offset: float = 0.0
    unit: int = 0  # context-free code of the unit; 0: the metric's own
    channel: int = 0  # which of several like channels
    delay_us: int = 0  # first sample, after the frame's time
    quality: int = 0
    encoding: int = I16


def encode(sequence, channels, time_us=None, flags=0):
    """One frame. Without `time_us` the receiver's clock stands in."""
    if time_us is not None:
        flags |= HAS_TIME
    out = struct.pack("<4sBBHIq", b"VWWF", 1, flags, len(channels), sequence & 0xFFFFFFFF, time_us or 0)
    for c in channels:
        data = _samples(c.encoding, c.samples)
        out += struct.pack("<5Ii4B2d2I", c.metric, c.channel, c.unit, c.rate[0], c.rate[1], c.delay_us,
                           c.encoding, c.quality, 0, 0, c.scale, c.offset, len(c.samples), len(data))
        out += data
    return out + struct.pack("<I", zlib.crc32(out))


def _samples(encoding, samples):
    out = bytearray()
    if encoding == DELTA_VARINT:
        previous = 0
        for sample in samples:
            if sample is None:
                out.append(0)
                continue
            delta, previous = sample - previous, sample
            number = (delta * 2 if delta >= 0 else -delta * 2 - 1) + 1
            while number >= 0x80:
                out.append(number & 0x7F | 0x80)
                number >>= 7
            out.append(number)
        return bytes(out)
    bits = _BITS[encoding]
    lowest = -(1 << (bits - 1))
    for sample in samples:
        raw = lowest if sample is None else max(lowest + 1, min(-lowest - 1, sample))
        out += raw.to_bytes(bits // 8, "little", signed=True)
    return bytes(out)


def example():
    """The frame that the documentation shows and the tests compare."""
    gap = [-40, -29, -18, None, 4, 15, 26, 37]
    same = dict(metric=150036, rate=(125, 2), scale=0.5, offset=-1.25)
    return encode(4711, [
        Channel(samples=gap, **same),
        Channel(samples=[-40, -70040, -140040, -210040], encoding=I24, channel=2, delay_us=-8000,
                quality=QUESTIONABLE, **same),
        Channel(samples=[-40, 999960, 1999960], encoding=I32, unit=266016, **same),
        Channel(samples=gap, encoding=DELTA_VARINT, **same),
    ], time_us=1_700_000_000_123_456)


if __name__ == "__main__" and sys.argv[1:] == ["--example"]:
    text = example().hex()
    print("\n".join(text[i:i + 64] for i in range(0, len(text), 64)))
