//! MLLP listener.
