//! Separate roles on a real broker.
