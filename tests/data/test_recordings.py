"""Recordings, judged by other people's readers and writers: `wfdb`, `pyedflib`, `mne`, `pyarrow`. What we write,
they read identically, and the other way round. Records are made here; where the data sets are there
(see recordings.folder), they are taken as well."""

import csv
import datetime
import pathlib
import random
import subprocess
import tarfile

import numpy as np
import pytest
import recordings

mne = pytest.importorskip("mne")
pyedflib = pytest.importorskip("pyedflib")
parquet = pytest.importorskip("pyarrow.parquet")
wfdb = pytest.importorskip("wfdb")

from support.server import binary  # noqa: E402

NONE = -(2**31)
START = datetime.datetime(2023, 4, 5, 6, 7, 8, 250_000)
# Bytes and samples of one block of a format.
BLOCKS = {"8": (1, 1), "16": (2, 1), "24": (3, 1), "32": (4, 1), "61": (2, 1), "80": (1, 1), "160": (2, 1),
          "212": (3, 2), "310": (4, 3), "311": (4, 3)}
LOWEST = {"16": -(2**15), "61": -(2**15), "160": -(2**15), "24": -(2**23), "32": NONE, "80": -128, "212": -2048,
          "310": -512, "311": -512, "508": -128, "516": -(2**15), "524": -(2**23), "8": None}


