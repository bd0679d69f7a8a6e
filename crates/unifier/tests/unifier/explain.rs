//! Explanations, reviews and decisions: what is said is so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use event::{
    Class, DecisionId, Token,
    link::{Decision, DecisionKind, Link},
};
use machine::RECORDS_MAX;
use proptest::prelude::*;
use unifier::identify::{
    self, Cause, Why,
    explain::{Barrier, Evidence, Explanation, Hop, How, explain},
    review::{self, Item, What},
};

use crate::{
    grouping::{Pair, acts, sequence},
    oracle::World,
    sample::{ALONE, company, name, profile, rules, set, token, value},
};

fn said_by(evidence: &Evidence) -> Token {
    match evidence {
        Evidence::Event { event, .. } => event.token(),
        Evidence::Decision { id, .. } => id.token(),
    }
}

/// The fewest links between two identifiers that the batch program made.
fn distance(world: &World, from: Token, to: Token) -> Option<usize> {
    let mut far = BTreeMap::from([(from, 0)]);
    let mut next = VecDeque::from([from]);
    while let Some(value) = next.pop_front() {
        for (_, one, other) in &world.made {
            for (here, there) in [(one, other), (other, one)] {
                if *here == value && !far.contains_key(there) {
                    far.insert(*there, far[&value] + 1);
                    next.push_back(*there);
                }
            }
        }
    }
    far.get(&to).copied()
}

fn check_chain(world: &World, a: Token, b: Token, chain: &[Hop]) {
    let mut at = a;
    let mut feet = Vec::new();
    for hop in chain {
        assert_eq!(hop.one, at, "a chain has no gaps");
        at = hop.other;
        let by = said_by(&hop.evidence);
        let (one, other) = (hop.one, hop.other);
        let claims = |reference, by| world.claims.get(&reference).map(|claim| claim.1) == Some(by);
        let keeps = |reference, by| {
            !world.claims.contains_key(&reference) && world.kept.get(&reference) == Some(&by)
        };
        match hop.how {
            How::Named => {
                let made = |one, other| world.made.contains(&(by, one, other));
                assert!(made(one, other) || made(other, one), "{hop:?}");
                feet.extend([one, other]);
            }
            How::Adopted => assert!(claims(one, other) || claims(other, one), "{hop:?}"),
            How::Kept => assert!(keeps(one, other) || keeps(other, one), "{hop:?}"),
            How::Beside => {
                assert!(world.together(by, &[one, other]), "{hop:?}");
                assert_eq!(world.profile(one), world.profile(other));
            }
        }
    }
    assert_eq!(at, b);
    if let (Some(first), Some(last)) = (feet.first(), feet.last()) {
        let links = chain.iter().filter(|hop| hop.how == How::Named).count();
        assert_eq!(distance(world, *first, *last), Some(links), "the shortest");
    }
}

fn check_barrier(pair: &Pair, world: &World, barrier: &Barrier) {
    match barrier {
        Barrier::Out { value, .. } => assert!(world.out.contains(value)),
        Barrier::Refused {
            one,
            other,
            why,
            evidence,
        } => {
            let link = (said_by(evidence), *one, *other, *why);
            assert!(world.refused.contains(&link), "{barrier:?}");
        }
        Barrier::Apart {
            one,
            other,
            evidence,
        } => {
            let decided = pair.history.decided(DecisionKind::Apart);
            let decision = decided
                .iter()
                .find(|decision| decision.id.token() == said_by(evidence))
                .unwrap();
            let sides = [&decision.one, &decision.other];
            let on = |one: usize, value| sides[one].contains(value);
            assert!((on(0, one) && on(1, other)) || (on(1, one) && on(0, other)));
        }
        Barrier::Reference { reference, owner } => {
            let profile = world.profile(*reference);
            assert_eq!(owner.unwrap_or(event::ProfileId::new(*reference)), profile);
        }
        Barrier::Unlinked => {}
    }
}

