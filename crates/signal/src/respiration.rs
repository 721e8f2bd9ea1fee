//! Breaths, from impedance and derived from other signals.
