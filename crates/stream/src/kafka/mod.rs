//! The log of a cluster: Apache Kafka.
