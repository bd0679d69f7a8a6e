use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::body::{Body, Bytes};
use event::{Time, notice::Why, sent::SentKind};

use super::{
    office::{Endpoint, Heard, Office, status, until},
    sample,
};
use crate::{
    queue::Limits,
    secret::{Secret, signatures},
};

fn ids(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|one| one.id().to_owned()).collect()
}

fn id(number: i64) -> String {
    sample::notice(number, 1).id.to_string()
}

fn delivered(count: usize) -> impl FnMut(&[event::sent::Sent]) -> bool {
    move |sent| {
        let delivered = sent.iter().filter(|one| one.what == SentKind::Delivered);
        delivered.count() >= count
    }
}

/// A subscription that has begun is told of what comes after.
async fn begun(office: &Office, subscriptions: usize) {
    let began = |sent: &[event::sent::Sent]| {
        let began = sent.iter().filter(|one| one.what == SentKind::Following);
        began.count() >= subscriptions
    };
    office.until_sent("the subscriptions begin", began).await;
}

#[tokio::test]
async fn an_endpoint_that_fails_hears_the_same_again_until_it_takes_it() {
    let endpoint =
        Endpoint::answering(|number, _| Some(status(if number < 3 { 503 } else { 200 }))).await;
    let mut office = Office::new();
    office.subscribe("crm", &endpoint.url());
    let running = office.open();
    begun(&office, 1).await;
    office.tell([sample::notice(1, 1)]).await;
    office.until_sent("it is delivered", delivered(1)).await;
    let heard = endpoint.heard();
    assert_eq!(heard.len(), 4);
    let secret = Secret::parse(super::office::SECRET).unwrap();
    for one in &heard {
        assert_eq!(one.id(), id(1));
        assert_eq!(one.body, heard[0].body);
        assert_eq!(one.header("content-type"), "application/json");
        let timestamp: i64 = one.header("webhook-timestamp").parse().unwrap();
        let expected = signatures(
            std::slice::from_ref(&secret),
            one.id(),
            timestamp,
            &one.body,
        );
        assert_eq!(one.header("webhook-signature"), expected);
    }
    assert_eq!(running.deliveries("status"), 3.0);
    assert_eq!(running.deliveries("delivered"), 1.0);
    let facts: Vec<SentKind> = office.sent().iter().map(|one| one.what).collect();
    assert!(facts.contains(&SentKind::Failing));
    let last = office
        .sent()
        .into_iter()
        .find(|one| one.what == SentKind::Delivered)
        .unwrap();
    assert_eq!(last.attempts, 4);
    running.stop();
}

#[tokio::test]
async fn a_dead_endpoint_delays_no_other_and_a_hanging_one_is_cut() {
    let hanging = Endpoint::answering(|_, _| None).await;
    let good = Endpoint::good().await;
    let mut office = Office::new();
    office.subscribe("hanging", &hanging.url());
    office.subscribe("good", &good.url());
    // Nobody listens there any more.
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    office.subscribe("dead", &format!("http://{address}"));
    let running = office.open();
    begun(&office, 3).await;
    // More than a window, so that those who fail hold theirs full.
    office
        .tell((0..200).map(|number| sample::notice(number, u8::try_from(number).unwrap())))
        .await;
    let heard = good
        .until("the good one hears all", |heard| heard.len() >= 200)
        .await;
    let expected: BTreeSet<String> = (0..200).map(id).collect();
    assert_eq!(ids(&heard).into_iter().collect::<BTreeSet<_>>(), expected);
    until("the hanging one is cut", || {
        running.deliveries("timed_out") >= 1.0
    })
    .await;
    until("the dead one is not reached", || {
        running.deliveries("unreachable") >= 2.0
    })
    .await;
    let of = |name| {
        running.metric(
            "polku_notify_oldest_unsent_timestamp_seconds",
            &[("subscription", name)],
        )
    };
    until("the good one has nothing left", || of("good") == 0.0).await;
    assert!(of("hanging") > 0.0 && of("dead") > 0.0);
    running.stop();
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let endpoint = Endpoint::answering(|number, heard| {
        assert_eq!(heard.path, "/polku");
        let mut response = status(if number < 2 { 307 } else { 200 });
        response
            .headers_mut()
            .insert("location", "/elsewhere".parse().unwrap());
        Some(response)
    })
    .await;
    let mut office = Office::new();
    office.subscribe("crm", &endpoint.url());
    let running = office.open();
    begun(&office, 1).await;
    office.tell([sample::notice(1, 1)]).await;
    office.until_sent("it is delivered", delivered(1)).await;
    assert!(endpoint.heard().iter().all(|one| one.path == "/polku"));
    assert_eq!(running.deliveries("redirected"), 2.0);
    running.stop();
}

