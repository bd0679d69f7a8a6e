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
        }),
        None => Broker::start("shared"),
    });
    available(shared.as_ref())
}

/// A broker of this test's own, which it may kill.
///
/// # Panics
/// When it is required and cannot be had.
pub fn own_or_skip(name: &str) -> Option<Broker> {
    available(Broker::start(name))
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
    fn start(name: &str) -> Result<Self, String> {
        let name = format!("tests-{}-{name}", std::process::id());
        let bootstrap = up(&name)?;
        Ok(Self {
            bootstrap,
            name: Some(name),
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
        let name = self
            .name
            .as_deref()
            .expect("only a broker that was started here is killed");
        let killed = script("kill", name).expect("the script runs");
        assert!(killed.status.success(), "{killed:?}");
        let bootstrap = up(name).expect("it starts again");
        assert_eq!(bootstrap, self.bootstrap, "it is found where it was");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(name) = &self.name
            && let Err(error) = script("down", name)
        {
            eprintln!("the broker {name} was not stopped: {error}");
        }
    }
}

fn up(name: &str) -> Result<String, String> {
    let output = script("up", name)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let bootstrap = text
        .lines()
        .find_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP="));
    bootstrap.map(str::to_owned).ok_or_else(|| {
        let why = String::from_utf8_lossy(&output.stderr);
        why.trim().to_owned()
    })
}

fn script(verb: &str, name: &str) -> Result<Output, String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/dev/kafka/kafka");
    Command::new(script)
        .arg(verb)
        .env("KAFKA_NAME", name)
        .env("KAFKA_PORT", "0")
        .env("KAFKA_OWNER", std::process::id().to_string())
        .output()
        .map_err(|error| format!("{script}: {error}"))
}