proptest! {
    #[test]
    fn an_explanation_is_a_chain_of_links_that_were_made_or_what_bars_it(acts in acts(40)) {
        let mut pair = Pair::new(1, RECORDS_MAX);
        for link in sequence(&acts) {
            pair.hear(&link);
        }
        let world = pair.check();
        let values: Vec<Token> = world.people.keys().copied().collect();
        for a in &values {
            for b in &values {
                let together = world.profile(*a) == world.profile(*b);
                match explain(&pair.identify.state, &[*a], &[*b]) {
                    Explanation::Together { profile, chain } => {
                        assert!(together);
                        assert_eq!(profile, world.profile(*a));
                        check_chain(&world, *a, *b, &chain);
                    }
                    Explanation::Apart { profiles, because } => {
                        assert!(!together);
                        assert_eq!(profiles, [*a, *b].map(|value| world.profile(value)));
                        assert!(!because.is_empty());
                        for barrier in &because {
                            check_barrier(&pair, &world, barrier);
                        }
                        if because == [Barrier::Unlinked] {
                            assert!(!world.hang_together(*a, *b));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn all_that_waits_for_a_person_is_in_the_review(acts in acts(40)) {
        let mut pair = Pair::new(1, RECORDS_MAX);
        for link in sequence(&acts) {
            pair.hear(&link);
        }
        let world = pair.check();
        let mut expected: BTreeSet<(What, Vec<Token>)> = BTreeSet::new();
        for (_, one, other, why) in &world.refused {
            let what = match why {
                Why::Apart => continue,
                Why::Exclusive => What::Conflict,
                Why::Identifiers | Why::Merges => What::Ceiling,
                Why::Untrusted => What::Suggestion,
            };
            if world.profile(*one) != world.profile(*other) {
                expected.insert((what, vec![*one, *other]));
            }
        }
        let decided = world.out.iter().filter(|value| !pair.history.is_blocked(**value));
        expected.extend(decided.map(|value| (What::Shared, vec![*value])));
        expected.extend(world.torn.iter().map(|value| (What::Unowned, vec![*value])));
        let items = review::items(&pair.identify.state);
        let found: BTreeSet<_> = items.iter().map(|item| (item.what, item.values.clone())).collect();
        assert_eq!(found, expected);
        let ids: BTreeSet<Token> = items.iter().map(|item| item.id).collect();
        assert_eq!(ids.len(), items.len(), "each item has an id of its own");
        assert!(items.iter().all(|item| !item.evidence.is_empty()));
    }
}

/// Each row of a table is a set; an untrusted one begins with `?`, what a person decided with its name, the sides of it parted by `|`.
fn told(rows: &[&str]) -> Pair {
    let mut pair = Pair::new(1, RECORDS_MAX);
    for row in rows {
        pair.hear(&link(row));
        pair.check();
    }
    pair
}

fn link(row: &str) -> Link {
    let (head, rest) = row.split_once(' ').unwrap_or((row, ""));
    let what = match head {
        "apart" => DecisionKind::Apart,
        "together" => DecisionKind::Together,
        "block" => DecisionKind::Block,
        "allow" => DecisionKind::Allow,
        "undo" => DecisionKind::Undo,
        _ => {
            let (text, trusted) = match row.strip_prefix('?') {
                Some(text) => (text, false),
                None => (row, true),
            };
            let mut set = set(text, trusted);
            set.event = event::EventId::new(token(row));
            return Link::Set(set);
        }
    };
    let side = |text: &str| text.split_whitespace().map(token).collect();
    let (one, other) = rest.split_once('|').unwrap_or((rest, ""));
    let undoes = (what == DecisionKind::Undo).then(|| decision_id(rest));
    let (one, other) = match what {
        DecisionKind::Undo => (Vec::new(), Vec::new()),
        _ => (side(one), side(other)),
    };
    Link::Decision(Decision {
        id: decision_id(row),
        what,
        one,
        other,
        undoes,
        actor: name("aino"),
        reason: "she called".to_owned(),
        time: event::Time::from_millis(0),
    })
}

fn decision_id(row: &str) -> DecisionId {
    DecisionId::new(token(row))
}

/// Who belongs to whom after these rows.
fn check(rows: &[&str], belongs: &[(&str, &str)]) -> Pair {
    let pair = told(rows);
    for (value, owner) in belongs {
        let person = pair.told.people[&token(value)].0;
        assert_eq!(person.profile, profile(owner), "{value} of {rows:?}");
    }
    pair
}

const SPLIT: &str = "apart customer_number:1 email:1 | phone:1 email:2";

#[test]
fn a_split_holds_against_every_present_and_future_path_and_can_be_undone() {
    let one = [
        "customer_number:1 email:1",
        "email:1 phone:1",
        "phone:1 email:2",
    ];
    let split = [
        ("email:1", "customer_number:1"),
        ("phone:1", "email:2"),
        ("email:2", "email:2"),
    ];
    check(&one, &[("email:2", "customer_number:1")]);
    check(&[&one[..], &[SPLIT]].concat(), &split);
    let paths = [
        "email:1 phone:2",
        "phone:2 email:2",
        "together customer_number:1 email:2",
    ];
    check(&[&one[..], &[SPLIT], &paths].concat(), &split);
    check(&[&[SPLIT], &one[..], &paths].concat(), &split);
    let undone = format!("undo {SPLIT}");
    let rows = [&one[..], &[SPLIT, &undone]].concat();
    check(&rows, &[("email:2", "customer_number:1")]);
    let undone_twice = format!("undo {undone}");
    let rows = [&one[..], &[SPLIT, &undone, &undone_twice]].concat();
    check(&rows, &split);
}

#[test]
fn a_merge_overrides_exclusive_for_the_values_it_names_and_no_others() {
    let merge = "together customer_number:1 | customer_number:2";
    let known = ["customer_number:1 email:1", "customer_number:2 email:2"];
    check(&known, &[("email:2", "customer_number:2")]);
    let merged = [&known[..], &[merge]].concat();
    let third = [&merged[..], &["customer_number:3 email:2"]].concat();
    let undone = format!("undo {merge}");
    for (rows, one) in [
        (&merged, true),
        (&[&[merge], &known[..]].concat(), true),
        (&third, true),
        (&[&merged[..], &[&undone]].concat(), false),
    ] {
        assert_eq!(are_one(&told(rows), "email:1", "email:2"), one, "{rows:?}");
    }
    check(&third, &[("customer_number:3", "customer_number:3")]);
}

fn are_one(pair: &Pair, one: &str, other: &str) -> bool {
    let of = |value: &str| pair.told.people[&token(value)].0.profile;
    of(one) == of(other)
}

#[test]
fn a_person_gives_a_reference_to_its_owner_and_takes_it_away() {
    for (rows, belongs) in [
        (
            &["email:1 order:1", "together email:2 order:1"][..],
            ("order:1", "email:2"),
        ),
        (
            &[
                "email:1 order:1",
                "together email:2 order:1",
                "together email:1 order:1",
            ],
            // The newest decision holds; and it does not join the two.
            ("order:1", "email:1"),
        ),
        (
            &[
                "email:1 order:1",
                "email:2 device:1",
                "apart order:1 | email:1",
            ],
            ("order:1", "order:1"),
        ),
        (
            &[
                "email:1 order:1",
                "email:2 order:1",
                "apart order:1 | email:1",
            ],
            ("order:1", "email:2"),
        ),
        (
            &[
                "apart order:1 | email:1",
                "email:1 phone:1",
                "phone:1 order:1",
                "email:3 order:1",
            ],
            ("order:1", "email:3"),
        ),
    ] {
        let rows = [&["email:2 device:2"][..], rows].concat();
        check(&rows, &[belongs]);
    }
}

#[test]
fn what_too_many_share_goes_out_and_comes_apart_until_a_person_allows_it() {
    let customers: Vec<String> = (0..6).map(|n| format!("email:{n} phone:0")).collect();
    let rows: Vec<&str> = customers.iter().map(String::as_str).collect();
    let of = |pair: &Pair, value: &str| pair.told.people[&token(value)].0;
    assert!(are_one(&told(&rows[..5]), "email:0", "email:4"));
    let six = told(&rows);
    for n in 0..6 {
        let email = format!("email:{n}");
        assert_eq!(of(&six, &email).profile, profile(&email));
    }
    assert!(of(&six, "phone:0").out);
    let allowed = told(&[&rows[..], &["allow phone:0"]].concat());
    assert!(!of(&allowed, "phone:0").out);
    assert!(are_one(&allowed, "email:0", "email:5"));
    // What was allowed is so again once a block that came after it is undone.
    let after = |rest: &[&str]| told(&[&rows[..], &["allow phone:0"], rest].concat());
    assert!(of(&after(&["block phone:0"]), "phone:0").out);
    let again = after(&["block phone:0", "undo block phone:0"]);
    assert!(!of(&again, "phone:0").out);
    assert!(are_one(&again, "email:0", "email:5"));
    let blocked = told(&[&rows[..2], &["block phone:0"]].concat());
    assert!(of(&blocked, "phone:0").out);
    let limit = Cause::Limit {
        limit: 5,
        seen: 6,
        kind: name("email"),
    };
    assert_eq!(why_out(&six, "phone:0", ["email:0", "email:1"]), limit);
    let decided = Cause::Decision(decision_id("block phone:0"));
    assert_eq!(
        why_out(&blocked, "phone:0", ["email:0", "email:1"]),
        decided
    );
}

#[test]
fn decisions_are_listed_with_whether_they_hold() {
    let undone = format!("undo {SPLIT}");
    let pair = told(&[SPLIT, "block phone:1", &undone]);
    let listed: Vec<(DecisionId, bool)> = identify::decisions(&pair.identify.state)
        .into_iter()
        .map(|decided| (decided.decision.id, decided.holds))
        .collect();
    let expected = [(SPLIT, false), ("block phone:1", true), (&undone, true)];
    assert_eq!(
        listed,
        expected.map(|(row, holds)| (decision_id(row), holds))
    );
}

fn ends(chain: &[Hop]) -> Vec<(Token, Token, How)> {
    chain
        .iter()
        .map(|hop| (hop.one, hop.other, hop.how))
        .collect()
}

#[test]
fn a_chain_leads_by_the_values_that_link_two_events() {
    let pair = told(&[
        "customer_number:1 email:1",
        "email:1 phone:1",
        "phone:1 device:1",
        "email:1 order:1",
        "order:1 shipment:1",
    ]);
    let of = |a: &str, b: &str| {
        let values = |text: &str| -> Vec<Token> { text.split_whitespace().map(token).collect() };
        explain(&pair.identify.state, &values(a), &values(b))
    };
    let Explanation::Together {
        profile: together,
        chain,
    } = of("shipment:1", "device:1")
    else {
        panic!("they are together");
    };
    assert_eq!(together, profile("customer_number:1"));
    let expected = [
        ("shipment:1", "order:1", How::Beside),
        ("order:1", "email:1", How::Adopted),
        ("email:1", "phone:1", How::Named),
        ("phone:1", "device:1", How::Named),
    ];
    let expected = expected.map(|(one, other, how)| (token(one), token(other), how));
    assert_eq!(ends(&chain), expected);
    let same = of("email:1 phone:1", "email:1");
    assert_eq!(
        same,
        Explanation::Together {
            profile: together,
            chain: vec![]
        }
    );
    assert_eq!(
        of("email:1", "email:99"),
        Explanation::Apart {
            profiles: [together, profile("email:99")],
            because: vec![Barrier::Unlinked],
        }
    );
}

#[test]
fn two_are_apart_because_of_what_bars_the_way() {
    let refused = told(&["customer_number:1 phone:1", "customer_number:2 phone:1"]);
    let state = &refused.identify.state;
    let Explanation::Apart { because, .. } = explain(
        state,
        &[token("customer_number:1")],
        &[token("customer_number:2")],
    ) else {
        panic!("they are apart");
    };
    let [
        Barrier::Refused {
            one,
            other,
            why,
            evidence,
        },
    ] = &because[..]
    else {
        panic!("{because:?}");
    };
    assert_eq!(
        (*one, *other),
        (token("customer_number:2"), token("phone:1"))
    );
    assert_eq!(*why, Why::Exclusive);
    assert_eq!(said_by(evidence), token("customer_number:2 phone:1"));

    let gift = told(&["email:1 order:1", "email:2 order:1"]);
    let state = &gift.identify.state;
    let Explanation::Apart { because, .. } =
        explain(state, &[token("email:1")], &[token("email:2")])
    else {
        panic!("they are apart");
    };
    let (reference, owner) = (token("order:1"), Some(profile("email:1")));
    assert_eq!(because, [Barrier::Reference { reference, owner }]);

    let rows = ["email:1 phone:1", "email:2 phone:1", "block phone:1"];
    let why = why_out(&told(&rows), "phone:1", ["email:1", "email:2"]);
    assert_eq!(why, Cause::Decision(decision_id("block phone:1")));
}

/// Why a value is out that alone two people share: all that keeps their events apart.
fn why_out(pair: &Pair, value: &str, people: [&str; 2]) -> Cause {
    let [one, other] = people.map(|person| [token(value), token(person)]);
    let explanation = explain(&pair.identify.state, &one, &other);
    let Explanation::Apart { because, .. } = explanation else {
        panic!("they are apart");
    };
    let [Barrier::Out { value: out, cause }] = &because[..] else {
        panic!("they are apart by one value: {because:?}");
    };
    assert_eq!(*out, token(value));
    cause.clone()
}

#[test]
fn a_rule_may_be_why() {
    let mut pair = told(&["email:1 phone:1", "email:2 phone:1"]);
    pair.hear(&Link::Rules(rules(
        &company(1, &["phone:1"]),
        ALONE.partition,
    )));
    pair.check();
    let why = why_out(&pair, "phone:1", ["email:1", "email:2"]);
    assert_eq!(why, Cause::Rule);
    assert_eq!(value("order:1").class, Class::Reference);
}

#[test]
fn an_item_of_the_review_goes_when_a_person_decides() {
    let rows = ["customer_number:1 phone:1", "customer_number:2 phone:1"];
    let items = review::items(&told(&rows).identify.state);
    let [
        Item {
            what: What::Conflict,
            values,
            profiles,
            evidence,
            ..
        },
    ] = &items[..]
    else {
        panic!("{items:?}");
    };
    assert_eq!(*values, [token("customer_number:2"), token("phone:1")]);
    assert_eq!(
        *profiles,
        [profile("customer_number:2"), profile("customer_number:1")]
    );
    assert_eq!(said_by(&evidence[0]), token(rows[1]));
    for decision in [
        "apart customer_number:2 | phone:1",
        "together customer_number:1 | customer_number:2",
        "block phone:1",
    ] {
        let pair = told(&[&rows[..], &[decision]].concat());
        assert_eq!(review::items(&pair.identify.state), [], "{decision}");
        let undone = format!("undo {decision}");
        let pair = told(&[&rows[..], &[decision, &undone]].concat());
        assert_eq!(review::items(&pair.identify.state), items, "{decision}");
    }
}