#[tokio::test]
async fn an_endpoint_that_is_gone_hears_nothing_more_until_its_configuration_changes() {
    let gone = Arc::new(AtomicBool::new(true));
    let script = Arc::clone(&gone);
    let endpoint = Endpoint::answering(move |_, _| {
        Some(status(if script.load(Ordering::Relaxed) {
            410
        } else {
            200
        }))
    })
    .await;
    let mut office = Office::new();
    office.subscribe("crm", &endpoint.url());
    let running = office.open();
    begun(&office, 1).await;
    office.tell([sample::notice(1, 1)]).await;
    let disabled =
        |sent: &[event::sent::Sent]| sent.iter().any(|one| one.what == SentKind::Disabled);
    office.until_sent("it is disabled", disabled).await;
    assert_eq!(running.metric("polku_notify_disabled", &[]), 1.0);
    running.stop();

    gone.store(false, Ordering::Relaxed);
    office.tell([sample::notice(2, 2)]).await;
    let running = office.open();
    until("it is disabled still", || {
        running.metric("polku_notify_disabled", &[]) == 1.0
    })
    .await;
    running.stop();
    assert_eq!(endpoint.heard().len(), 1);

    office.subscription("crm").generation = 1;
    let running = office.open();
    let heard = endpoint
        .until("it is told what it missed", |heard| heard.len() == 3)
        .await;
    assert_eq!(ids(&heard), [id(1), id(1), id(2)]);
    assert_eq!(running.metric("polku_notify_disabled", &[]), 0.0);
    running.stop();
}

#[tokio::test]
async fn a_restart_loses_nothing_and_repeats_only_what_nobody_took() {
    let open = Arc::new(AtomicBool::new(false));
    let script = Arc::clone(&open);
    // Takes even numbers; the odd ones only once it is open.
    let odd: BTreeSet<String> = (0..40).filter(|number| number % 2 == 1).map(id).collect();
    let endpoint = Endpoint::answering(move |_, heard| {
        let taken = script.load(Ordering::Relaxed) || !odd.contains(heard.id());
        Some(status(if taken { 200 } else { 500 }))
    })
    .await;
    let mut office = Office::new();
    office.subscribe("crm", &endpoint.url());
    let running = office.open();
    begun(&office, 1).await;
    office
        .tell((0..40).map(|number| sample::notice(number, u8::try_from(number).unwrap())))
        .await;
    office.until_sent("half are delivered", delivered(20)).await;
    running.stop();
    // What was told while nobody ran is sent too.
    office.tell([sample::notice(40, 40)]).await;
    open.store(true, Ordering::Relaxed);
    let before = endpoint.heard().len();
    let running = office.open();
    office.until_sent("all are delivered", delivered(41)).await;
    // A request that was cut off by the stop may be heard after it, so that one of them may be there twice.
    let after: BTreeSet<String> = ids(&endpoint.heard()[before..]).into_iter().collect();
    let expected: BTreeSet<String> = (0..=40)
        .filter(|number| number % 2 == 1 || *number == 40)
        .map(id)
        .collect();
    assert_eq!(after, expected, "what nobody took, and nothing else");
    running.stop();
}

#[tokio::test]
async fn two_instances_lose_nothing_and_a_late_one_repeats_nothing() {
    let endpoint = Endpoint::good().await;
    let mut office = Office::new();
    office.subscribe("crm", &endpoint.url());
    let first = office.open();
    begun(&office, 1).await;
    let second = office.open();
    begun(&office, 2).await;
    office
        .tell((0..50).map(|number| sample::notice(number, 1)))
        .await;
    let expected: BTreeSet<String> = (0..50).map(id).collect();
    endpoint
        .until("every notice is heard", |heard| {
            ids(heard).into_iter().collect::<BTreeSet<_>>() == expected
        })
        .await;
    office
        .until_sent("all are delivered", |sent| {
            let delivered = sent.iter().filter(|one| one.what == SentKind::Delivered);
            delivered
                .filter_map(|one| one.notice)
                .collect::<BTreeSet<_>>()
                .len()
                == 50
        })
        .await;
    first.stop();
    second.stop();
    let before = endpoint.heard().len();
    let third = office.open();
    begun(&office, 3).await;
    office.tell([sample::notice(50, 2)]).await;
    let heard = endpoint
        .until("the new one is heard", |heard| heard.len() > before)
        .await;
    assert_eq!(ids(&heard[before..]), [id(50)]);
    third.stop();
}

#[tokio::test]
async fn notices_of_a_case_come_in_their_order() {
    let failures = AtomicUsize::new(0);
    let endpoint = Endpoint::answering(move |number, _| {
        let fails = number % 3 == 0 && failures.fetch_add(1, Ordering::Relaxed) < 10;
        Some(status(if fails { 500 } else { 200 }))
    })
    .await;
    let mut office = Office::new();
    office.subscribe("crm", &endpoint.url());
    let running = office.open();
    begun(&office, 1).await;
    office
        .tell((0..20).map(|number| sample::notice(number, 7)))
        .await;
    office.until_sent("all are delivered", delivered(20)).await;
    let mut heard = ids(&endpoint.heard());
    heard.dedup();
    assert_eq!(heard, (0..20).map(id).collect::<Vec<_>>());
    running.stop();
}

