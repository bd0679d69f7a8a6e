//! A real Kafka broker for layer 5.

use std::{
    process::{Command, Output},
    sync::OnceLock,
};

use crate::environment;

/// One broker on loopback, started by `deploy/dev/kafka/kafka`, or the one that `KAFKA_BOOTSTRAP` names.
#[derive(Debug)]
pub struct Broker {
    bootstrap: String,
    /// The name of a broker that was started here.
    name: Option<String>,
    kind: Kind,
}

/// The broker that all tests of this process share, or none, said aloud: `kafka` in `POLKU_REQUIRE` makes that a failure.
///
/// # Panics
/// When it is required and cannot be had.
pub fn or_skip() -> Option<&'static Broker> {
    static SHARED: OnceLock<Result<Broker, String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| match environment("KAFKA_BOOTSTRAP") {
        Some(bootstrap) => Ok(Broker {
            bootstrap,
            name: None,
            kind: Kind::One,
        }),
        None => Broker::start("shared", Kind::One),
    });
    available(shared.as_ref())
}

/// A broker of this test's own, which it may kill.
///
/// # Panics
/// When it is required and cannot be had.
pub fn own_or_skip(name: &str, kind: Kind) -> Option<Broker> {
    available(Broker::start(name, kind))
}

/// What is started for a test of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    One,
    /// Three brokers that hold everything three times.
    Three,
    /// One that asks who it is: `admin` may do all, `polku` what `Broker::allow` says. A user's password is its name.
    WithUsers,
}

fn available<T>(broker: Result<T, impl std::fmt::Display>) -> Option<T> {
    match broker {
        Ok(broker) => Some(broker),
        Err(why) => {
            let required = environment("POLKU_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|part| part == "kafka"),
                "layer 5 is required and cannot run: {why}"
            );
            eprintln!("layer 5 not run: {why}");
            None
        }
    }
}

impl Broker {
    /// The broker ends with this process, however that ends.
    fn start(name: &str, kind: Kind) -> Result<Self, String> {
        let name = format!("tests-{}-{name}", std::process::id());
        let bootstrap = up(&name, kind)?;
        Ok(Self {
            bootstrap,
            name: Some(name),
            kind,
        })
    }

    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Ends the broker with kill -9 and starts it again, on the same port, with what it had written.
    ///
    /// # Panics
    /// When it does not come back, or was not started here.
    pub fn kill_and_start(&self) {
        self.tell(&["kill"]);
        self.start_again();
    }

    /// Ends one of three with kill -9.
    ///
    /// # Panics
    /// When it cannot be killed, or was not started here.
    pub fn kill_node(&self, node: u32) {
        self.tell(&["kill", &node.to_string()]);
    }

    /// Starts what was killed, on the same port, with what it had written.
    ///
    /// # Panics
    /// When it does not come back, or was not started here.
    pub fn start_again(&self) {
        let bootstrap = up(self.name(), self.kind).expect("it starts again");
        assert_eq!(bootstrap, self.bootstrap, "it is found where it was");
    }

    /// Grants the user `polku` something, as Kafka's own tool puts it.
    ///
    /// # Panics
    /// When the broker does not take it.
    pub fn allow(&self, what: &[&str]) {
        self.tell(&[&["acl", "--add", "--allow-principal", "User:polku"], what].concat());
    }

    fn tell(&self, arguments: &[&str]) {
        let told = script(arguments, self.name(), self.kind).expect("the script runs");
        assert!(told.status.success(), "{arguments:?}: {told:?}");
    }

    fn name(&self) -> &str {
        let name = self.name.as_deref();
        name.expect("only a broker that was started here is told what to do")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(name) = &self.name
            && let Err(error) = script(&["down"], name, self.kind)
        {
            eprintln!("the broker {name} was not stopped: {error}");
        }
    }
}

fn up(name: &str, kind: Kind) -> Result<String, String> {
    let brokers = match kind {
        Kind::One | Kind::WithUsers => "1",
        Kind::Three => "3",
    };
    let output = script(&["up", brokers], name, kind)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let bootstrap = text
        .lines()
        .find_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP="));
    bootstrap.map(str::to_owned).ok_or_else(|| {
        let why = String::from_utf8_lossy(&output.stderr);
        why.trim().to_owned()
    })
}

fn script(arguments: &[&str], name: &str, kind: Kind) -> Result<Output, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/dev/kafka/kafka");
    let mut command = Command::new(script);
    match kind {
        Kind::One => &mut command,
        Kind::Three => command.env("KAFKA_HEAP", "256m"),
        Kind::WithUsers => command.env("KAFKA_HEAP", "256m").env("KAFKA_SASL", "1"),
    };
    command
        .args(arguments)
        .env("KAFKA_NAME", name)
        .env("KAFKA_PORT", "0")
        .env("KAFKA_BRIEF", "1")
        .env("KAFKA_OWNER", std::process::id().to_string())
        .output()
        .map_err(|error| format!("{script}: {error}"))
}
