use alerter::cases::Cases;

use crate::{binding, config::Config, process::Process};

/// The cases, over a cluster's log.
pub fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::role(config)?;
    process.add_machine(Cases::new(), binding::cases())?;
    process.run()
}
