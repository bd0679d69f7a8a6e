//! Promises that departments keep: with a case and without one, who is told of them and what they may read for it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use axum::http::StatusCode;
use event::{
    Event, EventId, MatterId, Millis, ProfileId, Record,
    case::{Case, StepKind},
    event::{Personal, Promise, PromiseState},
    notice::{Notice, Why},
};

use super::{
    pages::Browser,
    world::{
        COMPANY, Told, WEB, World, assigned, at, case, case_id, company, department, entry, get,
        name, notice, placed, profile, stands, step,
    },
};
use crate::Config;

const PROMISES: &str = "
[promises.arrival]
said = 'Your order arrives in two days'
starts_on = ['order.placed']
kept_by = ['parcel.delivered']
within = '48h'
keeper = 'billing'
warn_before = '8h'
";
/// Two days, in minutes.
const DUE: i64 = 48 * 60;

struct Shop {
    world: World,
    minutes: Arc<AtomicI64>,
    customer: ProfileId,
}

fn of_order(event: &Event, profile: ProfileId) -> Record {
    let mut placed_at = entry(event, profile, 1);
    placed_at.matter = MatterId::of_reference(event.values.last().unwrap().token);
    placed_at.case = None;
    placed(placed_at)
}

/// Aino placed an order. Billing said that it comes in two days.
async fn shop() -> Shop {
    let minutes = Arc::new(AtomicI64::new(0));
    let told = Arc::clone(&minutes);
    let clock = move || {
        let minutes = told.load(Ordering::Relaxed);
        (at(0) + Millis::from_secs(60 * minutes)).as_millis()
    };
    let world = World::at(Config::default(), Arc::new(clock)).await;
    let ordered = world.event(Told {
        what: "order.placed",
        identifiers: &[("email", "aino@example.fi")],
        references: &[("order", "A-77")],
        name: Some("Aino K."),
        ..WEB
    });
    let customer = profile(&ordered.values[0]);
    world
        .write([
            company(2, &format!("{COMPANY}{PROMISES}")),
            Record::Event(ordered.clone()),
            assigned(&ordered.values[1], customer, 1),
            of_order(&ordered, customer),
        ])
        .await;
    Shop {
        world,
        minutes,
        customer,
    }
}

impl Shop {
    fn warned(&self, why: Why) -> Record {
        let Record::Notice(told) = notice(case_id("none"), 1) else {
            unreachable!("a notice is a notice")
        };
        Record::Notice(Notice {
            department: department("billing"),
            why,
            what: name("promise.arrival"),
            answer_by: Some(at(DUE)),
            customer: Some(self.customer),
            ..told
        })
    }

    async fn reads(&self, key: &str) -> StatusCode {
        let path = format!("/v1/customers/{}", self.customer);
        self.world.send(get(key, &path)).await.status()
    }

