//! Virtual ward, replay of real recordings, load and fault injection.
