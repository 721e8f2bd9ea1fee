"""What the recordings hold, read by an independent hand: counts and values by device and code.

Shares nothing with crates/sim but the rules in docs/interfaces/sim.md (devices' names, where time
begins, what is left out). Codes are those of IEEE 11073-10101, typed for this file; the few that
the standard lacks are LOINC's. A value is what the store is expected to give: in the metric's own
unit, microseconds since 1970.
"""

import csv
import datetime
import gzip
import io
import os
import pathlib
import subprocess
import tarfile

EPOCH_S = 1_546_300_800  # 2019-01-01T00:00:00Z
MDC = "urn:iso:std:iso:11073:10101"
LOINC = "http://loinc.org"
FRACTION = 100.0  # of a fraction, in percent

HR, SPO2, TEMP, RESP = 147842, 150456, 150364, 151562
NIBP, ABP = (150021, 150022, 150023), (150037, 150038, 150039)  # systolic, diastolic, mean
FIO2, PH, PCO2, PO2, SAO2 = 152196, 159748, 159752, 159756, 150324
WBC, FIBRINOGEN, GCS, TROPONIN_T = "6690-2", "3255-7", "9269-2", "6598-7"

CINC2019 = {
    "HR": HR, "O2Sat": SPO2, "Temp": TEMP, "SBP": NIBP[0], "MAP": NIBP[2], "DBP": NIBP[1],
    "Resp": RESP, "EtCO2": 151728, "BaseExcess": 160108, "HCO3": 160008, "FiO2": (FIO2, FRACTION),
    "pH": PH, "PaCO2": PCO2, "SaO2": SAO2, "AST": 192900, "BUN": 192655, "Alkalinephos": 194589,
    "Calcium": 194596, "Chloride": 192863, "Creatinine": 194599, "Bilirubin_direct": 192890,
    "Glucose": 194602, "Lactate": 192884, "Magnesium": 192860, "Phosphate": 192862,
    "Potassium": 194607, "Bilirubin_total": 192887, "TroponinI": 192756, "Hct": 160132,
    "Hgb": 159764, "PTT": 194725, "WBC": WBC, "Fibrinogen": FIBRINOGEN, "Platelets": 192871,
}
CINC2012 = {
    "Albumin": 192867, "ALP": 194589, "ALT": 192903, "AST": 192900, "Bilirubin": 192887,
    "BUN": 192655, "Cholesterol": 192878, "Creatinine": 194599, "SysABP": ABP[0], "DiasABP": ABP[1],
    "MAP": ABP[2], "FiO2": (FIO2, FRACTION), "GCS": GCS, "Glucose": 194602, "HCO3": 160008,
    "HCT": 160132, "Height": 188740, "HR": HR, "K": 194607, "Lactate": 192884, "Mg": 192860,
    "Na": 159960, "NISysABP": NIBP[0], "NIDiasABP": NIBP[1], "NIMAP": NIBP[2], "PaCO2": PCO2,
    "PaO2": PO2, "pH": PH, "Platelets": 192871, "RespRate": RESP, "SaO2": SAO2, "Temp": TEMP,
    "TroponinI": 192756, "TroponinT": TROPONIN_T, "Urine": 157744, "WBC": WBC, "Weight": 188736,
}


def folder():
    """VITALWIRE_DATA, else ../shared/data beside the checkout; none if neither is there."""
    root = pathlib.Path(__file__).resolve().parents[2]
    found = pathlib.Path(os.environ.get("VITALWIRE_DATA") or root.parent / "shared" / "data")
    return found if found.is_dir() else None


def text_files(path, ending):
    """(stem, text) of the files of a folder or a .tar.zst archive, in order of their paths."""
    path = pathlib.Path(path)
    if path.is_dir():
        for file in sorted(path.rglob(f"*{ending}")):
            yield file.stem, file.read_text()
        return
    unpacked = subprocess.run(["zstd", "-dc", path], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as tar:
        for member in sorted(tar.getmembers(), key=lambda member: member.name):
            if member.isfile() and member.name.endswith(ending):
                yield pathlib.PurePath(member.name).stem, tar.extractfile(member).read().decode()


def coded(code):
    """A code with the factor that its values are multiplied by."""
    return code if isinstance(code, tuple) else (code, 1.0)


def cinc2019(paths):
    """Yields (device, {(code, time): {values}}) of Challenge 2019."""
    for path in paths:
        for stem, text in text_files(path, ".psv"):
            hospital = "A" if int(stem[1:]) < 100_000 else "B"
            readings = {}
            for row in csv.DictReader(io.StringIO(text), delimiter="|"):
                time_us = (EPOCH_S + (int(row["ICULOS"]) - 1) * 3_600) * 1_000_000
                for name, code in CINC2019.items():
                    if row[name] != "NaN":
                        code, factor = coded(code)
                        readings.setdefault((code, time_us), set()).add(float(row[name]) * factor)
            yield f"cinc2019-{hospital}-{stem}", readings


def cinc2012(paths):
    """Yields (device, {(code, time): {values}}) of Challenge 2012; negative numbers are unknown."""
    for path in paths:
        for stem, text in text_files(path, ".txt"):
            if not stem.isdigit():
                continue
            readings = {}
            for time, name, value in list(csv.reader(io.StringIO(text)))[1:]:
                if name not in CINC2012 or float(value) < 0:
                    continue
                hours, minutes = time.split(":")
                time_us = (EPOCH_S + int(hours) * 3_600 + int(minutes) * 60) * 1_000_000
                code, factor = coded(CINC2012[name])
                readings.setdefault((code, time_us), set()).add(float(value) * factor)
            yield f"cinc2012-{stem}", readings


KINDS = {"cinc2019": cinc2019, "cinc2012": cinc2012}
