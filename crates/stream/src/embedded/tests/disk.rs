//! A disk that can lose its power, run full, and fail to sync.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use rand::{Rng, rngs::SmallRng};
use redb::StorageBackend;

use super::super::storage::Opener;

#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    platter: Arc<Mutex<Platter>>,
    syncing: Arc<Mutex<()>>,
}

#[derive(Debug, Default)]
struct Platter {
    /// As whoever reads it now sees it.
    now: Vec<u8>,
    /// As it was when it was last synced.
    synced: Vec<u8>,
    unsynced: Vec<Write>,
    /// Handles of an earlier life get nothing but errors.
    life: u64,
    off: bool,
    calls: u64,
    syncs: u64,
    dies_at_call: Option<u64>,
    bytes_max: Option<usize>,
    sync_fails: bool,
    sync_lies: bool,
}

#[derive(Debug)]
enum Write {
    Bytes(usize, Vec<u8>),
    Length(usize),
}

impl Write {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Write::Bytes(at, written) => {
                let end = at + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*at..end].copy_from_slice(written);
            }
            Write::Length(length) => bytes.resize(*length, 0),
        }
    }
}

impl Disk {
    pub(super) fn opener(&self) -> Opener {
        let disk = self.clone();
        Box::new(move || {
            let life = {
                let platter = disk.lock();
                if platter.off {
                    return Err(power_off().into());
                }
                platter.life
            };
            redb::Builder::new()
                .set_cache_size(1 << 20)
                .create_with_backend(Handle {
                    disk: disk.clone(),
                    life,
                })
        })
    }

    /// The power goes after so many more calls.
    pub(super) fn die_after(&self, calls: u64) {
        let mut platter = self.lock();
        platter.dies_at_call = Some(platter.calls + calls);
    }

    pub(super) fn power_off(&self) {
        let mut platter = self.lock();
        platter.off = true;
        platter.life += 1;
    }

    /// What was synced is there; of what was not, each write survives with this probability.
    pub(super) fn power_on(&self, rng: &mut SmallRng, survives: f64) {
        let mut platter = self.lock();
        let mut bytes = std::mem::take(&mut platter.synced);
        for write in std::mem::take(&mut platter.unsynced) {
            if rng.random_bool(survives) {
                write.apply(&mut bytes);
            }
        }
        platter.now.clone_from(&bytes);
        platter.synced = bytes;
        platter.off = false;
        platter.dies_at_call = None;
    }

    pub(super) fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// No sync is done until this is dropped.
    pub(super) fn hold_syncs(&self) -> MutexGuard<'_, ()> {
        self.syncing.lock().unwrap()
    }

    /// There is room for what is on it and no more.
    pub(super) fn fill(&self) {
        let mut platter = self.lock();
        platter.bytes_max = Some(platter.now.len());
    }

    pub(super) fn free(&self) {
        self.lock().bytes_max = None;
    }

    /// The next sync fails, though what was written stays readable.
    pub(super) fn fail_next_sync(&self) {
        self.lock().sync_fails = true;
    }

    /// From now on a sync says that it was done and does nothing.
    pub(super) fn lie_about_syncs(&self) {
        self.lock().sync_lies = true;
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap()
    }
}

fn power_off() -> io::Error {
    io::Error::other("the power is off")
}

#[derive(Debug)]
struct Handle {
    disk: Disk,
    life: u64,
}

impl Handle {
    fn platter(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let mut platter = self.disk.lock();
        platter.calls += 1;
        if platter.dies_at_call.is_some_and(|at| platter.calls >= at) && !platter.off {
            platter.off = true;
            platter.life += 1;
        }
        if platter.life != self.life {
            return Err(power_off());
        }
        Ok(platter)
    }
}

impl Platter {
    fn write(&mut self, write: Write) -> io::Result<()> {
        let end = match &write {
            Write::Bytes(at, written) => at + written.len(),
            Write::Length(length) => *length,
        };
        if self.bytes_max.is_some_and(|most| end > most) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        write.apply(&mut self.now);
        self.unsynced.push(write);
        Ok(())
    }
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.platter()?.now.len()).unwrap())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.platter()?;
        let at = usize::try_from(offset).unwrap();
        let found = platter.now.get(at..at + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let length = usize::try_from(len).unwrap();
        self.platter()?.write(Write::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        let _held = self.disk.syncing.lock().unwrap();
        let mut platter = self.platter()?;
        platter.syncs += 1;
        if std::mem::take(&mut platter.sync_fails) {
            return Err(io::Error::other("the disk does not answer"));
        }
        if !platter.sync_lies {
            let Platter {
                unsynced, synced, ..
            } = &mut *platter;
            for write in unsynced.drain(..) {
                write.apply(synced);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap();
        self.platter()?.write(Write::Bytes(at, data.to_vec()))
    }
}
