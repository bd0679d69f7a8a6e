//! The log in memory, seeded, with faults on request: for tests.
