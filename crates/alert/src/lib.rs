//! Alarm conditions, episodes and escalation as closed state machines.
