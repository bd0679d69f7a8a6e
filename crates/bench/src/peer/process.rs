//! The programs as processes of their own, and what the system says of them.

use std::{
    ffi::OsStr,
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use clap::Parser as _;
use polku::{binding, command::Cli, config::Config, process::Process as RoleProcess};
use unifier::{identify::Identify, unify::Unify};

use super::transactionless::Transactionless;

const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/kafka-streams");

/// Whose work is measured.
pub(crate) enum Program<'a> {
    Polku(Role),
    Peer(&'a Peer),
}

/// How Polku commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The role `unify` as it is.
    ExactlyOnce,
    /// The same loops, with a log that only appends.
    AtLeastOnce,
}

impl Program<'_> {
    pub(crate) fn is_polku(&self) -> bool {
        matches!(self, Program::Polku(_))
    }

    /// Starts it in an empty directory.
    pub(crate) fn start(
        &self,
        bootstrap: &str,
        namespace: &str,
        partitions: u32,
        directory: &Path,
    ) -> anyhow::Result<Running> {
        let mut command = match self {
            Program::Polku(role) => {
                let config = configuration(bootstrap, namespace, partitions, directory)?;
                let mut command =
                    Command::new(std::env::current_exe().context("finding the binary")?);
                command.arg("--unify").arg(config);
                if *role == Role::AtLeastOnce {
                    command.arg("--without-transactions");
                }
                command
            }
            Program::Peer(peer) => peer.command(bootstrap, namespace, partitions, directory),
        };
        let said = directory.join("said");
        let out = File::create(&said).with_context(|| format!("making {}", said.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(out)
            .spawn()
            .context("starting a program")?;
        Ok(Running { child, said })
    }
}

/// What `--unify` runs: the role `unify` by this file.
pub(crate) fn role(config: &Path, without_transactions: bool) -> anyhow::Result<()> {
    service::logs::start(service::logs::Form::of_stderr());
    if !without_transactions {
        let arguments = [
            OsStr::new("polku"),
            OsStr::new("unify"),
            OsStr::new("--config"),
            config.as_os_str(),
        ];
        Cli::try_parse_from(arguments)?.run()?;
        return Ok(());
    }
    let mut process = RoleProcess::role(Config::read(Some(config))?)?;
    process.log = Arc::new(Transactionless(Arc::clone(&process.log)));
    let partitions = process.config.log.partitions;
    process.add_machine(Identify::new(partitions), binding::identify())?;
    process.add_machine(Unify::new(), binding::unify())?;
    process.run()
}

fn configuration(
    bootstrap: &str,
    namespace: &str,
    partitions: u32,
    directory: &Path,
) -> anyhow::Result<PathBuf> {
    let listener = TcpListener::bind("127.0.0.1:0").context("finding a free port")?;
    let listen = listener.local_addr()?;
    let pepper = directory.join("pepper");
    polku::demo::write(&pepper, &"5a".repeat(32))?;
    let text = format!(
        "listen = \"{listen}\"\n\
         data = {directory:?}\n\
         log = {{ kind = \"kafka\", partitions = {partitions} }}\n\
         kafka = {{ bootstrap = \"{bootstrap}\", namespace = \"{namespace}\", compression = \"none\" }}\n"
    );
    let path = directory.join("polku.toml");
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

/// The other program, built.
pub(crate) struct Peer {
    directory: PathBuf,
}

impl Peer {
    /// Builds it with Maven, below `data`; the text of an error says what is missing.
    pub(crate) fn build(data: &Path) -> Result<Peer, String> {
        for (program, argument) in [("java", "-version"), ("mvn", "--version")] {
            let tried = Command::new(program).arg(argument).output();
            if !tried.is_ok_and(|output| output.status.success()) {
                return Err(format!("there is no `{program}`"));
            }
        }
        let directory = data.join("peer");
        let output = Command::new("mvn")
            .args([
                "--quiet",
                "--batch-mode",
                "package",
                "dependency:copy-dependencies",
            ])
            .arg("-DincludeScope=runtime")
            .arg(format!("-Dpeer.directory={}", directory.display()))
            .arg(format!(
                "-DoutputDirectory={}",
                directory.join("libs").display()
            ))
            .current_dir(PEER)
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stdout);
            return Err(format!("Maven cannot build it: {}", said.trim()));
        }
        Ok(Peer { directory })
    }

    fn command(
        &self,
        bootstrap: &str,
        namespace: &str,
        partitions: u32,
        directory: &Path,
    ) -> Command {
        let classes = format!(
            "{}:{}",
            self.directory.join("peer.jar").display(),
            self.directory.join("libs/*").display()
        );
        let mut command = Command::new("java");
        command
            .args(["-Xms2g", "-Xmx2g"])
            .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
            .arg(format!("-Dpartitions={partitions}"))
            .args(["-cp", &classes, "peer.Peer", bootstrap, namespace])
            .arg(directory.join("state"));
        command
    }
}

/// A program at work. It is ended with this.
pub(crate) struct Running {
    child: Child,
    said: PathBuf,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// Of all its threads, in the kernel too.
    pub(crate) cpu: Duration,
    /// The most memory that it held at once.
    pub(crate) peak_bytes: u64,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// # Errors
    /// When it has ended.
    pub(crate) fn used(&mut self) -> anyhow::Result<Used> {
        if let Some(status) = self.child.try_wait()? {
            let said = fs::read_to_string(&self.said).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(10).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            bail!("a program ended with {status}:\n{}", last.join("\n"));
        }
        used(self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

pub(crate) fn used(process: u32) -> anyhow::Result<Used> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("asking for times")?;
    // The name in brackets may hold anything; the times are the twelfth and thirteenth after it.
    let (_, rest) = stat.rsplit_once(") ").context("a line of /proc/*/stat")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    ensure!(fields.len() > 12, "a line of /proc/*/stat is short");
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    let each = rustix::param::clock_ticks_per_second();
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).context("asking for memory")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|text| text.trim().strip_suffix(" kB"))
        .context("a process says its peak of memory")?;
    Ok(Used {
        cpu: Duration::from_secs_f64(ticks as f64 / each as f64),
        peak_bytes: peak.trim().parse::<u64>()? * 1024,
    })
}
