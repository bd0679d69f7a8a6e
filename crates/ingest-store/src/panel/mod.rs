//! Format `panel`: the presses of one smiley panel, in batches of any length.
//!
//! ```json
//! {
//!   "panel": "kamppi-door", "place": "store:kamppi", "smileys": 4, "question": "How was it today?",
//!   "presses": [{"time": "2026-11-20T09:31:00+02:00", "smiley": 4, "seq": 18231}]
//! }
//! ```
//!
//! `panel` and, of a press, `time`, `smiley` and `seq` are required. 1 is the saddest smiley; a panel has four unless `smileys` says
//! five. `seq` counts up for the life of the panel: with the panel's name it is the press's id. `stage` and `touchpoint` of the
//! batch go to each press. A press names nobody: it counts for its place, is no customer and opens no case.

use event::Kind;
use ingest::format::{Draft, Format, Mapped, Proof, Refusal, Request, Sender, look};
use serde_json::{Value, json};

use crate::payload::{self, Reading};

/// `format = "panel"`.
#[derive(Clone, Copy, Debug)]
pub struct Panel;

impl Format for Panel {
    fn name(&self) -> &'static str {
        "panel"
    }

    fn proof(&self) -> Proof {
        Proof::Key
    }

    fn authenticate(&self, _request: &Request<'_>, _secrets: &[Vec<u8>]) -> Result<(), Refusal> {
        Err(Refusal::NoSecret)
    }

    fn parse(&self, request: &Request<'_>) -> Result<Vec<Value>, String> {
        payload::each(request, "presses", "press")
    }

    fn map(&self, payload: &Value, sender: &Sender<'_>) -> Mapped {
        press(payload, sender)
    }
}

fn press(payload: &Value, sender: &Sender<'_>) -> Mapped {
    let mut reading = Reading::of(payload);
    let panel = reading.part("panel");
    let seq = reading.part("press.seq");
    let time = reading.time("press.time");
    let number = |path| look::word(payload, path).and_then(|word| word.parse::<u8>().ok());
    let most = match look::at(payload, "smileys") {
        None => 4,
        Some(_) => number("smileys").unwrap_or_default(),
    };
    if !(4..=5).contains(&most) {
        reading.fault("smileys", "must be 4 or 5");
    }
    let smiley = number("press.smiley").unwrap_or_default();
    if !(1..=most).contains(&smiley) {
        reading.fault(
            "press.smiley",
            "must be a whole number from 1, the saddest, to the number of smileys",
        );
    }
    if let Some(faults) = reading.faults() {
        return Mapped::Faulty(faults);
    }
    let mut event = Draft::new(
        format!("{panel}/{seq}"),
        Kind::Feedback,
        "panel.pressed",
        time,
    )
    .named("place", payload::place(payload).as_deref())
    .named("stage", look::text(payload, "stage"))
    .named("touchpoint", look::text(payload, "touchpoint"))
    .attribute("panel", Some(panel.as_ref()))
    .attribute("question", look::text(payload, "question"))
    .configured(sender, payload)
    .event();
    event["score"] = json!({ "metric": "smiley", "value": smiley, "min": 1, "max": most });
    Mapped::Events(vec![event])
}

#[cfg(test)]
mod tests;
