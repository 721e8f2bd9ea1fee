"""Makes nn.csv and hrv.csv: intervals, and what neurokit2 says of them.

    pip install neurokit2 && python crates/signal/tests/data/hrv.py

A made-up tachogram of three oscillations and noise; neurokit2 resamples it to 4 Hz and takes Welch's estimate.
"""

import os
import warnings

import neurokit2 as nk
import numpy as np

warnings.filterwarnings("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))


def intervals(count):
    state, t, rr = 1, 0.0, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        noise = (state >> 33) / 2**31 - 0.5
        waves = 30 * np.sin(0.2 * np.pi * t) + 25 * np.sin(0.5 * np.pi * t) + 20 * np.sin(0.04 * np.pi * t)
        ms = round(850 + waves + 40 * noise + 0.03 * t)
        rr.append(ms)
        t += ms / 1000
    return rr


nn = intervals(2200)
with open(os.path.join(HERE, "nn.csv"), "w") as file:
    file.write("\n".join(",".join(map(str, nn[i:i + 20])) for i in range(0, len(nn), 20)) + "\n")
with open(os.path.join(HERE, "hrv.csv"), "w") as file:
    file.write(f"# neurokit2 {nk.__version__}\n# intervals,what,value\n")
    for count in (360, 2200):
        peaks = np.r_[0, np.cumsum(nn[:count])].astype(int)
        time = nk.hrv_time(peaks, sampling_rate=1000).iloc[0]
        band = nk.hrv_frequency(peaks, sampling_rate=1000, normalize=False, interpolation_rate=4, vlf=(0.003, 0.04)).iloc[0]
        for what in ("MeanNN", "SDNN", "RMSSD", "pNN50", "HTI", "SDANN5"):
            file.write(f"{count},{what},{time['HRV_' + what]:.6f}\n")
        for what in ("VLF", "LF", "HF", "LFHF"):
            file.write(f"{count},{what},{band['HRV_' + what]:.6f}\n")