    async fn delivered(&self) {
        let arrived = self.world.event(Told {
            id: "2",
            at: DUE - 60,
            what: "parcel.delivered",
            references: &[("order", "A-77")],
            ..WEB
        });
        let records = [
            Record::Event(arrived.clone()),
            of_order(&arrived, self.customer),
        ];
        self.world.write(records).await;
        self.minutes.store(DUE, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn whoever_is_warned_of_a_promise_without_a_case_finds_it_and_its_customer() {
    let shop = shop().await;
    let world = &shop.world;
    assert_eq!(shop.reads("stranger").await, StatusCode::FORBIDDEN);
    shop.minutes.store(DUE - 480, Ordering::Relaxed);
    world.write([shop.warned(Why::PromiseDue)]).await;
    let keeper = Browser::of(world, "stranger").await.speaking("en");
    let page = keeper.get("/inbox/billing?show=promises").await;
    assert_eq!(page.said("#show-promises .count"), "1");
    assert_eq!(
        page.texts(".row strong"),
        ["Your order arrives in two days"]
    );
    assert_eq!(page.texts(".row .mark"), ["Promise open"]);
    let customer = format!("/customers/{}", shop.customer);
    assert!(
        page.text.contains(&format!("href=\"{customer}\"")),
        "{}",
        page.text
    );
    let page = keeper.get(&customer).await;
    assert_eq!(page.status, StatusCode::OK, "the link leads somewhere");
    assert!(page.text.contains("Aino K."));
    for (key, expected) in [
        ("stranger", StatusCode::OK),
        ("advisor", StatusCode::FORBIDDEN),
        ("front", StatusCode::FORBIDDEN),
        ("machine", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(shop.reads(key).await, expected, "{key}");
    }
    // Who was told too long ago is not told any more.
    shop.minutes.store(32 * 24 * 60, Ordering::Relaxed);
    assert_eq!(shop.reads("stranger").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_promise_that_was_kept_or_taken_back_is_to_be_kept_no_more() {
    let shop = shop().await;
    let world = &shop.world;
    world.write([shop.warned(Why::PromiseDue)]).await;
    shop.delivered().await;
    let keeper = Browser::of(world, "stranger").await.speaking("en");
    let page = keeper.get("/inbox/billing?show=promises").await;
    assert!(page.texts(".row strong").is_empty(), "{}", page.text);

    let shop = self::shop().await;
    let world = &shop.world;
    world.write([shop.warned(Why::PromiseBroken)]).await;
    shop.minutes.store(DUE + 1, Ordering::Relaxed);
    let keeper = Browser::of(world, "stranger").await.speaking("en");
    let page = keeper.get("/inbox/billing?show=promises").await;
    assert_eq!(page.texts(".row .mark"), ["Promise broken"]);
    world.write([shop.warned(Why::TakenBack)]).await;
    let page = keeper.get("/inbox/billing?show=promises").await;
    assert!(page.texts(".row strong").is_empty(), "{}", page.text);
    assert_eq!(shop.reads("stranger").await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_case_shows_what_is_promised_to_everybody_and_its_keeper_reads_it() {
    let shop = shop().await;
    let world = &shop.world;
    let order = world.value("web", event::Class::Reference, "order", "A-77");
    let mut open = case(case_id("a"), &[shop.customer]);
    open.matters = vec![MatterId::of_reference(order.token)];
    world.write([stands(open.clone())]).await;
    let path = format!("/cases/{}", open.case);
    let advisor = Browser::of(world, "advisor").await.speaking("en");
    let page = advisor.get(&path).await;
    assert!(page.texts("section.guide").is_empty(), "{}", page.text);
    let promises = page.texts("section[aria-labelledby=promises] li");
    assert_eq!(promises.len(), 1, "{}", page.text);
    assert!(
        promises[0].starts_with("Your order arrives in two days Promise open billing by"),
        "{promises:?}"
    );
    // Billing has nothing to do with the case until it is told that it has to keep something.
    let keeper = Browser::of(world, "stranger").await.speaking("en");
    assert_eq!(keeper.get(&path).await.status, StatusCode::FORBIDDEN);
    let mut warned = step(open.case, 2, StepKind::Warned, "delivery");
    warned.other = Some(department("billing"));
    world.write([Record::Case(Case::Step(warned))]).await;
    assert_eq!(keeper.get(&path).await.status, StatusCode::OK);
    shop.delivered().await;
    // Two days later everybody signs in again.
    let advisor = Browser::of(world, "advisor").await.speaking("en");
    let keeper = Browser::of(world, "stranger").await.speaking("en");
    let page = advisor.get(&path).await;
    assert_eq!(
        page.texts("section[aria-labelledby=promises] .mark"),
        ["Promise kept"]
    );
    open.phase = event::case::Phase::Closed;
    world.write([stands(open)]).await;
    assert_eq!(keeper.get(&path).await.status, StatusCode::FORBIDDEN);
}

/// The refund was promised on the phone about the order, and paid for the parcel: nothing says that the two are one.
#[tokio::test]
async fn a_case_shows_what_became_of_a_promise_wherever_that_was_said() {
    let Shop {
        world,
        minutes,
        customer,
    } = shop().await;
    let said = |id, minute, reference, state, words: &str| {
        let mut event = world.event(Told {
            id,
            at: minute,
            what: "call.answered",
            identifiers: &[("email", "aino@example.fi")],
            references: &[("order", reference)],
            ..WEB
        });
        event.promise = Some(Promise {
            id: event::Token::hash("test.promise", &[]),
            what: name("refund"),
            due: (state == PromiseState::Made).then(|| at(DUE)),
            by: None,
            keeper: Some(department("billing")),
            state,
        });
        event.personal = wire::personal::encode(&Personal {
            promise: Some(words.to_owned()).filter(|words| !words.is_empty()),
            ..Personal::default()
        });
        event
    };
    let made = said("2", 0, "B-1", PromiseState::Made, "You get it all back.");
    let records = [Record::Event(made.clone()), of_order(&made, customer)];
    world.write(records).await;
    let mut open = case(case_id("a"), &[customer]);
    open.matters = vec![MatterId::of_reference(made.values.last().unwrap().token)];
    world.write([stands(open.clone())]).await;
    let path = format!("/cases/{}", open.case);
    let shown = async |state: &str| {
        // Two days later everybody signs in again.
        let advisor = Browser::of(&world, "advisor").await.speaking("en");
        let page = advisor.get(&path).await;
        let promises = page.texts("section[aria-labelledby=promises] li");
        assert_eq!(promises.len(), 1, "{}", page.text);
        let expected = format!("A refund {state}You get it all back. billing by");
        assert!(promises[0].starts_with(&expected), "{promises:?}");
    };
    shown("Promise open").await;
    minutes.store(DUE, Ordering::Relaxed);
    shown("Promise broken").await;
    let kept = said("3", DUE - 60, "C-9", PromiseState::Kept, "");
    let records = [Record::Event(kept.clone()), of_order(&kept, customer)];
    world.write(records).await;
    shown("Promise kept").await;
}

const JOURNEY: &str = "
[journeys.purchase]
stages = ['order', 'delivery']
[journeys.purchase.touchpoints]
tracking = 'delivery'
[journeys.purchase.guides]
tracking = { en = 'Look where the parcel is before you call.' }
[journeys.purchase.offers]
delivery = { en = 'The delivery fee back.' }
";

#[tokio::test]
async fn a_case_that_a_sign_opened_has_the_guide_of_what_happened_last() {
    let Shop {
        world, customer, ..
    } = shop().await;
    let mut asked = world.event(Told {
        id: "2",
        at: 30,
        what: "parcel.asked",
        references: &[("order", "A-77")],
        ..WEB
    });
    asked.touchpoint = Some(name("tracking"));
    world
        .write([
            company(3, &format!("{COMPANY}{PROMISES}{JOURNEY}")),
            Record::Event(asked.clone()),
            of_order(&asked, customer),
        ])
        .await;
    let mut open = case(case_id("a"), &[customer]);
    let reference = asked.values.last().unwrap().token;
    open.matters = vec![MatterId::of_reference(reference)];
    // A sign has an id of its own, under which there is no event.
    let mut opened = step(open.case, 1, StepKind::Opened, "delivery");
    opened.event = Some(EventId::new(reference));
    let path = format!("/cases/{}", open.case);
    world
        .write([stands(open), Record::Case(Case::Step(opened))])
        .await;
    let advisor = Browser::of(&world, "advisor").await.speaking("en");
    let page = advisor.get(&path).await;
    let guide = page.said("section.guide");
    for words in ["Look where the parcel is", "The delivery fee back."] {
        assert!(guide.contains(words), "{guide}");
    }
}
