#!/usr/bin/env python3
"""How well learners of other kinds tell deaths in the Challenge 2012 from our features, on six partitions of the patients.

A score 1 on one partition owes much to chance, so each learner is judged on the partitions 0 (the documented one) to 5
of `vitalwire model evaluate --cv mortality-48h --partition N`: it learns from four parts and says what it thinks of the
fifth, and who is predicted to die is decided by a threshold from the other parts. Learners that are not trees see every
number as its rank among those learned from, as a normal score; what is missing is the middle and marked.

At the end: H (score 2) of risks that are right by construction. Patients get the calibrated risks of the boosted trees
and die by lot with just these probabilities, 2,000 times.

Usage: tests/independent/attainable.py --data DIR [--only NAME ...]
VITALWIRE_BIN names the program (target/release/vitalwire). Needs numpy, scipy and scikit-learn, and catboost for one
of the learners, which is left out without it; takes some ten minutes. Exit code 0: done, or skipped because
scikit-learn or the data are not there.
"""

import argparse
import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings

from grower import ROOT, SETTINGS, score_1

PARTITIONS = 6
BITS = (1 << 64) - 1


def part(name):
    """The part of five that a name falls into: FNV-1a, mixed as SplitMix64 does (Steele, Lea and Flood, OOPSLA 2014)."""
    number = 0xCBF29CE484222325
    for byte in name.encode():
        number = (number ^ byte) * 0x100000001B3 & BITS
    number = number + 0x9E3779B97F4A7C15 & BITS
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & BITS
    number = (number ^ number >> 27) * 0x94D049BB133111EB & BITS
    return (number ^ number >> 31) % 5


def ranked(x, learned):
    """Normal scores of the ranks among the rows learned from, and marks of what is missing."""
    import numpy
    from scipy.stats import norm

    scores = numpy.zeros(x.shape)
    for column in range(x.shape[1]):
        values, there = x[:, column], ~numpy.isnan(x[:, column])
        known = numpy.sort(values[learned & there])
        middle = (numpy.searchsorted(known, values[there], "left") + numpy.searchsorted(known, values[there], "right")) / 2
        scores[there, column] = norm.ppf(numpy.clip((middle + 0.5) / (len(known) + 1), 0.005, 0.995))
    missing = numpy.unique(numpy.isnan(x).astype(float), axis=1)
    share = missing[learned].mean(axis=0)
    missing = missing[:, (share > 0.05) & (share < 0.95)]
    return numpy.hstack([scores, 0.5 * (missing - missing[learned].mean(axis=0)) / missing[learned].std(axis=0)])


def log_odds(probability):
    """Log-odds, bounded."""
    import numpy

    bounded = numpy.clip(probability, 1e-4, 1 - 1e-4)
    return numpy.log(bounded / (1 - bounded))


def learners():
    """Each with whether it wants ranks, and a function from what is learned from to one that judges rows."""
    import numpy
    from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    # The neural networks are stopped early on purpose.
    warnings.simplefilter("ignore", ConvergenceWarning)

    def bent(x):
        return numpy.hstack([x, numpy.maximum(x - 0.7, 0), numpy.maximum(x + 0.7, 0)])

    def averaged(make, count, judge):
        def fit(x, y):
            grown = [make(seed).fit(x, y) for seed in range(count)]
            return lambda rows: sum(judge(one, rows) for one in grown) / count

        return fit

    said = lambda one, rows: one.decision_function(rows)
    odds = lambda one, rows: log_odds(one.predict_proba(rows)[:, 1])
    line = averaged(lambda _: LogisticRegression(C=0.003, max_iter=300), 1, said)
    boosted = dict(SETTINGS["mortality-48h"], max_bins=125, early_stopping=False)
    extra = lambda seed: ExtraTreesClassifier(100, min_samples_leaf=4, max_features=0.15, random_state=seed)
    found = {
        "boosted trees (scikit-learn)": (False, averaged(lambda seed: HistGradientBoostingClassifier(**boosted, random_state=seed), 2, said)),
        "logistic regression, bent": (True, lambda x, y: (lambda one: lambda rows: one(bent(rows)))(line(bent(x), y))),
        "support vectors, radial": (True, averaged(lambda _: SVC(C=0.5, gamma=0.0004), 1, said)),
        "neural networks, two": (True, averaged(lambda seed: MLPClassifier((32,), alpha=3.0, max_iter=25, batch_size=100, learning_rate_init=0.002, random_state=seed), 2, odds)),
        "extremely random trees": (True, averaged(extra, 1, odds)),
    }
    try:
        from catboost import CatBoostClassifier

        cat = lambda seed: CatBoostClassifier(iterations=300, learning_rate=0.06, depth=4, l2_leaf_reg=5, rsm=0.15, border_count=48, verbose=0, random_seed=seed, allow_writing_files=False, thread_count=1)
        found["CatBoost"] = (False, averaged(cat, 1, lambda one, rows: one.predict(rows, prediction_type="RawFormulaVal")))
    except ImportError:
        pass
    return found


