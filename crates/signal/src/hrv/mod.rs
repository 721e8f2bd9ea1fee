//! Heart-rate variability (Task Force of the ESC and NASPE, 1996), time and frequency domain.
