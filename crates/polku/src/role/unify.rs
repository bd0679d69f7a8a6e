use unifier::{identify::Identify, unify::Unify};

use crate::{binding, config::Config, process::Process};

/// Who is who, and the timelines, over a cluster's log. Of several instances one decides who is who.
pub fn run(config: Config) -> anyhow::Result<()> {
    let mut process = Process::role(config)?;
    process.add_machine(Identify::new(), binding::identify())?;
    process.add_machine(Unify::new(), binding::unify())?;
    process.run()
}
