use crate::{config::Config, process::Process};

/// What departments are told by webhook, over a cluster's log.
pub fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::role(config)?;
    process.add_notify()?;
    process.run()
}
