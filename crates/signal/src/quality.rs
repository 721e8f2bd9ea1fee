//! How far a signal is to be believed, and why not.
