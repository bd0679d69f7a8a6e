//! One transaction, from the work that is merged into it to what it changes on disk and in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use event::{
    Time, Topic,
    topic::{Kept, MachineName},
};
use redb::WriteTransaction;

use super::{
    batch::{Batch, Row},
    compact::Compacted,
    hub::News,
    queue::Placed,
    storage::{
        COMMITTED, Extent, Failure, Found, Image, META, PARTITIONS, Place, RECORDS, SEQUENCE_KEY,
        TOPICS, kept_row,
    },
};
use crate::{Error, Offset, log::TopicSpec};

pub(super) struct Draft {
    time: Time,
    calls: u64,
    growing: BTreeMap<Place, Growth>,
    trims: BTreeMap<Place, Offset>,
    topics: BTreeMap<Topic, Found>,
    /// The places of new topics, after those that exist.
    created: Vec<Extent>,
    committed: BTreeMap<(MachineName, Place), Offset>,
    rewritten: Vec<Rewritten>,
    compacted: BTreeMap<Place, Compacted>,
}

/// A row that compaction leaves in place of another, if any of it is left.
struct Rewritten {
    old: [u8; 12],
    place: Place,
    row: Option<Row>,
}

/// What comes to a place.
struct Growth {
    extent: Extent,
    /// The append or commit that brought the last record.
    call: u64,
    batch: Batch,
    rows: Vec<Row>,
    bytes: usize,
}

impl Draft {
    pub(super) fn new(time: Time) -> Self {
        Self {
            time,
            calls: 0,
            growing: BTreeMap::new(),
            trims: BTreeMap::new(),
            topics: BTreeMap::new(),
            created: Vec::new(),
            committed: BTreeMap::new(),
            rewritten: Vec::new(),
            compacted: BTreeMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.growing.is_empty()
            && self.trims.is_empty()
            && self.topics.is_empty()
            && self.committed.is_empty()
            && self.rewritten.is_empty()
            && self.compacted.is_empty()
    }

    /// How much it writes to the partitions, about.
    pub(super) fn bytes(&self) -> usize {
        self.growing.values().map(|growth| growth.bytes).sum()
    }

    /// The records of one append or commit.
    pub(super) fn append(&mut self, image: &Image, records: Vec<Placed>) {
        self.calls += 1;
        for record in records {
            self.growing
                .entry(record.place)
                .or_insert_with(|| Growth::new(image.extents[record.place.index()], self.time))
                .push(self.calls, record);
        }
    }

    pub(super) fn commit(
        &mut self,
        image: &Image,
        machine: MachineName,
        place: Place,
        next: Offset,
    ) {
        let at = (machine, place);
        if self.committed.contains_key(&at) || image.committed.get(&at) != Some(&next) {
            self.committed.insert(at, next);
        }
    }

    pub(super) fn rewrite(&mut self, old: [u8; 12], place: Place, row: Option<Row>) {
        self.rewritten.push(Rewritten { old, place, row });
    }

    pub(super) fn compacted(&mut self, place: Place, compacted: Compacted) {
        self.compacted.insert(place, compacted);
    }

    pub(super) fn trim(&mut self, place: Place, below: Offset) {
        let trimmed = self.trims.entry(place).or_default();
        *trimmed = below.max(*trimmed);
    }

    /// All of the topics or, with an error, none.
    pub(super) fn create(&mut self, image: &Image, specs: &[TopicSpec]) -> Result<(), Error> {
        let mut topics = BTreeMap::new();
        let mut created = Vec::new();
        for spec in specs {
            let first = image.extents.len() + self.created.len() + created.len();
            let first = Place(u32::try_from(first).expect("places are numbered in 32 bits"));
            let known = [&topics, &self.topics, &image.topics];
            match known.iter().find_map(|topics| topics.get(&spec.topic)) {
                Some(found) => {
                    check(spec, *found)?;
                    if found.kept != spec.kept {
                        let found = Found {
                            kept: spec.kept,
                            ..*found
                        };
                        topics.insert(spec.topic.clone(), found);
                    }
                }
                None => {
                    created.extend((0..spec.partitions).map(|_| Extent::new(spec.kept)));
                    let found = Found {
                        first,
                        partitions: spec.partitions,
                        kept: spec.kept,
                    };
                    topics.insert(spec.topic.clone(), found);
                }
            }
        }
        self.topics.extend(topics);
        self.created.extend(created);
        Ok(())
    }

    /// Writes it. Tables are filled in the order of their keys, which is what a tree likes best.
    pub(super) fn apply(&mut self, image: &Image, txn: &WriteTransaction) -> Result<(), Failure> {
        self.apply_records(txn)?;
        let mut partitions = txn.open_table(PARTITIONS)?;
        for (place, extent) in self.extents(image) {
            let row = (
                extent.start.0,
                extent.end.0,
                extent.clean_below.0,
                extent.clean_bytes,
                extent.dirty_bytes,
            );
            partitions.insert(place.0, row)?;
        }
        let mut topics = txn.open_table(TOPICS)?;
        for (topic, found) in &self.topics {
            let (kind, millis) = kept_row(found.kept);
            let row = (found.first.0, found.partitions, kind, millis);
            topics.insert(topic.name().as_str(), row)?;
        }
        let mut committed = txn.open_table(COMMITTED)?;
        for ((machine, place), next) in &self.committed {
            committed.insert((machine.as_str(), place.0), next.0)?;
        }
        txn.open_table(META)?
            .insert(SEQUENCE_KEY, image.sequence + 1)?;
        Ok(())
    }

    fn apply_records(&mut self, txn: &WriteTransaction) -> Result<(), Failure> {
        let mut records = txn.open_table(RECORDS)?;
        for (place, growth) in &mut self.growing {
            growth.close();
            for row in &growth.rows {
                records.insert(&place.row(row.last), &*row.bytes)?;
            }
        }
        for Rewritten { old, place, row } in &self.rewritten {
            records.remove(old)?;
            if let Some(row) = row {
                records.insert(&place.row(row.last), &*row.bytes)?;
            }
        }
        for (place, below) in &self.trims {
            let (first, end) = (place.row(Offset::START), place.row(*below));
            records.retain_in::<&[u8; 12], _>(&first..&end, |_, _| false)?;
        }
        Ok(())
    }

    /// The places that this changes, as they will be; new ones in their order.
    fn extents(&self, image: &Image) -> BTreeMap<Place, Extent> {
        let created = (image.extents.len()..).zip(&self.created);
        let mut extents: BTreeMap<Place, Extent> = created
            .map(|(place, extent)| {
                let place = u32::try_from(place).expect("places are numbered in 32 bits");
                (Place(place), *extent)
            })
            .collect();
        for (place, growth) in &self.growing {
            extents.insert(*place, growth.extent);
        }
        for (place, below) in &self.trims {
            let extent = extents
                .entry(*place)
                .or_insert_with(|| image.extents[place.index()]);
            extent.start = extent.start.max(*below);
        }
        for (place, compacted) in &self.compacted {
            let extent = extents
                .entry(*place)
                .or_insert_with(|| image.extents[place.index()]);
            extent.clean_below = compacted.below;
            extent.clean_bytes = compacted.clean_bytes;
            extent.dirty_bytes -= compacted.noted_bytes;
        }
        extents
    }

    /// What has become true now that it is durable.
    pub(super) fn finish(self, image: &mut Image) -> News {
        let extents: Vec<(Place, Extent)> = self.extents(image).into_iter().collect();
        for (place, extent) in &extents {
            match image.extents.get_mut(place.index()) {
                Some(known) => *known = *extent,
                None => image.extents.push(*extent),
            }
        }
        image.sequence += 1;
        image.topics.extend(self.topics.clone());
        image.committed.extend(self.committed.clone());
        let rows = self
            .growing
            .into_iter()
            .flat_map(|(place, growth)| growth.rows.into_iter().map(move |row| (place, row)));
        News {
            topics: self.topics,
            extents,
            rows: rows.collect(),
            committed: self.committed,
        }
    }
}

impl Growth {
    fn new(extent: Extent, time: Time) -> Self {
        Self {
            extent,
            call: 0,
            batch: Batch::new(time),
            rows: Vec::new(),
            bytes: 0,
        }
    }

