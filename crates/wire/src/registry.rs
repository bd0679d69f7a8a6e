//! The ids that a schema registry gave: records are written with them, and what bears one is read.
//!
//! A record of a later or earlier Polku may bear the id of a schema that is not shipped here. It is fetched once, and read as the
//! present schema of its kind.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{PoisonError, RwLock},
};

use crate::{
    catalogue::{Row, SHIPPED},
    schema::{FIRST_ID, schemas},
};

/// The text of the schema of an id; none when the registry does not know it. Waits until the registry has answered: to take
/// silence for an answer would reject a good record.
pub type Fetch = Box<dyn Fn(u32) -> Option<String> + Send + Sync>;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RegistryError {
    #[error("the registry gave {found} ids for {shipped} schemas")]
    Count { found: usize, shipped: usize },
    #[error("the registry gave the id {id}, which lies among those of the shipped schemas")]
    Reserved { id: u32 },
    #[error("the registry gave the id {id} to two schemas")]
    Twice { id: u32 },
    #[error("this process uses another registry already")]
    Used,
}

/// From now on all records of this process are written with these ids, one for each of `schemas`, in their order.
///
/// # Errors
/// When the ids cannot be told from others, or other ids are in use.
pub fn use_registry(ids: Vec<u32>, fetch: Fetch) -> Result<(), RegistryError> {
    let registry = Registry::new(ids, fetch)?;
    let used = SHIPPED.registry();
    match used.set(registry) {
        Ok(()) => Ok(()),
        Err(again) if used.get().is_some_and(|used| used.ids == again.ids) => Ok(()),
        Err(_) => Err(RegistryError::Used),
    }
}

pub(crate) struct Registry {
    /// By row of the table of shipped schemas.
    ids: Vec<u32>,
    /// The same in the order of the ids: a handful of comparisons finds one.
    rows: Vec<(u32, usize)>,
    fetch: Fetch,
    /// What was asked for; none where nothing here can read it.
    fetched: RwLock<BTreeMap<u32, Option<&'static Row>>>,
}

/// Ids that nobody can read come from bytes that are no records: there is no end to them.
const UNREADABLE_MAX: usize = 1_000;

