"""Fits the model of the beat types (crates/signal/src/ecg/model.rs) and tells how good it is.

    cargo run --release -p signal --example beat_measures -- FOLDER/101 FOLDER/106 ... > beats.csv
    python tools/beat_model.py beats.csv

Two logistic models, one for ventricular and one for supraventricular beats against all others, with a
quadratic penalty; every patient and class weighs by the square root of its number of beats, so that no one
patient decides. Figures are of two halves by patient, each judged by the model of the other; the weights that
are printed last are of all records together. Needs numpy.
"""

import sys

import numpy as np

FIRST_HALF = {"101", "108", "112", "115", "118", "122", "201", "205", "208", "215", "223"}
PENALTY = 1e-4
# Taken off the evidence, so that fewer beats are called ectopic without ground.
CAUTION = {"S": 0.3, "V": 0.5}
LEARNING_S = 300.0


def read(path):
    rows = [line.strip().split(",") for line in open(path, encoding="ascii")]
    records = np.array([row[0] for row in rows])
    times = np.array([float(row[1]) for row in rows])
    classes = np.array([row[2] for row in rows])
    measures = np.array([[float(value) for value in row[3:]] for row in rows])
    return records, times, classes, measures


def fit(records, classes, measures, wanted):
    known = np.isin(classes, ["N", "S", "V"])
    records, truth, x = records[known], (classes[known] == wanted).astype(float), measures[known]
    mean, spread = x.mean(0), x.std(0) + 1e-6
    z = np.c_[np.ones(len(x)), (x - mean) / spread]
    weight = np.ones(len(truth))
    for record in set(records):
        for value in (0, 1):
            chosen = (records == record) & (truth == value)
            if chosen.sum():
                weight[chosen] = 1 / np.sqrt(chosen.sum())
    weight /= weight.sum()
    beta = np.zeros(z.shape[1])
    ridge = PENALTY * np.r_[0, np.ones(len(beta) - 1)]
    for _ in range(60):
        p = 1 / (1 + np.exp(-z @ beta))
        slope = z.T @ (weight * (p - truth)) + ridge * beta
        curve = (z * (weight * p * (1 - p))[:, None]).T @ z + np.diag(ridge) + 1e-9 * np.eye(len(beta))
        beta -= np.linalg.solve(curve, slope)
    scaled = beta[1:] / spread
    return np.r_[beta[0] - (scaled * mean).sum() - CAUTION[wanted], scaled]


def judge(measures, s, v):
    x = np.c_[np.ones(len(measures)), measures]
    es, ev = x @ s, x @ v
    return np.where((ev > 0) & (ev >= es), "V", np.where(es > 0, "S", "N"))


def main():
    records, times, classes, measures = read(sys.argv[1])
    first = np.isin(records, list(FIRST_HALF))
    found = np.full(len(classes), "N")
    for own, other in ((first, ~first), (~first, first)):
        models = [fit(records[own], classes[own], measures[own], wanted) for wanted in "SV"]
        found[other] = judge(measures[other], *models)
    counted = times > LEARNING_S
    for wanted, excused in (("V", ["F", "Q"]), ("S", ["Q"])):
        hit = ((classes == wanted) & (found == wanted) & counted).sum()
        missed = ((classes == wanted) & (found != wanted) & counted).sum()
        extra = ((classes != wanted) & (found == wanted) & counted & ~np.isin(classes, excused)).sum()
        print(f"{wanted}: sensitivity {hit / (hit + missed):.3f}, positive predictivity {hit / (hit + extra):.3f}")
    for wanted in "SV":
        print(wanted, np.round(fit(records, classes, measures, wanted), 3).tolist())


if __name__ == "__main__":
    main()
