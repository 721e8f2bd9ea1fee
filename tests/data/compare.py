#!/usr/bin/env python3
"""Compares what a running Vitalwire has stored of a replayed data set with the files themselves.

    vitalwire replay cinc2019 setA.tar.zst setB.tar.zst
    tests/data/compare.py cinc2019 setA.tar.zst setB.tar.zst

Asks over FHIR alone: the count of each device and code with `_summary=count` (in batches, one
patient a request), and for each N-th patient (`--values N`) every Observation, whose value and time
must be the file's. The files are read by an independent reader (recordings.py). Prints what it
compared; exit code 0 if all is equal, 1 if not, 2 if used wrongly.
"""

import argparse
import collections
import concurrent.futures
import datetime
import http.client
import itertools
import json
import math
import sys
import time
import urllib.parse

import recordings

CHUNK = 100
SHOWN = 20
CONNECTION = {}


class Fhir:
    """One kept-alive connection."""

    def __init__(self, base, token):
        url = urllib.parse.urlsplit(base)
        self.link = http.client.HTTPConnection(url.hostname, url.port or 80, timeout=300)
        self.path = url.path.rstrip("/")
        self.headers = {"Content-Type": "application/fhir+json"}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def send(self, method, path, body=None):
        self.link.request(method, self.path + path, body and json.dumps(body), self.headers)
        answer = self.link.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method} {path.split('?')[0]}: {answer.status} {text[:300]}")
        return json.loads(text)


def token_of(code):
    return f"{recordings.MDC if isinstance(code, int) else recordings.LOINC}|{code}"


def counts(fhir, device, codes):
    """The store's counts: of everything of a device, and of each code."""
    every = f"Observation?_summary=count&device={urllib.parse.quote(device)}"
    urls = [every] + [f"{every}&code={urllib.parse.quote(token_of(code))}" for code in codes]
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    answer = fhir.send("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    return [entry["resource"]["total"] for entry in answer["entry"]]


def stored(fhir, device):
    """{(code, time): [values]} of every Observation of a device."""
    found = collections.defaultdict(list)
    path = f"/Observation?device={urllib.parse.quote(device)}&_sort=date&_count=1000"
    while path:
        page = fhir.send("GET", path)
        for entry in page.get("entry", []):
            resource = entry["resource"]
            moment = datetime.datetime.fromisoformat(resource["effectiveDateTime"])
            time_us = round(moment.timestamp() * 1_000_000)
            for coding in resource["code"]["coding"]:
                code = int(coding["code"]) if coding["system"] == recordings.MDC else coding["code"]
                found[code, time_us].append(resource["valueQuantity"]["value"])
        after = [link["url"] for link in page["link"] if link["relation"] == "next"]
        path = after[0].split("/fhir", 1)[1] if after else None
    return found


def compare(base, token, with_values, patients):
    """Differences, compared counts, values in files and values compared one by one."""
    fhir = CONNECTION.setdefault("fhir", None) or Fhir(base, token)
    CONNECTION["fhir"] = fhir
    wrong, compared, values, looked_at = [], 0, 0, 0
    for number, device, readings in patients:
        expected = collections.Counter()
        for (code, _), numbers in readings.items():
            expected[code] += len(numbers)
        codes = sorted(expected, key=str)
        total, *each = counts(fhir, device, codes)
        values += sum(expected.values())
        compared += len(codes)
        if total != sum(expected.values()):
            wrong.append(f"{device}: {total} stored, {sum(expected.values())} in the file")
        for code, count in zip(codes, each):
            if count != expected[code]:
                wrong.append(f"{device} {code}: {count} stored, {expected[code]} in the file")
        if with_values and number % with_values == 0:
            there = stored(fhir, device)
            for key, numbers in readings.items():
                looked_at += len(numbers)
                if not same(sorted(numbers), sorted(there[key])):
                    wrong.append(f"{device} {key}: {sorted(there[key])} stored, {sorted(numbers)} in the file")
    return wrong, compared, values, looked_at


def same(ours, theirs):
    return len(ours) == len(theirs) and all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(ours, theirs))


def chunks(items):
    while chunk := list(itertools.islice(items, CHUNK)):
        yield chunk


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=recordings.KINDS)
    parser.add_argument("paths", nargs="+", help="as given to `vitalwire replay`")
    parser.add_argument("--fhir", default="http://127.0.0.1:8080/fhir")
    parser.add_argument("--token", help="bearer token, if authentication is on")
    parser.add_argument("--patients", type=int, help="only the first so many")
    parser.add_argument("--values", type=int, default=100, metavar="N",
                        help="compare every value of each N-th patient (default 100; 0: none)")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    everybody = itertools.islice(recordings.KINDS[options.kind](options.paths), options.patients)
    numbered = ((number, *patient) for number, patient in enumerate(everybody))
    wrong, totals, patients = [], [0, 0, 0], 0
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        waiting = collections.deque()

        def take():
            found, *numbers = waiting.popleft().result()
            wrong.extend(found)
            totals[:] = map(sum, zip(totals, numbers))

        for chunk in chunks(numbered):
            patients += len(chunk)
            waiting.append(pool.submit(compare, options.fhir, options.token, options.values, chunk))
            if len(waiting) > 2 * options.jobs:
                take()
                if sys.stderr.isatty():
                    print(f"\r{patients} patients, {len(wrong)} differences", end="", file=sys.stderr)
        while waiting:
            take()
    for line in wrong[:SHOWN]:
        print(line)
    print(f"{patients} patients: {totals[0]} counts of a patient and metric, {totals[1]} values in the files, "
          f"{totals[2]} values compared one by one: {'all equal' if not wrong else f'{len(wrong)} differ'} "
          f"({time.monotonic() - began:.0f} s)")
    return 1 if wrong or not patients else 0


if __name__ == "__main__":
    sys.exit(main())
