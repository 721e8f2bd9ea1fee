"""PA-1 and TI-1: a device moved from bed A to bed B, with late readings from before the move."""

import time

import pytest

from support.bedside import Monitor, admit
from support.live import Viewer
from support.server import wait_for

HR = "MDC_ECG_HEART_RATE"


def rates(tile):
    """The heart rates on a tile, each with its state."""
    return [(value["value"], value["state"]) for value in tile["values"] if value["metric"] == HR]


def stored(server, patient):
    """Every heart rate stored for a patient."""
    page = server.get(f"/fhir/Observation?patient={patient}&code=8867-4&_count=1000")
    return sorted(e["resource"]["valueQuantity"]["value"] for e in page.get("entry", []))


def by_place(server, device, _patient, bed):
    server.post(f"/api/v1/devices/{device}/mount", {"location": bed}, expect=204)


def by_person(server, device, patient, _bed):
    server.post(f"/api/v1/devices/{device}/association", {"patient": patient}, expect=204)


@pytest.mark.parametrize("put", [by_place, by_person])
def test_a_moved_device_moves_nothing_that_came_before(server, put):
    (a, bed_a), (b, bed_b) = admit(server, "A1", "A"), admit(server, "B1", "B")
    viewer, monitor = Viewer(server), Monitor(server, "moved")
    # On A it says 61, 62, …; 64 and every fourth after it are held back. On B it says 161, 162, …
    monitor.say({HR: 60})
    put(server, "moved", a, bed_a)
    time.sleep(0.01)
    of_a, of_b, late = [], [], []
    for rate in range(61, 81):
        if rate % 4:
            monitor.say({HR: rate})
        else:
            late.append((rate, time.time()))
        of_a.append(rate)
        time.sleep(0.05)
    viewer.wait(lambda v: any(r == 79 for t in v.tiles(a) for r, _ in rates(t)), "A's tile to show the device")

    moved = len(viewer.events)
    put(server, "moved", b, bed_b)
    for rate in range(161, 181):
        monitor.say({HR: rate})
        of_b.append(rate)
        if rate % 4 == 0:  # what was measured on A before the move arrives in between
            monitor.say({HR: late[0][0]}, at=late[0][1])
            late.pop(0)
        time.sleep(0.05)
    assert not late
    viewer.wait(lambda v: any(r == 180 for t in v.tiles(b) for r, _ in rates(t)), "B's tile to show the device")
    wait_for(lambda: len(stored(server, a)) >= len(of_a) and len(stored(server, b)) >= len(of_b), "all to be stored")
    assert stored(server, a) == of_a, "every reading on the patient that it belonged to then"
    assert stored(server, b) == of_b
    viewer.stop()
    monitor.stop()

    # No tile showed the other's numbers, not for a moment; and A's last number does not look live.
    shown = {rate for tile in viewer.tiles(a) for rate, _ in rates(tile)}
    assert shown and shown <= set(of_a), shown
    shown = {rate for tile in viewer.tiles(b) for rate, _ in rates(tile)}
    assert shown and shown <= set(of_b), shown
    viewer.events = viewer.events[moved:]
    after = viewer.tiles(a)
    assert after, "A's tile changed when the device left"
    settled = [state for tile in after[1:] or after for _, state in rates(tile)]
    assert "live" not in settled, settled
