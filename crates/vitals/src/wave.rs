//! Samples in their place: what a waveform channel holds once it is known where on its time line
//! the samples of a message belong.

use std::sync::Arc;

use crate::{EffectiveTime, Offset, Quality, Rate, ReceiveTime, Scale};

/// The samples of one message in their place on a channel's time line.
///
/// A channel is a row of unbroken stretches. Within a stretch nothing but counting says where a
/// sample is, so a rate is kept exactly however long it runs; a gap, a jump of the clock, a change
/// of rate or the correction of a drift begins a new stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct WaveRun {
    /// When the stretch began: the time of its sample 0.
    pub anchor: EffectiveTime,
    /// Its rate.
    pub rate: Rate,
    /// Which sample of the stretch the first one here is.
    pub first: u64,
    /// From counts to values in the metric's unit.
    pub scale: Scale,
    /// The samples; at least one.
    pub samples: WaveSamples,
    /// When we received them.
    pub received: ReceiveTime,
    /// The journal entry that they came from.
    pub offset: Offset,
    /// Which reading of that entry.
    pub index: u16,
    /// What is known against them.
    pub quality: Quality,
}

/// Samples, shared by those who store, show and analyse them.
#[derive(Debug, Clone, PartialEq)]
pub enum WaveSamples {
    /// Counts; [`crate::samples::MISSING`] where there is none.
    Counts(Arc<[i32]>),
    /// Values that no scale makes whole; NaN where there is none.
    Real(Arc<[f64]>),
}

impl WaveSamples {
    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Counts(counts) => counts.len(),
            Self::Real(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the values by this scale to `out`, NaN where there is none.
    pub fn values(&self, scale: &Scale, out: &mut Vec<f64>) {
        match self {
            Self::Counts(counts) => out.extend(counts.iter().map(|count| scale.value(*count))),
            Self::Real(values) => out.extend_from_slice(values),
        }
    }
}

impl WaveRun {
    /// When the first sample was true.
    #[must_use]
    pub fn start(&self) -> EffectiveTime {
        self.time_of(0)
    }

    /// When the sample after the last one would be.
    #[must_use]
    pub fn end(&self) -> EffectiveTime {
        self.time_of(self.samples.len() as u64)
    }

    /// When sample `at` of this run was true.
    #[must_use]
    pub fn time_of(&self, at: u64) -> EffectiveTime {
        self.anchor.plus(self.rate.micros(self.first.saturating_add(at)))
    }

    /// Appends the values in the metric's unit to `out`, NaN where there is none.
    pub fn values(&self, out: &mut Vec<f64>) {
        self.samples.values(&self.scale, out);
    }
}
