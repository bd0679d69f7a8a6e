use crate::{config::Config, process::Process};

/// The doors, over a cluster's log.
pub fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::role(config)?;
    process.add_doors()?;
    process.run()
}
