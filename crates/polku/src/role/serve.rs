use crate::{config::Config, process::Process};

/// The read model and the API, over a cluster's log.
pub fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::role(config)?;
    process.add_serve()?;
    process.run()
}
