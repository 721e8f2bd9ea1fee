//! Seeded noise of the kinds that electrocardiograms suffer from, added at a stated signal-to-noise ratio.
