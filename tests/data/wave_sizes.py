#!/usr/bin/env python3
"""What MIT-BIH DS1 takes in Vitalwire's store, and as FLAC, zstd and Parquet, as one table.

    sudo apt-get install flac zstd
    target/test-venv/bin/python tests/data/wave_sizes.py [DS1.tar.zst]

The archive holds WFDB records in format 212 (two leads of 11 bits at 360 Hz); without an argument it is
`mitdb/ds1.tar.zst` under VITALWIRE_DATA or ../shared/data. Ours is the whole database file of a store that
was given frames of one second in commits of ten, as from monitors, and in brackets its blocks alone: samples,
where they came from (PR-1) and the pyramid for drawing. The others get the bare samples as 16-bit
numbers, a file a record (FLAC: two channels; Parquet: two columns; zstd: one lead after the other).
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
import pyarrow
import pyarrow.parquet

HERE = pathlib.Path(__file__).resolve().parents[2]


def format_212(data):
    """Both leads of a record: two samples of 12 bits in three bytes."""
    groups = numpy.frombuffer(data[: len(data) // 3 * 3], numpy.uint8).reshape(-1, 3).astype(numpy.int32)
    first = groups[:, 0] | (groups[:, 1] & 15) << 8
    second = groups[:, 2] | (groups[:, 1] >> 4) << 8
    return [((lead ^ 2048) - 2048).astype("<i2") for lead in (first, second)]


def size(*command, given):
    """Bytes that a program writes to its standard output when it is given others."""
    return len(subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)


def parquet(leads, **options):
    """Bytes of a Parquet file with a column a lead."""
    out = pyarrow.BufferOutputStream()
    table = pyarrow.table({"lead_0": leads[0], "lead_1": leads[1]})
    pyarrow.parquet.write_table(table, out, **options)
    return out.getvalue().size


def main():
    data = pathlib.Path(os.environ.get("VITALWIRE_DATA", HERE / "../shared/data"))
    archive = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else data / "mitdb/ds1.tar.zst"
    if not archive.exists():
        sys.exit(f"{archive} is not there; give its path, or set VITALWIRE_DATA")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tar", "--zstd", "-xf", archive, "-C", folder], check=True)
        records = sorted(pathlib.Path(folder).rglob("*.dat"))
        run = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "store", "--example", "wave_budget"]
        ours = subprocess.run(run + ["--", "records", records[0].parent], cwd=HERE, stdout=subprocess.PIPE, check=True)
        ours = json.loads(ours.stdout)
        raw = ["--silent", "--force-raw-format", "--endian=little", "--sign=signed", "--channels=2", "--bps=16"]
        flac = ["flac", *raw, "--sample-rate=360", "--stdout", "-"]
        sizes, samples = {}, 0
        for record in records:
            leads = format_212(record.read_bytes())
            samples += sum(len(lead) for lead in leads)
            pair = numpy.column_stack(leads).tobytes()
            planes = b"".join(lead.tobytes() for lead in leads)
            found = {
                "FLAC, default (-5)": size(*flac[:1], "-5", *flac[1:], given=pair),
                "FLAC, best (-8)": size(*flac[:1], "-8", *flac[1:], given=pair),
                "zstd -3 of 16-bit samples": size("zstd", "-q", "-3", "-c", given=planes),
                "zstd -19 of 16-bit samples": size("zstd", "-q", "-19", "-c", given=planes),
                "Parquet, pyarrow's defaults (dictionary, Snappy)": parquet(leads),
                "Parquet, delta encoding and zstd": parquet(
                    leads, use_dictionary=False, compression="zstd", column_encoding="DELTA_BINARY_PACKED"
                ),
                "WFDB format 212, as published": record.stat().st_size,
            }
            for name, length in found.items():
                sizes[name] = sizes.get(name, 0) + length
    assert samples == ours["samples"], "both have read the same samples"
    print(f"{len(records)} records, {samples:,} samples\n")
    print("| | Bytes a sample | Bytes |\n|---|---|---|")
    lines = {
        "**Vitalwire, database file**": ours["database_bytes"],
        "Vitalwire, blocks alone": ours["block_bytes"],
        "Vitalwire, samples alone": ours["data_bytes"],
        **sizes,
    }
    for name, length in sorted(lines.items(), key=lambda line: line[1]):
        print(f"| {name} | {length / samples:.3f} | {length:,} |")


if __name__ == "__main__":
    main()
