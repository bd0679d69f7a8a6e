//! The reserve of free disk space, below which the log takes nothing more.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::Error;

/// The room on the disk that holds a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    pub total_bytes: u64,
    /// What a process without privileges may still use.
    pub free_bytes: u64,
}

impl Space {
    pub fn under(path: &Path) -> io::Result<Space> {
        let found = rustix::fs::statvfs(path)?;
        Ok(Space {
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
            free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        })
    }
}

/// How the room is measured.
pub type Measure = Arc<dyn Fn(&Path) -> io::Result<Space> + Send + Sync>;

/// The reserve is never larger than this unless the options say so.
const RESERVE_BYTES_MAX: u64 = 1 << 30;

pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    measure: Measure,
}

impl Reserve {
    /// Without a size given: the smaller of 5 % of the disk and 1 GiB.
    pub(super) fn new(path: &Path, bytes: Option<u64>, measure: Measure) -> Result<Self, Error> {
        let mut reserve = Self {
            path: path.to_owned(),
            bytes: 0,
            measure,
        };
        let total = reserve.measured()?.total_bytes;
        reserve.bytes = bytes.unwrap_or_else(|| RESERVE_BYTES_MAX.min(total / 20));
        Ok(reserve)
    }

    /// # Errors
    /// `Error::DiskFull` while less than the reserve is free.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.measured()?.free_bytes < self.bytes {
            return Err(self.full());
        }
        Ok(())
    }

    pub(super) fn full(&self) -> Error {
        Error::DiskFull {
            path: self.path.display().to_string(),
            reserve_bytes: self.bytes,
        }
    }

    fn measured(&self) -> Result<Space, Error> {
        (self.measure)(&self.path).map_err(|source| Error::Io {
            doing: format!("measuring the free space under {}", self.path.display()),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_five_percent_of_a_small_disk_and_one_gibibyte_of_a_large_one() {
        for (total_bytes, given, expected) in [
            (1_000_000, None, 50_000),
            (1 << 40, None, 1 << 30),
            (1 << 40, Some(7), 7),
        ] {
            let measure: Measure = Arc::new(move |_| {
                Ok(Space {
                    total_bytes,
                    free_bytes: 0,
                })
            });
            let reserve = Reserve::new(Path::new("/data"), given, measure).unwrap();
            assert_eq!(reserve.bytes, expected);
            assert!(matches!(
                reserve.check(),
                Err(Error::DiskFull { reserve_bytes, .. }) if reserve_bytes == expected
            ));
        }
    }

    #[test]
    fn a_real_disk_can_be_measured() {
        let space = Space::under(&std::env::temp_dir()).unwrap();
        assert!(space.total_bytes >= space.free_bytes);
        assert!(space.total_bytes > 0);
    }
}
