use bytes::Bytes;
use event::{Partition, Time, topic::MachineName};
use machine::{Key, State};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::log::{Append, Offset, Read, TopicPartition};

/// Writes and reads the rows of one partition of `state.<machine>`.
///
/// A row's key is the partition's eight bytes and the key in postcard, its value the version byte and the row in postcard.
/// The partition's eight bytes alone are the key of the mark: no machine's key has no bytes.
#[derive(Clone, Debug)]
pub(super) struct Codec {
    pub(super) at: TopicPartition,
    pub(super) version: u8,
}

/// What a commit leaves beside the rows: the moment of its batch and where reading goes on, so that a machine whose group
/// offsets expired neither doubles nor skips anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) now: Time,
    next: Vec<(String, i64)>,
}

impl Mark {
    pub(super) fn new<'a>(
        now: Time,
        next: impl IntoIterator<Item = (&'a TopicPartition, &'a Offset)>,
    ) -> Self {
        let next = next.into_iter();
        Self {
            now,
            next: next.map(|(at, next)| (at.topic.name(), next.0)).collect(),
        }
    }

    /// Where reading this input goes on.
    pub(super) fn next(&self, input: &TopicPartition) -> Option<Offset> {
        let name = input.topic.name();
        let found = self.next.iter().find(|(topic, _)| *topic == name);
        found.map(|(_, next)| Offset(*next))
    }
}

impl Codec {
    pub(super) fn new(machine: MachineName, partition: Partition, version: u8) -> Self {
        Self {
            at: TopicPartition::new(event::Topic::State(machine), partition),
            version,
        }
    }

    pub(super) fn row<K: Serialize, R: Serialize>(&self, key: &K, row: Option<&R>) -> Append {
        let mut bytes = self.at.partition.key().to_vec();
        bytes.extend(encoded(key));
        assert!(
            bytes.len() > MARK_LEN,
            "a key of state has at least one byte"
        );
        Append {
            at: self.at.clone(),
            key: bytes.into(),
            value: row.map(|row| self.value(row)),
        }
    }

    pub(super) fn mark(&self, mark: &Mark) -> Append {
        Append {
            at: self.at.clone(),
            key: Bytes::copy_from_slice(&self.at.partition.key()),
            value: Some(self.value(mark)),
        }
    }

    fn value<R: Serialize>(&self, row: &R) -> Bytes {
        let mut bytes = vec![self.version];
        bytes.extend(encoded(row));
        bytes.into()
    }

    /// Applies a record to the rows and the mark.
    pub(super) fn apply<K: Key, R: DeserializeOwned>(
        &self,
        read: &Read,
        state: &mut State<K, R>,
        mark: &mut Option<Mark>,
    ) -> Result<(), String> {
        let key = read
            .key
            .strip_prefix(&self.at.partition.key())
            .ok_or("its key is not of this partition")?;
        if key.is_empty() {
            *mark = match &read.value {
                Some(value) => Some(self.decoded(value)?),
                None => None,
            };
            return Ok(());
        }
        let key = decoded(key)?;
        match &read.value {
            Some(value) => state.insert(key, self.decoded(value)?),
            None => state.remove(&key),
        };
        Ok(())
    }

    fn decoded<R: DeserializeOwned>(&self, value: &[u8]) -> Result<R, String> {
        match value.split_first() {
            Some((version, rest)) if *version == self.version => decoded(rest),
            Some((version, _)) => Err(format!(
                "it has version {version} and this program reads version {}",
                self.version
            )),
            None => Err("it is empty".to_owned()),
        }
    }
}

/// The bytes of the key of a mark.
const MARK_LEN: usize = 8;

fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("keys and rows are plain data of known length")
}

fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|error| error.to_string())?;
    if rest.is_empty() {
        Ok(value)
    } else {
        Err(format!("{} bytes are left over", rest.len()))
    }
}
