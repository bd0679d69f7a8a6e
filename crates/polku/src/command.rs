//! The command line, and what each command runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use service::shutdown::Shutdown;

use crate::{
    company,
    config::Config,
    demo::{self, Home},
    identity::{explain, plan},
    import, probe, process,
    role::{self, Place},
    simulate::{self, Keys},
    topics,
};

/// Joins feedback into one timeline per customer and routes what is unresolved until it is solved.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All roles in one process over the embedded log
    Dev,
    /// The doors that events come in by
    Ingest,
    /// Who is who, and the timelines
    Unify,
    /// The cases
    Alert,
    /// What departments are told by webhook
    Notify,
    /// The API over what the log says
    Serve,
    /// Send a CSV or NDJSON file through the door of a source
    Import(import::Options),
    /// A simulated company that sends events and knows the truth
    Simulate(simulate::Options),
    /// The topics of the log
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// What `company.toml` says: departments, routes, deadlines
    #[command(subcommand)]
    Company(CompanyCommand),
    /// Who is who: why, and what other rules would make of it
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Make a key for a source or a credential, and the hash that the configuration holds of it
    Key,
    /// Ask processes whether they are ready
    Probe(probe::Options),
    /// Say what is wrong with the configuration; touches nothing
    CheckConfig,
    /// Print the configuration in force, without secrets
    ShowConfig,
}

#[derive(Debug, Subcommand)]
enum TopicsCommand {
    /// Make the topics that are missing and check the others
    Apply,
    /// Wait until somebody has made them
    Wait,
}

#[derive(Debug, Subcommand)]
enum CompanyCommand {
    /// Say what is wrong with a file
    Check { file: PathBuf },
    /// Make a file the company in force
    Apply { file: PathBuf },
    /// Print the company in force
    Show,
}

#[derive(Debug, Subcommand)]
enum IdentityCommand {
    /// Ask why two events are on one timeline or on two
    Explain(explain::Options),
    /// Say what a changed company would merge or split; changes nothing. `company apply` makes it so
    Plan { file: PathBuf },
}

impl Cli {
    /// # Errors
    /// What `exit::report` says and turns into a code.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Dev => role::dev(&self.place)?,
            Command::Ingest => role::ingest(self.place.config()?)?,
            Command::Unify => role::unify(self.place.config()?)?,
            Command::Alert => role::alert(self.place.config()?)?,
            Command::Notify => role::notify(self.place.config()?)?,
            Command::Serve => role::serve(self.place.config()?)?,
            Command::Import(options) => return run_import(&self.place, options),
            Command::Simulate(options) => return run_simulation(&self.place, options),
            Command::Topics(TopicsCommand::Apply) => apply_topics(&self.place.config()?)?,
            Command::Topics(TopicsCommand::Wait) => return wait_for_topics(&self.place.config()?),
            Command::Probe(options) => {
                let config = self.place.config()?;
                return run_client(|shutdown| probe::run(options, config, shutdown));
            }
            Command::Company(CompanyCommand::Check { file }) => {
                check_company(&self.place, &file)?;
            }
            Command::Company(CompanyCommand::Apply { file }) => {
                apply_company(&self.place.config()?, &file)?
            }
            Command::Company(CompanyCommand::Show) => show_company(&self.place.config()?)?,
            Command::Identity(IdentityCommand::Explain(options)) => {
                let config = self.place.config()?;
                return run_client(|_| explain::run(options, config));
            }
            Command::Identity(IdentityCommand::Plan { file }) => {
                plan_identity(&self.place.config()?, &file)?;
            }
            Command::Key => {
                let key = demo::random_hex::<16>();
                println!("key = \"{key}\"\nkey_sha256 = \"{}\"", demo::hash(&key));
            }
            Command::CheckConfig => {
                self.place.config()?.check_secrets()?;
                println!("the configuration is good");
            }
            Command::ShowConfig => print!("{}", Config::show(self.place.file().as_deref())?),
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))
}

fn apply_topics(config: &Config) -> anyhow::Result<()> {
    let log = process::open_log(config)?;
    for spec in topics::apply(log.as_ref(), config.log.partitions)? {
        println!("{}: {} partitions", spec.topic, spec.partitions);
    }
    Ok(())
}

fn wait_for_topics(config: &Config) -> anyhow::Result<ExitCode> {
    let log = process::open_log(config)?;
    let partitions = config.log.partitions;
    run_client(|shutdown| async move { topics::wait(log.as_ref(), partitions, &shutdown).await })
}

/// The file alone; and, where a configuration is, what the two say to each other.
fn check_company(place: &Place, file: &Path) -> anyhow::Result<()> {
    let company = company::read(file, &read(file)?)?;
    if place.file().is_some() {
        let config = place.config()?;
        company::knows_sources(&company, config.sources.keys(), file)?;
        for warning in company::warnings(&company, &config.sources) {
            tracing::warn!("{warning}");
        }
    }
    println!("{} is good", file.display());
    Ok(())
}

fn apply_company(config: &Config, file: &Path) -> anyhow::Result<()> {
    let text = read(file)?;
    let pepper = process::read_pepper(&config.pepper_file())?;
    let log = process::open_log(config)?;
    topics::apply(log.as_ref(), config.log.partitions)?;
    println!(
        "{}",
        company::apply(log.as_ref(), file, &text, config, &pepper)?
    );
    Ok(())
}

fn plan_identity(config: &Config, file: &Path) -> anyhow::Result<()> {
    let text = read(file)?;
    let pepper = process::read_pepper(&config.pepper_file())?;
    let log = process::open_log(config)?;
    let plan = plan::make(log.as_ref(), file, &text, config, &pepper)?;
    print!("{plan}");
    if plan.in_force {
        println!("these rules are in force");
    } else {
        println!(
            "nothing was changed: `polku company apply {}` does it",
            file.display()
        );
    }
    Ok(())
}

fn show_company(config: &Config) -> anyhow::Result<()> {
    let log = process::open_log(config)?;
    match company::latest(log.as_ref())? {
        Some(company) => println!(
            "# version {}, applied {}\n{}",
            company.version, company.time, company.text
        ),
        None => println!("# no company was applied; what Polku does without one is in force"),
    }
    Ok(())
}

/// Runs what talks to Polku over HTTP, until it is done or interrupted; 0 when it went well, 1 otherwise.
fn run_client<F>(client: impl FnOnce(Shutdown) -> F) -> anyhow::Result<ExitCode>
where
    F: Future<Output = anyhow::Result<bool>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let shutdown = Shutdown::new();
        shutdown.on_signals().context("listening for signals")?;
        let went_well = client(shutdown).await?;
        Ok(if went_well {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    })
}

fn run_simulation(place: &Place, options: simulate::Options) -> anyhow::Result<ExitCode> {
    let config = place.config()?;
    let url = options
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}", config.listen));
    let keys = options
        .keys
        .clone()
        .unwrap_or_else(|| Home::new(&config.data).keys());
    run_client(|shutdown| async move {
        // A first start of Polku writes the keys: they may be on their way.
        let keys = Keys::await_file(&keys).await?;
        simulate::run(options, &url, keys, shutdown).await
    })
}

fn run_import(place: &Place, options: import::Options) -> anyhow::Result<ExitCode> {
    let config = place.config()?;
    run_client(|shutdown| import::run(options, config, shutdown))
}
