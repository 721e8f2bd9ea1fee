#!/usr/bin/env python3
"""Other people's models: what scikit-learn trains and skl2onnx writes is imported and says what onnxruntime says.

A boosted classifier is trained on made-up patients, written as ONNX, imported with a feature map (`predict::onnx`),
and asked about rows beside onnxruntime; then once more with its questions turned into all four kinds of comparison and
a way for missing values drawn for each (scikit-learn writes one kind only), asked about rows with holes. What cannot be understood, a random
forest and trees behind a scaler, must be refused with a word.

Usage: tests/independent/onnx_models.py [--keep FOLDER]
Needs cargo, numpy, scikit-learn, skl2onnx and onnxruntime (`pip install skl2onnx onnxruntime scikit-learn`; large, so
not among tests/requirements.txt). Exit code 0: all equal, or skipped because they are not there; 1: something differs.
"""

import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FEATURES = ["HR.last", "Resp.last", "SBP.last", "Lactate.last", "age"]


def example(name, *arguments, text=None):
    command = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "predict", "--example", name, "--", *map(str, arguments)]
    return subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT)


def feature_map():
    anything = {"missing": 0.1, "low": -1e6, "high": 1e6, "edges": [], "shares": [1.0]}
    return {
        "format": "vitalwire-model/1",
        "id": "imported",
        "version": "1.0.0",
        "title": "Imported",
        "outcome": {"words": "an event", "definition": "made up", "horizon_h": 24},
        "population": "nobody",
        "intended_use": "a test",
        "requires": {"checks": [], "unusual_most": 9},
        "calibration": {"intercept": 0, "slope": 1, "curve": [], "interval": [], "fitted": "as exported"},
        "doubt": {"level": 0.9, "event_from": 0.5, "none_up_to": 0.5, "fitted": "not fitted"},
        "thresholds": [],
        "card": {"data": "made up", "command": "tests/independent/onnx_models.py", "training": "scikit-learn", "figures": [], "limits": []},
        "features": [{"name": name, "reference": None, "distribution": anything} for name in FEATURES],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=pathlib.Path, help="leave the files in this folder")
    options = parser.parse_args()
    try:
        import numpy
        import onnx
        import onnxruntime
        from skl2onnx import to_onnx
        from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError as missing:
        print(f"skipped: {missing.name} is not installed (pip install skl2onnx onnxruntime scikit-learn)")
        return 0
    folder = options.keep or pathlib.Path(tempfile.mkdtemp())
    draws = numpy.random.default_rng(7)
    centre, spread = [85, 18, 120, 1.8, 60], [18, 5, 22, 1.2, 15]
    whole = draws.normal(centre, spread, (3000, 5)).astype(numpy.float32).round(1)
    risk = (whole[:, 0] - 85) / 18 + (whole[:, 1] - 18) / 5 - (whole[:, 2] - 120) / 22 + (whole[:, 3] - 1.8) / 1.2
    event = draws.random(3000) < 1 / (1 + numpy.exp(2 - risk))
    holes = whole.copy()
    holes[draws.random(holes.shape) < 0.2] = numpy.nan
    (folder / "map.json").write_text(json.dumps(feature_map(), indent=1))
    good = True

    def imported(name, proto):
        path = folder / f"{name}.onnx"
        path.write_bytes(proto.SerializeToString())
        return path, example("import_onnx", path, folder / "map.json")

    def written(model):
        return to_onnx(model.fit(whole, event), whole[:1], options={"zipmap": False})

    def altered(proto):
        """The same trees with other comparisons and ways for what is missing."""
        trees = next(node for node in proto.graph.node if node.op_type.startswith("TreeEnsemble"))
        of = {attribute.name: attribute for attribute in trees.attribute}
        modes = of["nodes_modes"].strings
        for at, mode in enumerate(modes):
            if mode != b"LEAF":
                modes[at] = draws.choice([b"BRANCH_LEQ", b"BRANCH_LT", b"BRANCH_GT", b"BRANCH_GTE"])
        ways = [int(way) for way in draws.integers(0, 2, len(modes))]
        trees.attribute.remove(of["nodes_missing_value_tracks_true"])
        trees.attribute.append(onnx.helper.make_attribute("nodes_missing_value_tracks_true", ways))
        # Thresholds that values stand on, so that "at most" and "less" differ.
        floats = of["nodes_values"].floats
        for at, value in enumerate(list(floats)):
            floats[at] = round(value, 1)
        return proto

    model = GradientBoostingClassifier(n_estimators=20, max_depth=3, random_state=1)
    for name, proto, rows in [("boosted", written(model), whole), ("altered", altered(written(model)), holes)]:
        path, done = imported(name, proto)
        if done.returncode != 0:
            print(f"{name}: {done.stderr.strip()}")
            good = False
            continue
        ours = folder / f"{name}.json"
        ours.write_text(done.stdout)
        asked = rows[:500]
        lines = "".join(json.dumps([None if math.isnan(v) else float(v) for v in row]) + "\n" for row in asked)
        done = example("explain", ours, text=lines)
        said = [1 / (1 + math.exp(-json.loads(line)["margin"])) for line in done.stdout.splitlines()]
        session = onnxruntime.InferenceSession(str(path))
        theirs = session.run(None, {session.get_inputs()[0].name: asked})[1][:, 1]
        told = [{"row": json.loads(line), "probability": float(p)} for line, p in zip(lines.splitlines(), theirs)]
        (folder / f"{name}.rows.json").write_text("[" + ",\n".join(map(json.dumps, told[:60])) + "]\n")
        worst = max(abs(a - b) for a, b in zip(said, theirs))
        print(f"{name}: {len(said)} rows, {len(json.loads(ours.read_text())['forest']['trees'])} trees, largest difference of a probability {worst:.1e}")
        good &= worst < 1e-5 and len(said) == len(asked)

    for name, model in [
        ("forest", RandomForestClassifier(n_estimators=5, max_depth=3, random_state=1)),
        ("scaled", make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=3, random_state=1))),
    ]:
        _, done = imported(name, written(model))
        print(f"{name}: refused: {done.stderr.strip()}" if done.returncode else f"{name}: was taken")
        good &= done.returncode == 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
