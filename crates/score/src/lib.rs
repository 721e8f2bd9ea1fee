//! Early-warning scores: pure, published, self-explaining.
