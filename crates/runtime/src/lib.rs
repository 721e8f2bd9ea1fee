//! Runs the engine over the journal: checkpoints, timers, live view, delivery.
