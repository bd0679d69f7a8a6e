//! How a customer stands, in a few plain lines: where on the path, how often something went wrong, what they answered, and what was
//! promised.

use std::collections::BTreeMap;

use event::Channel;
use unifier::unify::profile::figures::{Figures, LastScore, Promises};

use crate::desk::{entry::decimal, speech::Speech};

/// In pairs of name and value; what says nothing is left out.
pub(super) fn lines(speech: &Speech, figures: &Figures) -> Vec<(String, String)> {
    let stage = figures.stage.as_ref().map(|stage| {
        let name = Speech::sentence(&speech.label(&stage.name));
        format!("{name}, {}", speech.day(stage.time))
    });
    let open = figures.open.len();
    let contacts = figures.contacts.values().map(|contacts| contacts.count);
    let most = contacts.max().filter(|most| *most > 1);
    let scores: Vec<String> = figures
        .scores
        .iter()
        .map(|(metric, last)| scored(speech, &speech.label(metric), last))
        .collect();
    let lines = [
        ("customer-state-stage", stage),
        (
            "customer-state-matters",
            (open > 0).then(|| open.to_string()),
        ),
        ("customer-state-complaints", complaints(speech, figures)),
        (
            "customer-state-contacts",
            most.map(|most| {
                let count = [("count", most.into())];
                speech.with("customer-state-contacts-most", count)
            }),
        ),
        (
            "customer-state-scores",
            Some(scores.join("; ")).filter(|scores| !scores.is_empty()),
        ),
        (
            "customer-state-promises",
            promises(speech, figures.promises),
        ),
    ];
    let said = lines.into_iter();
    said.filter_map(|(key, value)| Some((speech.say(key), value?)))
        .collect()
}

/// "2 in 30 days (phone 1, web 1); 3 in 90 days; 5 in 365 days", without what repeats.
fn complaints(speech: &Speech, figures: &Figures) -> Option<String> {
    let complaints = &figures.complaints;
    let mut said: Vec<String> = Vec::new();
    let mut before = 0;
    for (days, channels) in [
        (30, &complaints.days_30),
        (90, &complaints.days_90),
        (365, &complaints.days_365),
    ] {
        let count: u32 = channels.values().sum();
        if count == before {
            continue;
        }
        before = count;
        let values = [("count", count.into()), ("days", days.into())];
        let text = speech.with("customer-state-days", values);
        said.push(format!("{text} ({})", by_channel(speech, channels)));
    }
    (!said.is_empty()).then(|| said.join("; "))
}

fn by_channel(speech: &Speech, channels: &BTreeMap<Channel, u32>) -> String {
    let said = channels.iter().map(|(channel, count)| {
        let channel = speech.named("channel", channel.as_str());
        format!("{channel} {count}")
    });
    said.collect::<Vec<_>>().join(", ")
}

/// "nps 3 / 10, 20.11.2026".
fn scored(speech: &Speech, metric: &str, last: &LastScore) -> String {
    let value = decimal(speech, &last.score.value.to_string());
    let max = decimal(speech, &last.score.max.to_string());
    format!("{metric} {value} / {max}, {}", speech.day(last.time))
}

fn promises(speech: &Speech, promises: Promises) -> Option<String> {
    let Promises {
        made,
        kept,
        broken,
        withdrawn,
    } = promises;
    let open = made.saturating_sub(kept + broken + withdrawn);
    let values = [
        ("open", open.into()),
        ("kept", kept.into()),
        ("broken", broken.into()),
    ];
    (made > 0).then(|| speech.with("customer-state-promised", values))
}
