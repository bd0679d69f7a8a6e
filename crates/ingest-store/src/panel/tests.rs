use ingest::format::{Mapped, trial};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Panel;
use crate::tests::{anything, mapped, parsed, with_sender};

#[test]
fn a_press_is_a_score_of_its_place_and_names_nobody() {
    let body = json!({
        "panel": "kamppi-door", "place": "store:kamppi", "touchpoint": "entrance", "question": "Miten meni?",
        "firmware": "3.1",
        "presses": [
            {"time": "2026-11-20T09:31:00+02:00", "smiley": 1, "seq": 18231, "battery": 0.7},
            {"time": "2026-11-20T09:31:04+02:00", "smiley": "4", "seq": "18232"},
        ],
    });
    let events: Vec<Mapped> = parsed(&Panel, &body.to_string())
        .iter()
        .map(|payload| mapped(&Panel, payload))
        .collect();
    let press = |seq: u32, time: &str, value: u8| {
        Mapped::Events(vec![json!({
            "id": format!("kamppi-door/{seq}"), "kind": "feedback", "type": "panel.pressed", "time": time,
            "score": {"metric": "smiley", "value": value, "min": 1, "max": 4},
            "place": "store:kamppi", "touchpoint": "entrance",
            "attributes": {"panel": "kamppi-door", "question": "Miten meni?"},
        })])
    };
    assert_eq!(
        events,
        [
            press(18231, "2026-11-20T07:31:00Z", 1),
            press(18232, "2026-11-20T07:31:04Z", 4)
        ]
    );
}

#[test]
fn a_press_beyond_the_panel_is_faulty() {
    let press = |smileys: Value, smiley: Value| {
        mapped(
            &Panel,
            &json!({
                "panel": "p", "smileys": smileys,
                "press": {"time": "2026-11-20T09:31:00+02:00", "smiley": smiley, "seq": 1},
            }),
        )
    };
    assert!(matches!(press(json!(5), json!(5)), Mapped::Events(_)));
    for (smileys, smiley, field) in [
        (json!(null), json!(5), "press.smiley"),
        (json!(5), json!(6), "press.smiley"),
        (json!(4), json!(0), "press.smiley"),
        (json!(4), json!(2.5), "press.smiley"),
        (json!(4), json!([2]), "press.smiley"),
        (json!(3), json!(2), "smileys"),
    ] {
        let Mapped::Faulty(faults) = press(smileys, smiley) else {
            panic!("{field} is wrong")
        };
        assert!(faults.starts_with(field), "{faults}");
    }
}

#[test]
fn every_place_of_a_press_bears_hostile_values() {
    let body = json!({
        "panel": "kamppi-door", "place": "store:kamppi", "touchpoint": "entrance", "question": "Miten meni?", "smileys": 5,
        "presses": [{"time": "2026-11-20T09:31:00+02:00", "smiley": 4, "seq": 18231}],
    });
    let payload = &parsed(&Panel, &body.to_string())[0];
    with_sender(|sender| {
        let required = ["panel", "press.time", "press.smiley", "press.seq"];
        trial::endure(&Panel, sender, payload, &required);
    });
}

proptest! {
    #[test]
    fn anything_is_mapped_or_faulty(panel in anything(), press in anything(), smileys in anything()) {
        let payload = json!({ "panel": panel, "press": press, "smileys": smileys });
        let mapped = mapped(&Panel, &payload);
        let good = with_sender(|sender| trial::is_good(&mapped, sender));
        prop_assert!(good || matches!(&mapped, Mapped::Faulty(faults) if !faults.is_empty()), "{mapped:?}");
    }
}
