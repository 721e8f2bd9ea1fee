//! Device profiles: from any payload to measurements.
