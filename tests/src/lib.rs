//! What the test binary shares.
