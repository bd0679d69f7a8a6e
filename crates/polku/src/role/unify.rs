use unifier::{identify::Identify, unify::Unify};

use crate::{binding, config::Config, process::Process};

/// Who is who, and the timelines, over a cluster's log. Of several instances one decides who is who.
pub fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::role(config)?;
    let partitions = process.config.log.partitions;
    process.add_machine(Identify::new(partitions), binding::identify())?;
    process.add_machine(Unify::new(), binding::unify())?;
    process.add_ticks()?;
    process.run()
}
