//! The rhythm of the heart, from its beats and the waveform.
