//! The log of one machine: an embedded store, no broker.
