"""What the store has, asked for over FHIR."""

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from support.server import wait_for


def readings(server, device):
    """Number (the value) of every reading of a device, in the journal's order."""
    found, path = [], f"/fhir/Observation?device=Device/{device}&_sort=date&_count=1000"
    while path:
        page = server.get(path)
        for entry in page.get("entry", []):
            resource = entry["resource"]
            offset = int(resource["meta"]["source"].rsplit(":", 1)[1])
            found.append((offset, int(resource["valueQuantity"]["value"])))
        after = [link["url"] for link in page["link"] if link["relation"] == "next"]
        path = after[0].removeprefix(server.url) if after else None
    return [number for _, number in sorted(found)]


def check_exactly_once(server, senders):
    """Every reading that was sent, and by now acknowledged, is stored once and in order (DU-1)."""
    def check(sender):
        device = sender.device
        assert sender.acked == set(range(sender.sent)), device
        numbers = readings(server, device)
        missing = sorted(set(range(sender.sent)) - set(numbers))
        assert not missing, f"{device}: {len(missing)} acknowledged readings are gone: {missing[:20]}"
        doubles = [n for n, times in Counter(numbers).items() if times > 1]
        assert not doubles, f"{device}: stored more than once: {doubles[:20]}"
        swapped = [pair for pair in itertools.pairwise(numbers) if pair[0] > pair[1]]
        assert not swapped, f"{device}: out of order: {swapped[:20]}"
        assert len(numbers) == sender.sent, f"{device}: readings that nobody sent"
        counted = server.get(f"/fhir/Observation?device=Device/{device}&_summary=count")["total"]
        assert counted == sender.sent, f"{device}: {counted} counted, {sender.sent} sent"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(check, senders))
    # The same for the journal, where a repeated message would count again. The view follows the journal.
    expected = {sender.device: sender.sent for sender in senders}
    seen = {}

    def counted():
        seen.update({d["id"]: d["messages"] for d in server.get("/api/v1/devices")["devices"] if d["id"] in expected})
        return all(seen.get(device, 0) >= sent for device, sent in expected.items())

    wait_for(counted, "the devices page to count all messages", 30)
    assert seen == expected, {d: (n, expected[d]) for d, n in seen.items() if n != expected[d]}
