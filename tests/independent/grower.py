#!/usr/bin/env python3
"""Our risk models beside what scikit-learn makes of the same numbers: boosted trees and logistic regression.

`vitalwire model features` writes what a model is made from. For each of the five parts of the patients, scikit-learn
learns from the other four with the model's own settings and says what it thinks of the fifth; areas (and for mortality
score 1) are computed by scikit-learn and numpy and stand beside the figures in the shipped model's card, which come of
the same parts. It checks how trees are grown and how areas are measured, not the features.

Usage: tests/independent/grower.py --data DIR ... [--model mortality-48h] [--every N]
DIR as with `vitalwire model train`; VITALWIRE_BIN names the program (target/release/vitalwire). Logistic regression
learns from every Nth moment only (1). Needs numpy and scikit-learn (`pip install scikit-learn`; large, so not among
tests/requirements.txt). Exit code 0: no area of ours is more than 0.02 below that of scikit-learn's trees, or skipped
because scikit-learn or the data are not there; 1: one is.
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# As in crates/training/src/recipe.rs. A child's least weight has no counterpart there; rows are not drawn.
SETTINGS = {
    "mortality-48h": {"max_iter": 75, "learning_rate": 0.1, "max_leaf_nodes": 10, "max_depth": 4, "l2_regularization": 5.0, "max_features": 0.15},
    "deterioration-vitals": {"max_iter": 160, "learning_rate": 0.05, "max_leaf_nodes": 32, "max_depth": 6, "l2_regularization": 50.0, "max_features": 0.3},
    "sepsis-ahead": {"max_iter": 240, "learning_rate": 0.05, "max_leaf_nodes": 32, "max_depth": 6, "l2_regularization": 50.0, "max_features": 0.2},
}
BAGS = {"mortality-48h": 8}
WORST = 0.02


def trees(model):
    """Boosted trees with the model's settings, as many forests as it averages."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    def fit(x, y, weight):
        grown = [
            HistGradientBoostingClassifier(**SETTINGS[model], max_bins=125, early_stopping=False, random_state=seed).fit(x, y, weight)
            for seed in range(BAGS.get(model, 1))
        ]
        return lambda rows: sum(one.decision_function(rows) for one in grown) / len(grown)

    return fit


def regression(every):
    """Logistic regression; what is missing is the median and marked."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def fit(x, y, weight):
        line = make_pipeline(
            SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), LogisticRegression(C=0.01, max_iter=300)
        ).fit(x[::every], y[::every], logisticregression__sample_weight=weight[::every])
        return line.decision_function

    return fit


def out_of_fold(fit, x, y, weight, folds):
    """What learners say of the part that they have not seen."""
    import numpy

    said = numpy.full(len(y), numpy.nan)
    for fold in range(5):
        learned, own = (folds != fold) & (weight > 0), folds == fold
        said[own] = fit(x[learned], y[learned], weight[learned])(x[own])
    return said


def score_1(event, said, folds):
    """The lesser of sensitivity and positive predictivity, with as many predicted on the other parts as died there."""
    import numpy

    alarm = numpy.zeros(len(event), bool)
    for fold in range(5):
        others, own = folds != fold, folds == fold
        alarm[own] = said[own] >= numpy.sort(said[others])[-int(event[others].sum())]
    right = (alarm & event).sum()
    return right / max(event.sum(), alarm.sum())


def card(model):
    """Our own figures."""
    figures = json.loads((ROOT / f"crates/predict/models/{model}.json").read_text())["card"]["figures"]
    return {figure["name"]: figure["value"] for figure in figures if figure.get("group") is None}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--model", default="mortality-48h", choices=SETTINGS)
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    try:
        import numpy
        import sklearn
        from sklearn.metrics import average_precision_score, roc_auc_score
    except ImportError as missing:
        print(f"skipped: {missing} (pip install scikit-learn)")
        return 0
    if absent := [folder for folder in arguments.data if not pathlib.Path(folder).is_dir()]:
        print(f"skipped: no folder {', '.join(absent)}")
        return 0
    program = os.environ.get("VITALWIRE_BIN", str(ROOT / "target/release/vitalwire"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "model", "features", "--model", arguments.model, "--data", *arguments.data, "--out", folder], check=True)
        x = numpy.load(pathlib.Path(folder) / "features.npy")
        with open(pathlib.Path(folder) / "moments.csv", newline="") as table:
            moments = list(csv.DictReader(table))
    folds = numpy.array([int(moment["fold"]) for moment in moments])
    alarm = numpy.array([moment["alarm"] == "1" for moment in moments])
    weight = numpy.array([float(moment["weight"]) for moment in moments])
    asked = numpy.array([moment["event"] != "" for moment in moments])
    event = numpy.array([moment["event"] == "1" for moment in moments])
    del moments
    # scikit-learn takes no column that nobody has a value in.
    x = x[:, numpy.all([~numpy.isnan(x[folds != fold]).all(axis=0) for fold in range(5)], axis=0)]
    ours, worse = card(arguments.model), False
    print(f"{arguments.model}: {len(x)} moments, {x.shape[1]} features, scikit-learn {sklearn.__version__}")
    print(f"{'ours, by its card':<24} AUROC {ours['AUROC']:.3f}  AUPRC {ours['AUPRC']:.3f}" + (f"  score 1 {ours['score 1']:.3f}" if "score 1" in ours else ""))
    for name, fit in [("boosted trees", trees(arguments.model)), ("logistic regression", regression(arguments.every))]:
        said = out_of_fold(fit, x, alarm, weight, folds)
        areas = {"AUROC": roc_auc_score(event[asked], said[asked]), "AUPRC": average_precision_score(event[asked], said[asked])}
        told = f"{name:<24} AUROC {areas['AUROC']:.3f}  AUPRC {areas['AUPRC']:.3f}"
        if "score 1" in ours:
            told += f"  score 1 {score_1(event, said, folds):.3f}"
        print(told, flush=True)
        worse |= name == "boosted trees" and any(ours[area] < theirs - WORST for area, theirs in areas.items())
    return int(worse)


if __name__ == "__main__":
    sys.exit(main())
