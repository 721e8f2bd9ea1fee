//! Filters with a stated phase and delay, for any rate of sampling.
