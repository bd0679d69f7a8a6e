//! Polku's binary as processes of their own.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use rand::Rng as _;

use super::company::Company;
use crate::{environment, http::Http, wait};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Dev,
    Ingest,
    Unify,
    Alert,
    Serve,
    Notify,
}

impl Role {
    /// The roles of a cluster that every company needs.
    pub const APART: [Role; 4] = [Role::Ingest, Role::Unify, Role::Alert, Role::Serve];

    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Dev => "dev",
            Role::Ingest => "ingest",
            Role::Unify => "unify",
            Role::Alert => "alert",
            Role::Serve => "serve",
            Role::Notify => "notify",
        }
    }
}

/// The binary as the code is now: built once a run, or the one that `POLKU_BINARY` names.
///
/// # Panics
/// When it cannot be built.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| environment("POLKU_BINARY").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    // <target>/<profile>/deps/<test>
    let built = test
        .ancestors()
        .nth(2)
        .expect("tests lie in a profile's `deps`");
    let target = built.parent().expect("a profile lies in the target");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", "polku"]);
    if built.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", target)
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the binary cannot be built");
    built.join("polku")
}

/// An address nobody listens on, below the range that the system hands out to clients: a role that is killed finds it free again.
///
/// # Panics
/// When there is none.
pub fn free_address() -> SocketAddr {
    let mut rng = rand::rng();
    (0..1_000)
        .map(|_| SocketAddr::from(([127, 0, 0, 1], rng.random_range(10_000..20_000))))
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("one port in ten thousand is free")
}

/// The binary with a company's configuration.
pub fn command(company: &Company, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .arg("--config")
        .arg(company.config_file())
        .arg("--data")
        .arg(company.directory())
        // Tests read faster than people.
        .env("POLKU__SERVE__REQUESTS_PER_SECOND", "100000")
        .stdin(Stdio::null());
    command
}

/// A process that runs a role. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    role: Role,
    address: SocketAddr,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// # Panics
    /// When the binary cannot be run.
    pub fn start(company: &Company, role: Role, address: SocketAddr) -> Process {
        let log = company.directory().join(format!("{}.log", role.as_str()));
        // Appended to: a role that is started again goes on in the same file.
        let out = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("the log is writable");
        let child = command(company, &[role.as_str()])
            .env("POLKU__LISTEN", address.to_string())
            .stdout(Stdio::null())
            .stderr(out)
            .spawn()
            .expect("the binary runs");
        Process {
            role,
            address,
            child,
            log,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// # Panics
    /// When it is not ready in time, or ended; says what it logged last.
    pub fn await_ready(&mut self, http: &Http, bound: Duration) {
        let what = format!("`polku {}` is ready", self.role.as_str());
        let url = format!("{}/readyz", self.url());
        wait::until(&what, bound, || {
            let ended = self.child.try_wait().expect("a child can be asked");
            assert!(
                ended.is_none(),
                "`polku {}` ended with {ended:?}:\n{}",
                self.role.as_str(),
                self.last_words()
            );
            let answer = http.get(&url, None).ok()?;
            (answer.status == 200).then_some(())
        });
    }

    /// kill -9.
    ///
    /// # Panics
    /// When it had ended by itself, which is a failure of its own.
    pub fn kill(&mut self) {
        let ended = self.child.try_wait().expect("a child can be asked");
        assert!(
            ended.is_none(),
            "`polku {}` ended with {ended:?}:\n{}",
            self.role.as_str(),
            self.last_words()
        );
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Panics
    /// When it does not end, or not well.
    pub fn stop(&mut self, bound: Duration) {
        let asked = Command::new("kill")
            .arg("-TERM")
            .arg(self.child.id().to_string())
            .status();
        assert!(asked.is_ok_and(|asked| asked.success()), "it is asked");
        let what = format!("`polku {}` stops", self.role.as_str());
        let ended = wait::until(&what, bound, || {
            self.child.try_wait().expect("a child can be asked")
        });
        assert!(ended.success(), "{ended:?}:\n{}", self.last_words());
    }

    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().take(15).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

/// Where the logs of what failed stay when their directory is gone: beside the test that failed.
fn kept() -> PathBuf {
    let test = std::env::current_exe().expect("this test has a path");
    test.with_file_name("failed")
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let role = self.role.as_str();
            eprintln!("`polku {role}` said last:\n{}", self.last_words());
            let name = format!("{}-{}-{role}.log", std::process::id(), self.address.port());
            let file = kept().join(name);
            match fs::create_dir_all(kept()).and_then(|()| fs::copy(&self.log, &file)) {
                Ok(_) => eprintln!("all that it said: {}", file.display()),
                Err(error) => eprintln!("its log is not kept: {error}"),
            }
        }
        // It may have ended already, and then there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