    /// Each append and each commit leaves out one offset of each partition, as Kafka does for the marker of a transaction, so
    /// that nobody comes to count on offsets without gaps.
    fn push(&mut self, call: u64, record: Placed) {
        let Placed { key, value, .. } = record;
        let offset = if self.call == call {
            self.extent.end
        } else {
            self.extent.end.next()
        };
        self.call = call;
        self.extent.end = offset.next();
        let bytes = key.len() + value.as_ref().map_or(0, Bytes::len);
        if self.batch.is_full_for(bytes) {
            self.close();
        }
        self.batch.push(offset, &key, value.as_deref());
        self.bytes += bytes;
    }

    fn close(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let row = self.batch.close();
        if self.extent.compacted {
            self.extent.dirty_bytes +=
                u64::try_from(row.bytes.len()).expect("a length fits 64 bits");
        }
        self.rows.push(row);
    }
}

/// Whether a topic that exists can be what the specification asks for.
fn check(spec: &TopicSpec, found: Found) -> Result<(), Error> {
    let refused = |problem: String, remedy: &str| {
        Err(Error::Topic {
            topic: spec.topic.name(),
            problem,
            remedy: remedy.to_owned(),
        })
    };
    if found.partitions != spec.partitions {
        return refused(
            format!(
                "has {} partitions where {} are configured",
                found.partitions, spec.partitions
            ),
            "configure the count it was made with, or start with an empty --data",
        );
    }
    if (found.kept == Kept::Compacted) != (spec.kept == Kept::Compacted) {
        return refused(
            format!("is kept as {:?} and not as {:?}", found.kept, spec.kept),
            "use the version that made it, or start with an empty --data",
        );
    }
    Ok(())
}
