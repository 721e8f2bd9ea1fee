//! A disk that forgets, tears and fills up, for tests.
