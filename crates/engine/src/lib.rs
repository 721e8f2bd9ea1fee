//! One pure state machine a patient: windows, scores, alerts.
