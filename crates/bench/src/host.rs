//! The machine that the figures are of, without its name.

use std::{fs, path::Path, thread};

/// What of the machine bears on the figures. What the system does not tell is left out.
pub(crate) fn shape(data: &Path) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut shape = format!("{cores} cores");
    if let Some(gib) = memory_gib() {
        shape.push_str(&format!(", {gib:.0} GiB of memory"));
    }
    if let Some(kernel) = read("/proc/sys/kernel/osrelease") {
        shape.push_str(&format!(", Linux {kernel}"));
    }
    if let Some(kind) = file_system(data) {
        shape.push_str(&format!(", data on {kind}"));
    }
    shape
}

/// How many threads of all processes wanted to run, on average over the last one, five and fifteen minutes.
pub(crate) fn load() -> String {
    let text = read("/proc/loadavg").unwrap_or_default();
    let figures: Vec<&str> = text.split(' ').take(3).collect();
    figures.join(" ")
}

fn memory_gib() -> Option<f64> {
    let text = read("/proc/meminfo")?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1_048_576.0)
}

/// The kind of the file system mounted nearest above a directory: fsync costs nothing on some.
fn file_system(data: &Path) -> Option<String> {
    let data = fs::canonicalize(data).ok()?;
    let mounts = read("/proc/mounts")?;
    let above = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (point, kind) = (fields.next()?, fields.next()?);
        data.starts_with(point).then_some((point.len(), kind))
    });
    above.max().map(|(_, kind)| kind.to_owned())
}

fn read(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}