#[tokio::test]
async fn a_new_subscription_hears_what_comes_after_it_of_what_it_asked_for() {
    let endpoint = Endpoint::good().await;
    let mut office = Office::new();
    office.tell([sample::notice(1, 1)]).await;
    office.subscribe("crm", &endpoint.url()).why = Some(BTreeSet::from([Why::Missed, Why::Opened]));
    let running = office.open();
    begun(&office, 1).await;
    let of = |number, why| event::notice::Notice {
        why,
        ..sample::notice(number, 1)
    };
    office
        .tell([
            of(2, Why::Heard),
            of(3, Why::Missed),
            of(4, Why::Gone),
            of(5, Why::Opened),
        ])
        .await;
    let heard = endpoint
        .until("what it asked for", |heard| heard.len() == 2)
        .await;
    assert_eq!(ids(&heard), [id(3), id(5)]);
    running.stop();
}

#[tokio::test]
async fn both_secrets_sign_while_one_is_being_changed() {
    let endpoint = Endpoint::good().await;
    let mut office = Office::new();
    let other = office.secret(
        "other",
        "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    );
    office
        .subscribe("crm", &endpoint.url())
        .secret_file
        .push(other);
    let running = office.open();
    begun(&office, 1).await;
    office.tell([sample::notice(1, 1)]).await;
    let heard = endpoint
        .until("it is heard", |heard| !heard.is_empty())
        .await;
    let signatures: Vec<&str> = heard[0].header("webhook-signature").split(' ').collect();
    assert_eq!(signatures.len(), 2);
    assert!(signatures.iter().all(|one| one.starts_with("v1,")));
    running.stop();
    // The first is taken out: what was delivered is not sent again because of it.
    office.subscription("crm").secret_file.remove(0);
    let running = office.open();
    office.tell([sample::notice(2, 2)]).await;
    let heard = endpoint
        .until("the next one is heard", |heard| heard.len() > 1)
        .await;
    assert_eq!(ids(&heard), [id(1), id(2)]);
    assert_eq!(heard[1].header("webhook-signature").split(' ').count(), 1);
    running.stop();
}

#[tokio::test]
async fn a_name_that_leads_inside_is_never_connected_to() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let mut office = Office::new().resolving_to(address.ip());
    office
        .subscribe("crm", &format!("https://inside.example:{}", address.port()))
        .allow_private = false;
    let running = office.open();
    begun(&office, 1).await;
    office.tell([sample::notice(1, 1)]).await;
    until("it is tried more than once", || {
        running.deliveries("forbidden") >= 3.0
    })
    .await;
    let connected = listener.accept().unwrap_err();
    assert_eq!(connected.kind(), std::io::ErrorKind::WouldBlock);
    running.stop();
}

#[tokio::test]
async fn an_answer_without_end_is_read_to_its_bound() {
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let endpoint = Endpoint::answering(move |_, _| {
        let count = Arc::clone(&count);
        let chunks = std::iter::repeat_with(move || {
            count.fetch_add(1 << 14, Ordering::Relaxed);
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1 << 14]))
        });
        let body = Body::from_stream(futures::stream::iter(chunks));
        Some(axum::http::Response::new(body))
    })
    .await;
    let mut office = Office::new();
    office.subscribe("crm", &endpoint.url());
    let running = office.open();
    begun(&office, 1).await;
    office.tell([sample::notice(1, 1)]).await;
    office.until_sent("it is delivered", delivered(1)).await;
    running.stop();
    // What the sockets between them hold, and no more.
    let served = served.load(Ordering::Relaxed);
    assert!(served < 32 << 20, "{served} bytes");
}

#[tokio::test]
async fn a_notice_older_than_the_sent_log_is_not_sent() {
    let endpoint = Endpoint::good().await;
    let mut office = Office::new();
    office.subscribe("crm", &endpoint.url());
    let running = office.open_with(Limits::default());
    begun(&office, 1).await;
    let now = Time::from_millis(service::clock::now_ms());
    office
        .log
        .set_time(now - event::time::Millis::from_days(31));
    office.tell([sample::notice(1, 1)]).await;
    office.log.set_time(now);
    office.tell([sample::notice(2, 2)]).await;
    let heard = endpoint
        .until("the young one is heard", |heard| !heard.is_empty())
        .await;
    assert_eq!(ids(&heard), [id(2)]);
    assert_eq!(running.deliveries("expired"), 1.0);
    running.stop();
}
