//! What somebody reads who made a mistake, and what the process ends with.

use std::{
    fs,
    net::TcpListener,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use tests::{
    http::Http,
    stage::{
        company::Company,
        role::{self, Process, Role},
    },
    wait,
};

const ENDED_WITHIN: Duration = Duration::from_secs(30);

/// Runs a command that is to end by itself; its exit code and what it said on stderr.
pub(crate) fn ended(mut command: Command, bound: Duration) -> (Option<i32>, String) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("stderr");
    let file = fs::File::create(&path).expect("a file for its words");
    let mut child = command
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .expect("the binary runs");
    let started = service::clock::instant();
    loop {
        let status = child.try_wait().expect("a child can be asked");
        if status.is_none() && started.elapsed() < bound {
            wait::pause();
            continue;
        }
        // Ended already, or never will.
        child.kill().ok();
        child.wait().expect("a child can be waited for");
        let said = fs::read_to_string(&path).expect("its words are text");
        let status = status.unwrap_or_else(|| panic!("it did not end: {said}"));
        return (status.code(), said);
    }
}

/// The same of several, side by side: most of their time they wait for an answer that does not come.
pub(crate) fn all_ended<T: Copy>(
    which: &[T],
    command: impl Fn(T) -> Command,
    bound: Duration,
) -> Vec<(T, Option<i32>, String)> {
    thread::scope(|scope| {
        let running = which.iter().map(|one| {
            let command = command(*one);
            (*one, scope.spawn(move || ended(command, bound)))
        });
        // All are started before the first is waited for.
        let running: Vec<_> = running.collect();
        let done = running.into_iter().map(|(one, running)| {
            let (code, said) = running.join().expect("it ends");
            (one, code, said)
        });
        done.collect()
    })
}

/// The last words hold each of these.
pub(crate) fn says(said: &str, parts: &[&str]) {
    let (_, last) = said
        .rsplit_once("polku: ")
        .unwrap_or_else(|| panic!("it ended without a word: {said}"));
    for part in parts {
        assert!(last.contains(part), "it does not say `{part}`: {last}");
    }
}

fn embedded() -> Company {
    Company::new("log = { kind = \"embedded\", partitions = 2 }")
}

/// A command of the company on a port of its own.
fn command(company: &Company, arguments: &[&str]) -> Command {
    let mut command = role::command(company, arguments);
    command.env("POLKU__LISTEN", role::free_address().to_string());
    command
}

#[test]
fn a_second_process_on_the_same_data_is_refused_and_the_first_goes_on() {
    let company = embedded();
    let http = Http::default();
    let mut first = Process::start(&company, Role::Dev, role::free_address());
    first.await_ready(&http, ENDED_WITHIN);
    let (code, said) = ended(command(&company, &["dev"]), ENDED_WITHIN);
    assert_eq!(code, Some(1), "{said}");
    let path = company.directory().display().to_string();
    says(&said, &[&path, "in use by another process", "--data"]);
    first.await_ready(&http, ENDED_WITHIN);
}

#[test]
fn a_taken_port_is_named() {
    let company = embedded();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = role::command(&company, &["dev"]);
    command.env("POLKU__LISTEN", &address);
    let (code, said) = ended(command, ENDED_WITHIN);
    assert_eq!(code, Some(1), "{said}");
    says(&said, &[&address, "taken", "listen"]);
}

#[test]
fn a_role_on_an_embedded_log_says_use_dev() {
    let company = embedded();
    let told = |role: Role| command(&company, &[role.as_str()]);
    for (role, code, said) in all_ended(&Role::APART, told, ENDED_WITHIN) {
        assert_eq!(code, Some(78), "{role:?}: {said}");
        says(&said, &["log.kind", "polku dev", "kafka"]);
    }
}

#[test]
fn a_bad_configuration_names_file_line_and_the_nearest_field() {
    let company = embedded();
    let good = fs::read_to_string(company.config_file()).unwrap();
    fs::write(
        company.config_file(),
        format!("lissten = \"127.0.0.1:1\"\n{good}"),
    )
    .unwrap();
    for arguments in [&["check-config"][..], &["dev"], &["company", "show"]] {
        let (code, said) = ended(role::command(&company, arguments), ENDED_WITHIN);
        assert_eq!(code, Some(78), "{arguments:?}: {said}");
        says(
            &said,
            &["polku.toml", "line 1", "lissten", "did you mean `listen`"],
        );
    }
    let untouched = fs::read_dir(company.directory()).unwrap();
    let names: Vec<_> = untouched.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name == "log.redb"), "{names:?}");
}

#[test]
fn a_missing_pepper_beside_data_is_never_made_anew() {
    let company = embedded();
    let http = Http::default();
    let mut first = Process::start(&company, Role::Dev, role::free_address());
    first.await_ready(&http, ENDED_WITHIN);
    first.kill();
    let pepper = company.directory().join("pepper");
    fs::remove_file(&pepper).unwrap();
    let (code, said) = ended(command(&company, &["dev"]), ENDED_WITHIN);
    assert_eq!(code, Some(78), "{said}");
    says(&said, &[&pepper.display().to_string(), "backup"]);
    assert!(!pepper.exists());
}
