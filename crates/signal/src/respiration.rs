//! Breaths, from a respiration signal and from what breathing does to the heart beat and the pulse.
