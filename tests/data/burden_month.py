#!/usr/bin/env python3
"""Makes a data folder with a month of alerts of many beds, and measures how long it takes to say what they cost.

    VITALWIRE_BIN=target/release/vitalwire target/test-venv/bin/python tests/data/burden_month.py FOLDER --beds 1000 --days 30 --alerts 8

A patient lies in each bed for the whole time with one device. `--alerts` a bed and day, each with its record and its history (raised, passed on,
taken, ended, judged, as it falls): three of four of limits, the others of rules. The same seed makes the same alerts. There are no readings:
what another limit would have spared is looked up and not found. The folder is not encrypted (`keys.encrypt = false`), so that rows can be written from
here, after one example of each kind that the program made itself; the next start encrypts it. Prints the time of `vitalwire report burden` and of GET /api/v1/burden.
"""

import argparse
import json
import pathlib
import random
import sqlite3
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from support.bedside import WELL, Monitor, admit  # noqa: E402
from support.server import Server, wait_for  # noqa: E402

DAY_US = 86_400_000_000
UNIT_BEDS = 25
LIMITS = [(150456, "Oxygen saturation low", "SpO2 < 88"), (147842, "Heart rate high", "HR > 130"), (151562, "Respiratory rate high", "RR > 30")]
RULES = ["news2", "shock-index", "asystole", "respiratory-depression"]


def example(server):
    """One patient, encounter, place and association as the program keeps them."""
    patient, location = admit(server, "M0", "0", "U0")
    monitor = Monitor(server, "mon-0")
    monitor.say(WELL)
    wait_for(lambda: any(d["id"] == "mon-0" for d in server.get("/api/v1/devices")["devices"]), "the device to be known")
    server.call("POST", "/api/v1/devices/mon-0/association", {"patient": patient}, expect=204)
    monitor.drop()
    time.sleep(2)
    return patient, location


def copy(db, table, row, pairs, columns):
    """A row again, with words replaced in every text and body, and some columns anew."""

    def replaced(value):
        for old, new in pairs:
            if isinstance(value, bytes):
                value = value.replace(old.encode(), new.encode())
            elif isinstance(value, str):
                value = value.replace(old, new)
        return value

    values = [columns.get(name, replaced(row[name])) for name in row.keys()]
    db.execute(f"insert or replace into {table} values ({','.join('?' * len(values))})", values)


def history(chance, lasts, nurse):
    events = [(0, "raised", "system")]
    if chance.random() < 0.1:
        events.append((120_000_000, "escalated", "system"))
    if chance.random() < 0.5:
        events.append((min(lasts, chance.randrange(20, 400) * 1_000_000), "acknowledged", nurse))
    events.append((lasts, "resolved", "system"))
    if chance.random() < 0.1:
        events.append((lasts + 60_000_000, "judged", nurse))
    return sorted(events)


def alerts(db, options, location, end_us):
    chance = random.Random(options.seed)
    beds, span = options.beds, options.days * DAY_US
    times = sorted((end_us - span + chance.randrange(span), chance.randrange(beds)) for _ in range(beds * options.days * options.alerts))
    rows, events = [], []
    for number, (at, bed) in enumerate(times):
        limit = chance.random() < 0.75
        metric, title, mark = chance.choice(LIMITS)
        rule = chance.choice(RULES)
        condition, title = ({"Limit": metric}, title) if limit else ({"Rule": rule}, rule)
        lasts = int(chance.expovariate(1 / 180e6)) + 5_000_000
        body = {"episode": {"condition": condition, "title": title, "reason": f"{title} ({mark} for 15 s): …", "readings": []},
                "location": f"{location}-{bed}"}
        name = (1_000_000 + number, 0)
        rows.append((*name, f"p-{bed}", None, f"U{bed // UNIT_BEDS}", json.dumps(condition), chance.choice([1, 1, 2, 2, 3]), "resolved", 0,
                     at, at + lasts, json.dumps(body).encode()))
        for order, (after, kind, actor) in enumerate(history(chance, lasts, f"nurse-{bed % 40}")):
            word = {"verdict": "not-actionable"} if kind == "judged" else {"priority": "medium"}
            events.append((*name, name[0], order, at + after, kind, actor, json.dumps(word).encode()))
    db.executemany("insert into alerts (episode_offset, episode_index, patient, device, unit, condition, priority, state, open, raised, changed, body)"
                   " values (?,?,?,?,?,?,?,?,?,?,?,?)", rows)
    db.executemany("insert into alert_events (episode_offset, episode_index, journal_offset, order_index, at, kind, actor, body)"
                   " values (?,?,?,?,?,?,?,?)", events)
    return len(rows), len(events)


def fill(data, options, patient, location, end_us):
    db = sqlite3.connect(data / "store.db")
    db.row_factory = sqlite3.Row
    begin = end_us - options.days * DAY_US
    one = lambda text, *values: db.execute(text, values).fetchone()  # noqa: E731
    place = one("select * from directory where kind = 'location' and id = ?", location)
    stay = one("select * from directory where kind = 'encounter' and patient = ?", patient)
    since = lambda row: (f'"start":{json.loads(row["body"])["start"]}', f'"start":{begin}')  # noqa: E731
    worn = one("select * from associations where device = 'mon-0' order by start desc")
    for bed in range(options.beds):
        pairs = [(location, f"{location}-{bed}"), (stay["id"], f"enc-{bed}"), (patient, f"p-{bed}"), ("mon-0", f"mon-{bed}"),
                 ('"U0"', f'"U{bed // UNIT_BEDS}"'), ('"bed":"0"', f'"bed":"{bed}"')]
        copy(db, "directory", place, pairs, {"updated": begin})
        copy(db, "directory", stay, [*pairs, since(stay)], {"updated": begin, "version": 1})
        copy(db, "associations", worn, [*pairs, since(worn)], {"start": begin, "updated": begin, "until": None})
    counts = alerts(db, options, location, end_us)
    db.commit()
    db.close()
    return counts


def best(act, times=3):
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        told = act()
        taken.append(time.perf_counter() - begin)
    return min(taken), told


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--beds", type=int, default=1000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--alerts", type=int, default=8, help="a bed and day")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--wait", type=int, default=30, help="seconds after the start in which the program keeps the hours")
    options = parser.parse_args()
    data = options.folder / "data"
    fresh = not data.exists()
    config = options.folder / "config.toml"
    config.write_text("[keys]\nencrypt = false\n")
    server = Server(data, config=config).start()
    if fresh:
        patient, location = example(server)
        server.stop()
        rows, events = fill(data, options, patient, location, int(time.time() * 1e6))
        print(f"{options.beds} beds, {options.days} days, {rows} alerts with {events} events", flush=True)
        server.config = None
        server.start()
        time.sleep(options.wait)  # the hours are kept meanwhile
    now_ms = int(time.time() * 1e3)
    for name, query in (("month", f"?from_ms={now_ms - options.days * 86_400_000}&to_ms={now_ms}"), ("week", "")):
        took, told = best(lambda query=query: server.get(f"/api/v1/burden{query}"))
        figures = told["now"]["figures"]
        print(f"GET /api/v1/burden, {name}: {took:.2f} s ({figures['alerts']} alerts, {figures['bed_days']:.0f} bed-days)", flush=True)
    server.stop()
    day = lambda back: time.strftime("%Y-%m-%d", time.gmtime(time.time() - back * 86_400))  # noqa: E731
    took, _ = best(lambda: server.run("report", "burden", "--from", day(options.days), "--to", day(-1), "--json"))
    print(f"vitalwire report burden, month: {took:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
