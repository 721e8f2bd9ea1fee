//! Heart beats in electrocardiograms: where they are, in one lead and in several, and of what type.
