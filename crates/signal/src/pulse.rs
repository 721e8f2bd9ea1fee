//! Pulses in photoplethysmograms and arterial pressure.
