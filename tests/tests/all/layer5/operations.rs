//! What those who run Polku meet: a topic or a permission that is missing, a broker that is lost, a restart of one role after
//! the other. What is wrong is said with its remedy, and nothing is lost.

use std::{fs, process::Output, time::Duration};

use tests::{
    broker::{self, Broker, Kind},
    crowd::Crowd,
    sender::Sender,
    stage::{
        company::Company,
        processes::Processes,
        role::{self, Role},
    },
    turn, wait,
};

/// A company on the broker, as one of its users where it asks for them.
fn company(broker: &Broker, user: Option<&str>) -> Company {
    let sasl = user.map_or_else(String::new, |user| {
        format!(
            ", security = \"sasl_plaintext\", \
             sasl = {{ mechanism = \"PLAIN\", username = \"{user}\", password_file = \"{user}.password\" }}"
        )
    });
    let bootstrap = broker.bootstrap();
    let company = Company::new(&format!(
        "listen = \"{}\"\nlog = {{ kind = \"kafka\", partitions = 2, session_ms = 6000 }}\n\
         kafka = {{ bootstrap = \"{bootstrap}\", namespace = \"operations-{}.\"{sasl} }}",
        role::free_address(),
        std::process::id(),
    ));
    if let Some(user) = user {
        let config = fs::read_to_string(company.config_file()).expect("it was written");
        let password = company.directory().join(format!("{user}.password"));
        polku::demo::write(&password, user).expect("a password is written");
        let named = config.replace(
            &format!("{user}.password"),
            password.to_str().expect("a plain path"),
        );
        fs::write(company.config_file(), named).expect("it is written again");
    }
    company
}

/// Runs a command that is to fail, and gives what it said.
fn refused(company: &Company, arguments: &[&str]) -> String {
    let output = run(company, arguments);
    assert!(!output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn run(company: &Company, arguments: &[&str]) -> Output {
    let command = role::command(company, arguments).output();
    command.expect("the binary runs")
}

/// The last line is what the process itself says.
#[track_caller]
fn said(text: &str, parts: &[&str]) {
    let last = text.lines().last().unwrap_or_default();
    for part in parts {
        assert!(last.contains(part), "{part:?} is not said in: {text}");
    }
}

#[test]
fn a_missing_topic_is_named_with_its_remedy() {
    let Some(broker) = broker::or_skip() else {
        return;
    };
    let company = company(broker, None);
    for role in ["ingest", "unify", "alert"] {
        let text = refused(&company, &[role]);
        said(&text, &["topic", "does not exist", "`polku topics apply`"]);
    }
}

#[test]
fn a_missing_permission_is_named_as_what_to_grant() {
    let Some(broker) = broker::own_or_skip("users", Kind::WithUsers) else {
        return;
    };
    let admin = company(&broker, Some("admin"));
    let polku = company(&broker, Some("polku"));
    said(
        &refused(&polku, &["topics", "apply"]),
        &["CREATE", "topics `polku.*`"],
    );
    let made = run(&admin, &["topics", "apply"]);
    assert!(made.status.success(), "{made:?}");
    // What a user may not see, a broker does not show.
    said(
        &refused(&polku, &["unify"]),
        &["does not exist", "grant its user READ and DESCRIBE"],
    );
    let prefixed = ["--resource-pattern-type", "prefixed"];
    let grant = |what: &[&str]| broker.allow(&[what, &prefixed].concat());
    let namespace = format!("operations-{}.", std::process::id());
    let every = ["Read", "Write", "Describe", "DescribeConfigs", "Delete"]
        .map(|operation| ["--operation", operation])
        .concat();
    grant(&[&["--topic", namespace.as_str()], every.as_slice()].concat());
    said(
        &refused(&polku, &["unify"]),
        &["grant the user WRITE and DESCRIBE on the transactional ids"],
    );
    grant(&[
        "--transactional-id",
        &namespace,
        "--operation",
        "Write",
        "--operation",
        "Describe",
    ]);
    said(
        &refused(&polku, &["unify"]),
        &["grant the user READ on the groups"],
    );

    let password = polku.directory().join("polku.password");
    fs::write(password, "guessed").expect("a password is written");
    said(
        &refused(&polku, &["unify"]),
        &["authentication", "check `kafka.sasl` and its password file"],
    );
}

const EVENTS: usize = 3_000;
const BOUND: Duration = Duration::from_secs(300);

#[test]
fn a_lost_broker_and_a_restart_of_one_role_after_the_other_lose_nothing() {
    let _turn = turn::take();
    let Some(broker) = broker::own_or_skip("three", Kind::Three) else {
        return;
    };
    let crowd = Crowd::of_events(7, EVENTS);
    let mut processes = Processes::start(&broker);
    let sender = Sender::start(
        processes.http.runtime(),
        &processes.url(Role::Ingest),
        &processes.company.keys,
        crowd.batches(),
    );
    let sent = |part: usize| {
        let events = crowd.events() * part / 10;
        sender.allow(events);
        wait::until("the events are acknowledged", BOUND, || {
            (sender.acknowledged() >= events).then_some(())
        });
    };
    sent(2);
    broker.kill_node(2);
    sent(4);
    for role in Role::APART {
        processes.restart(role);
        sent(5);
    }
    broker.start_again();
    broker.kill_node(3);
    sent(8);
    broker.start_again();
    sender.finish(processes.http.runtime());
    let expected = u64::try_from(crowd.events()).expect("a number of events");
    processes.come_to_rest_after_loss(expected, BOUND);
    // Serve follows the log by itself, and is the last to hear.
    let counted = || {
        let counts = processes.counts()?;
        let right =
            counts["customers"] == crowd.customers && counts["cases"]["open"] == crowd.complaints();
        right.then_some(())
    };
    let what = "each customer and each complaint is counted once";
    wait::until_or(what, BOUND, counted, || processes.condition());
}
