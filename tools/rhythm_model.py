"""Computes the tables of the record's judge and of the streaming search for atrial fibrillation.

    vitalwire signal evaluate --reference REFERENCE.csv --measures measures.csv DIR
    python tools/rhythm_model.py measures.csv REFERENCE.csv crates/signal/src/rhythm/table.rs

REFERENCE.csv and DIR are those of the PhysioNet/CinC Challenge 2017 (https://physionet.org/content/challenge-2017/).
Needs numpy and scikit-learn. Prints how well a model of one half of the patients judges the other half and
cross-validated figures; the tables are those of a model of all records. Without the third argument nothing is written.
"""

import csv
import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

CLASSES = ["N", "A", "O", "~"]
# Two measures at a time whose product says more than each: found by forward selection on cross-validated likelihood.
PRODUCTS = [
    ("p06", "p_clear"), ("p_clear", "qrs_bad"), ("entropy", "rate"), ("sd", "shortest"), ("entropy", "f_wave"),
    ("p_likeness", "rate"), ("shortest", "f_wave"), ("p06", "shortest"), ("p_likeness", "shortest"),
    ("p_clear", "af_evidence"), ("median_step", "median_step"),
]
CLIP = 4.0
STRENGTH = 0.05  # inverse of the penalty
THRESHOLD = 0.4  # probability from which a record is called atrial fibrillation
THRESHOLD_NOISY = 0.22  # and from which the rest is called too noisy
SEED = 2017


def read(measures, reference):
    truth = {row[0]: row[1] for row in csv.reader(open(reference)) if len(row) == 2}
    rows = list(csv.reader(open(measures)))
    names, rows = rows[0][1:], [row for row in rows[1:] if len(row) > 1]
    window = [i for i, name in enumerate(names) if name.startswith("window_")]
    record = [i for i in range(len(names)) if i not in window]
    values = np.array([[float(v) for v in row[1:]] for row in rows])
    labels = np.array([truth[row[0]] for row in rows])
    return [names[i] for i in record], values[:, record], values[:, window], labels


class Model:
    """Softmax regression over standardised measures and some of their products."""

    def __init__(self, names, values, labels):
        self.pairs = [(names.index(a), names.index(b)) for a, b in PRODUCTS]
        self.mean, self.scale = values.mean(0), values.std(0) + 1e-6
        terms = self.terms(values)
        mean, scale = terms.mean(0), terms.std(0) + 1e-6
        fit = LogisticRegression(C=STRENGTH, max_iter=5000).fit((terms - mean) / scale, labels)
        order = [list(fit.classes_).index(c) for c in CLASSES]
        self.weights = fit.coef_[order] / scale
        self.bias = fit.intercept_[order] - self.weights @ mean

    def terms(self, values):
        scaled = np.clip((values - self.mean) / self.scale, -CLIP, CLIP)
        return np.hstack([scaled] + [(scaled[:, a] * scaled[:, b])[:, None] for a, b in self.pairs])

    def probabilities(self, values):
        scores = self.terms(values) @ self.weights.T + self.bias
        raised = np.exp(scores - scores.max(1, keepdims=True))
        return raised / raised.sum(1, keepdims=True)

    def judge(self, values):
        probabilities = self.probabilities(values)
        best = np.where(probabilities[:, 0] >= probabilities[:, 2], 0, 2)
        best = np.where(probabilities[:, 3] >= THRESHOLD_NOISY, 3, best)
        best = np.where(probabilities[:, 1] >= THRESHOLD, 1, best)
        return np.array(CLASSES)[best]


def f1(truth, said, letter):
    both = ((truth == letter) & (said == letter)).sum()
    return 2 * both / max(1, (truth == letter).sum() + (said == letter).sum())


def report(title, truth, said):
    print(title, " ".join(f"F1({c}) {f1(truth, said, c):.3f}" for c in CLASSES))