def by_lot(margins, event, folds):
    """The mean H of risks that are right, and how often it is above 20."""
    import numpy
    from sklearn.linear_model import LogisticRegression

    risk = numpy.zeros(len(event))
    for fold in range(5):
        terms = numpy.stack([margins**power for power in (1, 2, 3)], axis=1)
        risk[folds == fold] = LogisticRegression(C=1.0, max_iter=1000).fit(terms[folds != fold], event[folds != fold]).predict_proba(terms[folds == fold])[:, 1]
    tenths = numpy.sort(risk).reshape(10, -1).mean(axis=1)
    draws, drawn = numpy.random.default_rng(1), []
    for _ in range(2_000):
        deaths = (draws.random(len(risk)) < numpy.sort(risk)).reshape(10, -1).sum(axis=1)
        size = len(risk) / 10
        drawn.append(((deaths - size * tenths) ** 2 / (size * tenths * (1 - tenths) + 0.001)).sum() / (tenths[-1] - tenths[0]))
    return numpy.mean(drawn), numpy.mean(numpy.array(drawn) > 20)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    try:
        import numpy
        import sklearn
        from sklearn.metrics import roc_auc_score
    except ImportError as missing:
        print(f"skipped: {missing} (pip install scikit-learn)")
        return 0
    if not pathlib.Path(arguments.data).is_dir():
        print(f"skipped: no folder {arguments.data}")
        return 0
    program = os.environ.get("VITALWIRE_BIN", str(ROOT / "target/release/vitalwire"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "model", "features", "--model", "mortality-48h", "--data", arguments.data, "--out", folder], check=True)
        x = numpy.load(pathlib.Path(folder) / "features.npy").astype(float)
        with open(pathlib.Path(folder) / "moments.csv", newline="") as table:
            moments = list(csv.DictReader(table))
    event = numpy.array([moment["event"] == "1" for moment in moments])
    names = [moment["record"] for moment in moments]
    partitions = [numpy.array([part(f"{name}/{number}" if number else name) for name in names]) for number in range(PARTITIONS)]
    assert all(int(moment["fold"]) == fold for moment, fold in zip(moments, partitions[0])), "the program divides the patients otherwise"
    x = x[:, (~numpy.isnan(x)).sum(axis=0) >= 60]
    x = x[:, numpy.nanstd(x, axis=0) > 0]
    print(f"{len(x)} patients, {event.sum()} died, {x.shape[1]} features, scikit-learn {sklearn.__version__}")
    trees = None
    for name, (ranks, fit) in learners().items():
        if arguments.only and name not in arguments.only:
            continue
        said = numpy.zeros((PARTITIONS, len(x)))
        for own, folds in zip(said, partitions):
            for fold in range(5):
                learned = folds != fold
                rows = ranked(x, learned) if ranks else x
                own[~learned] = fit(rows[learned], event[learned])(rows[~learned])
        score = [score_1(event, own, folds) for own, folds in zip(said, partitions)]
        area = numpy.mean([roc_auc_score(event, own) for own in said])
        print(f"{name:<32} score 1 {numpy.mean(score):.3f} ({min(score):.3f}-{max(score):.3f})  AUROC {area:.3f}", flush=True)
        trees = said if trees is None and not ranks else trees
    if trees is not None:
        mean, above = by_lot(trees[0], event, partitions[0])
        print(f"H of risks that are right by construction: {mean:.1f} in the mean, above 20 in {above:.0%} of 2,000 draws")
    return 0


if __name__ == "__main__":
    sys.exit(main())
