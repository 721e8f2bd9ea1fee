//! All waveforms of one patient taken together.
