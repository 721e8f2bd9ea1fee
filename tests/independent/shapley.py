#!/usr/bin/env python3
"""Explanations of risk models beside PyPI's `shap`, which computes Shapley values of trees with code of its own.

Each model's trees are read from its file by this script, given to `shap.TreeExplainer` (interventional, with the
model's reference row as the only background), and compared with what `predict` says of the same rows: every share and
the log-odds. Rows are drawn from the distributions that the model's file states, some values missing, some far outside.
A second comparison needs no package: log-odds by a walk through the trees that was written for this file alone.

Usage: tests/independent/shapley.py [--rows N] [MODEL.json …]
Without files: the models in crates/predict/models and the small one in fuzz/seeds. Needs cargo, numpy and shap
(`pip install shap`; large, so not among tests/requirements.txt). Exit code 0: all equal, or skipped because shap is not
there; 1: some share differs by more than 1e-5 in log-odds (shap adds up in single precision here and there).
"""

import argparse
import json
import math
import pathlib
import random
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 1e-5


def draw(feature, random):
    """A value of a feature as training had it, now and then one that it never had."""
    spread = feature["distribution"]
    chance = random.random()
    if chance < max(spread["missing"], 0.02) or spread["low"] is None:
        return None
    if chance > 0.98:
        return random.choice([spread["low"] * 3 - 50, spread["high"] * 3 + 50])
    edges = [spread["low"], *spread["edges"], spread["high"]]
    at = random.choices(range(len(edges) - 1), weights=spread["shares"])[0]
    value = random.uniform(edges[at], edges[at + 1])
    # Thresholds lie between values, so values that stand exactly on an edge matter, too.
    return random.choice([value, edges[at], float(round(value))])


def walk(model, row):
    """The log-odds by hand."""
    total = model["forest"]["base"]
    for tree in model["forest"]["trees"]:
        at = 0
        while tree["feature"][at] >= 0:
            value = row[tree["feature"][at]]
            low = tree["missing"][at] == 1 if value is None else value <= tree["value"][at]
            at = tree["low"][at] + (0 if low else 1)
        total += tree["value"][at]
    return total


def by_shap(model, rows):
    import numpy
    import shap

    def tree(own):
        feature, low = numpy.array(own["feature"]), numpy.array(own["low"])
        leaf = feature < 0
        left, right = numpy.where(leaf, -1, low), numpy.where(leaf, -1, low + 1)
        return {
            "children_left": left,
            "children_right": right,
            "children_default": numpy.where(numpy.array(own["missing"]) == 1, left, right),
            "features": numpy.where(leaf, -2, feature),
            # The same singles as ours; shap compares in doubles.
            "thresholds": numpy.float32(own["value"]).astype(numpy.float64),
            "values": numpy.where(leaf, numpy.float32(own["value"]).astype(numpy.float64), 0.0).reshape(-1, 1),
            "node_sample_weight": numpy.ones(len(feature)),
        }

    def table(rows):
        return numpy.array([[math.nan if v is None else v for v in row] for row in rows], dtype=numpy.float32).astype(numpy.float64)

    reference = table([[feature["reference"] for feature in model["features"]]])
    trees = {
        "trees": [tree(own) for own in model["forest"]["trees"]],
        "base_offset": model["forest"]["base"],
        "internal_dtype": numpy.float64,
        "input_dtype": numpy.float64,
    }
    explainer = shap.TreeExplainer(trees, reference, feature_perturbation="interventional", model_output="raw")
    return explainer.shap_values(table(rows), check_additivity=False)


def ours(path, rows):
    command = ["cargo", "run", "--quiet", "--release", "--locked", "-p", "predict", "--example", "explain", "--", str(path)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


def single(value):
    """The value as a single, which is what models take."""
    import struct

    return None if value is None else struct.unpack("f", struct.pack("f", value))[0]


def compare(path, count):
    model = json.loads(path.read_text())
    # Numbers of the file are singles; Python reads them as doubles that are nearly so.
    for tree in model["forest"]["trees"]:
        tree["value"] = [single(value) for value in tree["value"]]
    chance = random.Random(2019)
    rows = [[single(draw(feature, chance)) for feature in model["features"]] for _ in range(count)]
    said = ours(path, rows)
    worst_margin = max(abs(one["margin"] - walk(model, row)) for one, row in zip(said, rows))
    others = by_shap(model, rows)
    worst = max(abs(a - b) for one, other in zip(said, others) for a, b in zip(one["shares"], other))
    sums = max(abs(sum(one["shares"]) - (one["margin"] - one["reference"])) for one in said)
    moved = sum(abs(share) > 1e-3 for one in said for share in one["shares"]) / count
    print(f"{path.name}: {count} rows, {moved:.0f} shares above 0.001 a row; largest difference of a share {worst:.1e}, "
          f"of log-odds {worst_margin:.1e}, of the shares' sum {sums:.1e}")
    return worst <= TOLERANCE and worst_margin <= 1e-9 and sums <= 1e-9


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("models", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    try:
        import shap  # noqa: F401
    except ImportError:
        print("skipped: shap is not installed (pip install shap)")
        return 0
    models = options.models or sorted((ROOT / "crates/predict/models").glob("*.json")) + sorted((ROOT / "fuzz/seeds/risk_model").glob("*.json"))
    return 0 if all([compare(path.resolve(), options.rows) for path in models]) else 1


if __name__ == "__main__":
    sys.exit(main())