impl Registry {
    pub(crate) fn new(ids: Vec<u32>, fetch: Fetch) -> Result<Registry, RegistryError> {
        let shipped = schemas().len();
        if ids.len() != shipped {
            return Err(RegistryError::Count {
                found: ids.len(),
                shipped,
            });
        }
        let mut rows: Vec<(u32, usize)> = ids.iter().copied().zip(0..).collect();
        rows.sort_unstable();
        if let Some((id, _)) = rows.last().filter(|(id, _)| *id >= FIRST_ID) {
            return Err(RegistryError::Reserved { id: *id });
        }
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(RegistryError::Twice { id: pair[0].0 });
        }
        Ok(Registry {
            ids,
            rows,
            fetch,
            fetched: RwLock::default(),
        })
    }

    /// The id that records of this row are written with.
    pub(crate) fn id(&self, row: usize) -> u32 {
        self.ids[row]
    }

    /// The row of the table whose records bear this id.
    pub(crate) fn row(&self, id: u32) -> Option<usize> {
        let place = self.rows.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.rows[place].1)
    }

    /// How a schema that is not shipped is read; it is fetched the first time.
    pub(crate) fn fetched(
        &self,
        id: u32,
        read: impl FnOnce(&str) -> Option<Row>,
    ) -> Option<&'static Row> {
        let known = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(&id) {
            return *known;
        }
        drop(known);
        // Two threads may fetch the same one: the later keeps what the earlier found.
        let text = (self.fetch)(id);
        let row = text
            .and_then(|text| read(&text))
            .map(|row| &*Box::leak(Box::new(row)));
        let mut known = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        if row.is_none() && known.len() >= UNREADABLE_MAX {
            return None;
        }
        *known.entry(id).or_insert(row)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use event::{Name, Record, Time, Topic, config::Config};

    use super::*;
    use crate::{Error, Kind, catalogue::Catalogue, record::decode_by};

    fn config() -> Config {
        Config {
            name: Name::new("company").unwrap(),
            version: 7,
            time: Time::from_millis(1_000),
            text: "name = \"Shop\"".to_owned(),
        }
    }

    fn ids() -> Vec<u32> {
        (1_000..).step_by(3).take(schemas().len()).collect()
    }

    fn no_other() -> Fetch {
        Box::new(|id| panic!("nobody asks for {id}"))
    }

    fn catalogue(fetch: Fetch) -> Catalogue {
        let catalogue = Catalogue::load(schemas());
        catalogue
            .registry()
            .set(Registry::new(ids(), fetch).unwrap())
            .unwrap();
        catalogue
    }

    fn written(catalogue: &Catalogue) -> Vec<u8> {
        let mut bytes = Vec::new();
        catalogue.write(&config(), &mut bytes);
        bytes
    }

    fn row(kind: Kind) -> usize {
        schemas().iter().rposition(|it| it.kind == kind).unwrap()
    }

    /// The message as another writer made it.
    fn with_id(id: u32, bytes: &[u8]) -> Vec<u8> {
        [&[0][..], &id.to_be_bytes(), &bytes[5..]].concat()
    }

    #[test]
    fn records_bear_the_registrys_ids_and_those_that_bear_shipped_ones_stay_readable() {
        let catalogue = catalogue(no_other());
        let before = written(&Catalogue::load(schemas()));
        let after = written(&catalogue);
        assert_eq!(after, with_id(ids()[row(Kind::Config)], &before));
        for bytes in [before, after] {
            let read = decode_by(&catalogue, &Topic::Config, &bytes).unwrap();
            assert_eq!(read, Record::Config(config()));
        }
    }

    #[test]
    fn a_schema_that_is_not_shipped_is_fetched_once_and_read_as_the_present_one() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        // A later Polku writes one field more, at the end.
        let later = schemas()[row(Kind::Config)]
            .avsc
            .trim_end()
            .strip_suffix("]\n}")
            .unwrap();
        let later = format!(
            r#"{later}, {{"name": "by", "type": ["null", "string"], "default": null, "doc": "Who."}}]}}"#
        );
        let catalogue = catalogue(Box::new(move |id| {
            count.fetch_add(1, Ordering::Relaxed);
            match id {
                7 => Some(later.clone()),
                8 => Some(r#"{"type": "record", "name": "Other", "fields": []}"#.to_owned()),
                9 => Some("no schema".to_owned()),
                _ => None,
            }
        }));
        let mut bytes = with_id(7, &written(&catalogue));
        bytes.extend_from_slice(&[2, 8]);
        bytes.extend_from_slice(b"aino");
        for _ in 0..3 {
            let read = decode_by(&catalogue, &Topic::Config, &bytes).unwrap();
            assert_eq!(read, Record::Config(config()));
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        for id in [8, 9, 10, 10] {
            let read = decode_by(&catalogue, &Topic::Config, &with_id(id, &bytes));
            assert!(
                matches!(read, Err(Error::UnknownSchema(found)) if found == id),
                "{id}: {read:?}"
            );
        }
        assert_eq!(
            asked.load(Ordering::Relaxed),
            4,
            "what nobody can read is asked for once too"
        );
    }

    #[test]
    fn ids_that_cannot_be_told_from_others_are_refused() {
        let with = |place: usize, id| {
            let mut ids = ids();
            ids[place] = id;
            ids
        };
        let count = schemas().len();
        for (ids, expected) in [
            (
                vec![1],
                RegistryError::Count {
                    found: 1,
                    shipped: count,
                },
            ),
            (with(3, FIRST_ID), RegistryError::Reserved { id: FIRST_ID }),
            (with(3, 1_000), RegistryError::Twice { id: 1_000 }),
        ] {
            assert_eq!(Registry::new(ids, no_other()).unwrap_err(), expected);
        }
    }
}