def convert(source, target, *flags):
    done = subprocess.run([binary(), "record", "convert", str(source), str(target), *flags], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


def ours(source, tmp_path):
    """Channels as our reader has them: label -> (microseconds, counts, values), missing ones left out."""
    target = tmp_path / "ours.parquet"
    convert(source, target)
    table = parquet.read_table(target)
    channels = {}
    number = table["channel"].to_numpy()
    times = table.column(0).cast("int64").to_numpy()
    labels = table["label"].to_numpy(zero_copy_only=False)
    for at in np.unique(number):
        rows = number == at
        columns = (times[rows], table["count"].to_numpy()[rows], table["value"].to_numpy()[rows])
        before = channels.get(labels[rows][0])
        # In EDF a channel whose gain changes is several of one name.
        channels[labels[rows][0]] = columns if before is None else tuple(map(np.concatenate, zip(before, columns)))
    return channels


def theirs(record):
    """The same by wfdb: label -> (sample numbers, counts, values)."""
    physical = wfdb.rdrecord(str(record), physical=True, smooth_frames=False)
    big_endian = "61" in physical.fmt  # wfdb gives such samples as values only
    digital = None if big_endian else wfdb.rdrecord(str(record), physical=False, smooth_frames=False)
    channels = {}
    for at, label in enumerate(physical.sig_name):
        values = np.asarray(physical.e_p_signal[at])
        there = ~np.isnan(values)
        counts = digital and np.asarray(digital.e_d_signal[at])[there]
        channels[label] = (np.flatnonzero(there), counts, values[there])
    return channels


def same(ours, theirs, rates, start_us=0):
    for label, (at, counts, values) in theirs.items():
        if not len(at):
            continue
        times, our_counts, our_values = ours[label]
        expected = start_us + np.floor(at * 1e6 / rates[label]).astype("int64")
        assert len(times) == len(at), label
        assert np.abs(times - expected).max() <= 1, label
        assert counts is None or (our_counts == counts).all(), label
        np.testing.assert_allclose(our_values, values, rtol=1e-12, atol=1e-12, err_msg=label)


@pytest.mark.parametrize("per_frame", [(1, 1, 1), (4, 2, 1)])
@pytest.mark.parametrize("offset", [0, 24])
@pytest.mark.parametrize("form", BLOCKS)
def test_any_bytes_in_any_signal_format(tmp_path, form, offset, per_frame):
    draw = random.Random(f"{form} {offset} {per_frame}")
    size, samples = BLOCKS[form]
    frames = 60
    data = bytearray(draw.randrange(256) for _ in range(frames * sum(per_frame) * size // samples + offset))
    if form == "311":
        data[offset + 3::4] = bytes(byte & 0x3F for byte in data[offset + 3::4])  # 30 of 32 bits are used
    (tmp_path / "r.dat").write_bytes(data)
    lines = ["r 3 62.5 60 10:11:12.5 3/4/2021"]
    for at, count in enumerate(per_frame):
        lines.append(f"r.dat {form}x{count}+{offset} {200 + at}({at * 7})/mV 12 0 5 0 0 s{at}")
    (tmp_path / "r.hea").write_text("\n".join(lines) + "\n")
    rates = {f"s{at}": 62.5 * count for at, count in enumerate(per_frame)}
    start = datetime.datetime(2021, 4, 3, 10, 11, 12, 500_000, datetime.timezone.utc)
    same(ours(tmp_path / "r.hea", tmp_path), theirs(tmp_path / "r"), rates, round(start.timestamp() * 1e6))


def made(folder, name="m", form="16", seed=1, samples=5_000, rate=250, **more):
    low = LOWEST[form]
    counts = np.random.default_rng(seed).integers(low + 1, -low - 1, size=(samples, 3))
    counts[17, 1] = low  # a missing sample
    wfdb.wrsamp(name, fs=rate, units=["mV", "mmHg", "NU"], sig_name=["II", "ABP", "PLETH"], d_signal=counts,
                fmt=[form] * 3, adc_gain=[200.0, 6554.0, 1.25], baseline=[0, 512, -7], write_dir=str(folder), **more)
    return folder / name


@pytest.mark.parametrize("form", ["16", "24", "32", "80", "212", "508", "516", "524"])
def test_wfdb_there_and_back(tmp_path, form):
    record = made(tmp_path, form=form, base_datetime=START)
    rates = dict.fromkeys(["II", "ABP", "PLETH"], 250)
    start_us = round(START.replace(tzinfo=datetime.timezone.utc).timestamp() * 1e6)
    there = theirs(record)
    same(ours(record, tmp_path), there, rates, start_us)
    (tmp_path / "copy").mkdir()
    convert(record, tmp_path / "copy" / "c1", *(["--packed"] if form == "212" else []))
    copy = wfdb.rdheader(str(tmp_path / "copy" / "c1"))
    assert copy.base_datetime == START
    back = theirs(tmp_path / "copy" / "c1")
    for label, (at, counts, values) in there.items():
        assert all((a == b).all() for a, b in zip(back[label], (at, counts, values))), label


def test_edf_there_and_back(tmp_path):
    record = made(tmp_path, base_datetime=START)
    symbols, ticks = ["N", "V", "+", '"'], np.array([10, 300, 301, 4_900])
    wfdb.wrann("m", "atr", ticks, symbols, aux_note=["", "", "(AFIB", "hello"], fs=250, write_dir=str(tmp_path))
    convert(record, tmp_path / "m.edf")
    there = theirs(record)
    with pyedflib.EdfReader(str(tmp_path / "m.edf")) as reader:
        assert reader.getStartdatetime().replace(microsecond=0) == START.replace(microsecond=0)
        assert reader.starttime_subsecond == 2_500_000  # of 100 ns; getStartdatetime takes it for nanoseconds
        for at, label in enumerate(reader.getSignalLabels()):
            digital, physical = reader.readSignal(at, digital=True), reader.readSignal(at)
            index, counts, values = there[label]
            assert reader.getSampleFrequency(at) == 250 and (digital[index] == counts).all()
            np.testing.assert_allclose(physical[index], values, rtol=1e-5, atol=1e-5)
        onsets, _, texts = reader.readAnnotations()
    assert [round(onset, 6) for onset in onsets] == [0.04, 1.2, 1.204, 19.6]
    assert list(texts) == ["Beat N", "Beat V", "Rhythm (AFIB", "hello"]
    raw = mne.io.read_raw_edf(tmp_path / "m.edf", preload=True, verbose="error")
    assert raw.info["sfreq"] == 250 and raw.ch_names == ["II", "ABP", "PLETH"]
    index, _, values = there["II"]
    np.testing.assert_allclose(raw.get_data(picks=["II"])[0][index] * 1e3, values, rtol=1e-5, atol=1e-5)
    # And from EDF to WFDB again, nothing changed: not a count, a value, a missing sample or a mark.
    convert(tmp_path / "m.edf", tmp_path / "again")
    back = theirs(tmp_path / "again")
    for label, expected in there.items():
        assert all((a == b).all() for a, b in zip(back[label], expected)), label
    marks = wfdb.rdann(str(tmp_path / "again"), "atr")
    assert list(marks.symbol) == symbols and list(marks.aux_note) == ["", "", "(AFIB", "hello"]
    assert [round(tick / marks.fs, 6) for tick in marks.sample] == [0.04, 1.2, 1.204, 19.6]


def test_edf_of_pyedflib(tmp_path):
    file = tmp_path / "theirs.edf"
    headers = [{"label": f"ch{at}", "dimension": "uV", "sample_frequency": rate, "physical_min": -3276.8,
                "physical_max": 3276.7, "digital_min": -32768, "digital_max": 32767, "transducer": "", "prefilter": ""}
               for at, rate in enumerate((256, 128, 50))]
    draw = np.random.default_rng(4)
    counts = [draw.integers(-32768, 32767, size=20 * head["sample_frequency"]).astype("int32") for head in headers]
    with pyedflib.EdfWriter(str(file), 3) as writer:
        writer.setSignalHeaders(headers)
        writer.setStartdatetime(START.replace(microsecond=0))  # pyedflib loses parts of a second
        writer.writeSamples(counts, digital=True)
        writer.writeAnnotation(1.5, 2.25, "Apnoea")
        writer.writeAnnotation(7, -1, "mark")
    found = ours(file, tmp_path)
    start_us = round(START.replace(microsecond=0, tzinfo=datetime.timezone.utc).timestamp() * 1e6)
    for at, head in enumerate(headers):
        times, digital, values = found[head["label"]]
        assert (digital == counts[at]).all()
        assert times[0] == start_us and times[-1] - times[0] == (len(times) - 1) * 1_000_000 // head["sample_frequency"]
        np.testing.assert_allclose(values, counts[at] * 0.1, atol=1e-9)
    convert(file, tmp_path / "w")
    marks = wfdb.rdann(str(tmp_path / "w"), "atr")
    assert list(marks.aux_note) == ["Apnoea", "mark"] and [round(t / marks.fs, 6) for t in marks.sample] == [1.5, 7]


def gapped(folder):
    """A record of segments in which channels come, go and change their gain."""
    first, second = made(folder, "g_1", seed=1, samples=500), made(folder, "g_2", seed=2, samples=300)
    assert first and second
    lines = (folder / "g_1.hea").read_text().splitlines()[1:4]
    layout = ["g_layout 3 250 0"] + [" ".join(["~ 0", *line.split()[2:]]) for line in lines]
    (folder / "g_layout.hea").write_text("\n".join(layout) + "\n")
    # The second segment has another gain.
    (folder / "g_2.hea").write_text((folder / "g_2.hea").read_text().replace(" 200.0(0)/mV", " 100.0(3)/mV"))
    (folder / "g.hea").write_text("g/4 3 250 50800 06:07:08.250 05/04/2023\ng_layout 0\ng_1 500\n~ 50000\ng_2 300\n")
    return folder / "g"


def test_gaps_there_and_back(tmp_path):
    record = gapped(tmp_path)
    expected = ours(record, tmp_path)
    assert all(len(times) == (799 if label == "ABP" else 800) or label == "ABP" for label, (times, _, _) in expected.items())
    # wfdb reads the segments that we write as it reads its own.
    (tmp_path / "copy").mkdir()
    convert(record, tmp_path / "copy" / "c")
    assert "~ " in (tmp_path / "copy" / "c.hea").read_text()
    mine = wfdb.rdrecord(str(tmp_path / "copy" / "c"), physical=True, m2s=True)
    other = wfdb.rdrecord(str(record), physical=True, m2s=True)
    assert mine.sig_name == other.sig_name
    np.testing.assert_allclose(mine.p_signal, other.p_signal, equal_nan=True, rtol=1e-12)
    for target, flags in [("d.edf", []), ("c.edf", ["--contiguous"])]:
        convert(record, tmp_path / target, *flags)
        found = ours(tmp_path / target, tmp_path)
        for label, columns in expected.items():
            assert all((a == b).all() for a, b in zip(found[label], columns)), (target, label)
    kind, onsets, duration = records(tmp_path / "d.edf")
    assert kind == "EDF+D" and onsets[0] == 0.25 and onsets[-1] - onsets[-2] >= duration
    with pyedflib.EdfReader(str(tmp_path / "c.edf")) as reader:
        assert (reader.readSignal(0, digital=True)[500:50_500] == -32768).all()


def records(file):
    """Kind, onsets and duration of the records of an EDF+ file, by its description."""
    data = file.read_bytes()
    kind, duration, count = data[192:236].decode().strip(), float(data[244:252]), int(data[252:256])
    sizes = [int(data[256 + count * 216 + 8 * at:][:8]) for at in range(count)]
    header, size = 256 * (count + 1), 2 * sum(sizes)
    lists = 2 * sum(sizes[:-1])
    return kind, [float(data[at + lists:at + lists + 30].split(b"\x14")[0]) for at in range(header, len(data), size)], duration


def test_tables(tmp_path):
    record = made(tmp_path, samples=100, base_datetime=START)
    expected = ours(record, tmp_path)
    convert(record, tmp_path / "t.csv")
    with open(tmp_path / "t.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for label, (times, counts, values) in expected.items():
        lines = [row for row in rows if row["label"] == label]
        stamps = [datetime.datetime.fromisoformat(row["time"]) for row in lines]
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        assert [(stamp - epoch) // datetime.timedelta(microseconds=1) for stamp in stamps] == list(times)
        assert [int(row["count"]) for row in lines] == list(counts)
        assert [float(row["value"]) for row in lines] == list(values)
    convert(record, tmp_path / "w.csv", "--wide")
    with open(tmp_path / "w-250hz.csv", newline="") as file:
        wide = list(csv.DictReader(file))
    assert len(wide) == 100 and wide[17]["ABP [mmHg]"] == ""
    assert [float(row["II [mV]"]) for row in wide] == list(expected["II"][2])
    table = parquet.read_table(tmp_path / "ours.parquet")
    assert table.column_names == ["time", "channel", "label", "unit", "count", "value"]
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"
    assert table.schema.metadata[b"channel.1"] == b"ABP|mmHg|250/1|MDC_PRESS_BLD_ART_ABP"


ROOT = recordings.folder()


@pytest.mark.skipif(not ROOT or not (ROOT / "wfdb/samples.tar.zst").exists(), reason="no wfdb samples; set VITALWIRE_DATA")
def test_records_of_physionet(tmp_path):
    for archive in ("wfdb/samples", "mitdb/ds1", "cinc2017/sample"):
        folder = tmp_path / archive.split("/")[0]
        folder.mkdir()
        subprocess.run(["tar", "--zstd", "-xf", ROOT / f"{archive}.tar.zst", "-C", folder], check=True)
    mitdb = sorted((tmp_path / "mitdb").rglob("*.hea"))[:1]
    cinc = sorted((tmp_path / "cinc2017").rglob("*.hea"))[:10]
    samples = [file for file in (tmp_path / "wfdb").rglob("*.hea") if readable(file)]
    assert mitdb and len(samples) > 40
    for header in mitdb + cinc + samples:
        record = header.with_suffix("")
        single = wfdb.rdheader(str(record))
        found = ours(header, tmp_path)
        if getattr(single, "n_seg", None) is not None:
            joined = wfdb.rdrecord(str(record), physical=True)
            if record.name != "041s":
                joined_same(found, joined)  # of 041s wfdb gives means of frames
            continue
        rates = {label: single.fs * per for label, per in zip(single.sig_name, single.samps_per_frame)}
        start = single.base_datetime
        start_us = 0 if start is None else (start - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)
        same(found, theirs(record), rates, start_us)
    for header in mitdb:
        record = header.with_suffix("")
        convert(record, record.parent / "again")
        mine, other = wfdb.rdann(str(record.parent / "again"), "atr"), wfdb.rdann(str(record), "atr")
        for field in ("sample", "symbol", "subtype", "chan", "num"):
            assert list(getattr(mine, field)) == list(getattr(other, field)), (record, field)
        assert list(mine.aux_note) == [text.rstrip("\0") for text in other.aux_note]


def joined_same(found, joined):
    for label, values in zip(joined.sig_name, joined.p_signal.T):
        there = ~np.isnan(values)
        if there.any():
            times, _, ours_there = found[label]
            np.testing.assert_allclose(ours_there, values[there], rtol=1e-9, atol=1e-9, err_msg=label)
            numbers = (times - times[0]) * joined.fs / 1e6
            assert np.abs(numbers - (np.flatnonzero(there) - np.flatnonzero(there)[0])).max() < 1e-3


def readable(header):
    """Whether wfdb itself can read the record: of some, the samples hold only parts."""
    try:
        wfdb.rdrecord(str(header.with_suffix("")), smooth_frames=False)
    except Exception:  # whatever the reason
        return False
    return True