def halves(names, values, labels):
    said = labels.copy()
    for fit, judge in StratifiedKFold(2, shuffle=True, random_state=SEED).split(values, labels):
        said[judge] = Model(names, values[fit], labels[fit]).judge(values[judge])
        report("one half judged by a model of the other:", labels[judge], said[judge])
    report("both halves so:", labels, said)
    for c in ("A", "~"):
        both = ((labels == c) & (said == c)).sum()
        print(f"    {c}: sensitivity {both / (labels == c).sum():.3f}, positive predictivity {both / (said == c).sum():.3f}")
    every = []
    for seed in range(5):
        said = labels.copy()
        for fit, judge in StratifiedKFold(10, shuffle=True, random_state=seed).split(values, labels):
            said[judge] = Model(names, values[fit], labels[fit]).judge(values[judge])
        every.append([f1(labels, said, c) for c in CLASSES])
    print("ten-fold, five times:", " ".join(f"F1({c}) {v:.3f}" for c, v in zip(CLASSES, np.mean(every, 0))))


def line(values):
    return ", ".join(f"{v:.6g}" if "." in f"{v:.6g}" or "e" in f"{v:.6g}" else f"{v:.6g}.0" for v in values)


def wrapped(values, indent):
    parts, out = line(values).split(", "), []
    for at in range(0, len(parts), 8):
        out.append(" " * indent + ", ".join(parts[at:at + 8]) + ",")
    return "\n".join(out)


def table(model, window):
    pairs = ", ".join(f"({a}, {b})" for a, b in model.pairs)
    weights = "\n".join("    [\n" + wrapped(row, 8) + "\n    ]," for row in model.weights)
    return f"""//! Tables of the judge of records and of the streaming search for atrial fibrillation.
//!
//! Written by `tools/rhythm_model.py` from the 1,066 records of the Challenge 2017's sample: not to be changed by hand.

use super::measures::COUNT;

/// Pairs of measures that are multiplied.
pub(super) static PRODUCTS: [(usize, usize); {len(model.pairs)}] = [
    {pairs},
];

/// Mean and spread of each measure, and how far it may stray.
#[rustfmt::skip]
pub(super) static MEAN: [f32; COUNT] = [
{wrapped(model.mean, 4)}
];
#[rustfmt::skip]
pub(super) static SPREAD: [f32; COUNT] = [
{wrapped(model.scale, 4)}
];
pub(super) const CLIP: f32 = {CLIP};

/// Weights of each class (N, A, O, ~) for the measures, then for the products; and what is added.
#[rustfmt::skip]
pub(super) static WEIGHTS: [[f32; COUNT + {len(model.pairs)}]; 4] = [
{weights}
];
pub(super) static BIAS: [f32; 4] = [{line(model.bias)}];

/// Probability from which a record is called atrial fibrillation.
pub(super) const FIBRILLATES: f32 = {THRESHOLD};
/// Probability from which any other record is called too noisy.
pub(super) const NOISY: f32 = {THRESHOLD_NOISY};

/// Bias and weights of the measures of a window of beats.
pub(super) static WINDOW: [f32; {len(window)}] = [{line(window)}];
"""


def main():
    names, values, windows, labels = read(sys.argv[1], sys.argv[2])
    halves(names, values, labels)
    kept = labels != "~"
    spread = windows.std(0) + 1e-6
    beats = LogisticRegression(C=1.0, max_iter=5000).fit(windows[kept] / spread, labels[kept] == "A")
    said = np.where(beats.predict_proba(windows / spread)[:, 1] >= 0.4, "A", "N")
    print(f"intervals alone, records used for it: F1(A) {f1(labels, said, 'A'):.3f}")
    if len(sys.argv) > 3:
        window = np.r_[beats.intercept_, beats.coef_[0] / spread]
        with open(sys.argv[3], "w") as file:
            file.write(table(Model(names, values, labels), window))


main()
