//! A call that ended, as an event of our own form. Calls that go on say nothing that stays.

use event::Kind;
use ingest::format::{Draft, Mapped, Sender, look};
use serde_json::Value;

pub(super) fn call(payload: &Value, sender: &Sender<'_>) -> Mapped {
    // A leg that dials an agent names the agent, and its parent names the customer.
    let direction = look::text(payload, "Direction").unwrap_or("inbound");
    if direction == "outbound-dial" || look::text(payload, "ParentCallSid").is_some() {
        return Mapped::Filtered("other_leg");
    }
    let Some(status) = look::text(payload, "CallStatus") else {
        return Mapped::Filtered("no_call_status");
    };
    let end = match end(status) {
        Ok(end) => end,
        Err(reason) => return Mapped::Filtered(reason),
    };
    let Some(call) = look::text(payload, "CallSid") else {
        return Mapped::Faulty("CallSid: is required".to_owned());
    };
    let sequence = look::word(payload, "SequenceNumber").unwrap_or_default();
    let time = look::text(payload, "Timestamp")
        .and_then(look::read_mail_moment)
        .unwrap_or(sender.received);
    let (from, to) = (look::text(payload, "From"), look::text(payload, "To"));
    let is_inbound = direction.eq_ignore_ascii_case("inbound");
    // Only a call by the customer is a contact by the customer.
    let (head, customer, ours) = if is_inbound {
        ("call", from, to)
    } else {
        ("outbound-call", to, from)
    };
    let name = format!("{head}.{}", end.as_str());
    let person = look::text(payload, "CallerName").filter(|_| is_inbound);
    let draft = Draft::new(
        format!("{call}/{status}/{sequence}"),
        Kind::Service,
        &name,
        time,
    );
    Mapped::Events(vec![
        draft
            .phone(customer)
            .reference("thread", Some(call))
            .person(person)
            .attribute("status", Some(status))
            .attribute("direction", Some(direction))
            .attribute("duration_s", seconds(payload))
            .attribute("our_number", ours)
            .configured(sender, payload)
            .event(),
    ])
}

#[derive(Clone, Copy)]
enum End {
    Answered,
    /// Nobody took it, or the line was taken.
    Missed,
    /// The caller gave up, or we did.
    Abandoned,
    /// It could not be put through.
    Failed,
}

impl End {
    const fn as_str(self) -> &'static str {
        match self {
            End::Answered => "answered",
            End::Missed => "missed",
            End::Abandoned => "abandoned",
            End::Failed => "failed",
        }
    }
}

fn end(status: &str) -> Result<End, &'static str> {
    match status {
        "completed" => Ok(End::Answered),
        "no-answer" | "busy" => Ok(End::Missed),
        "canceled" => Ok(End::Abandoned),
        "failed" => Ok(End::Failed),
        "queued" | "initiated" | "ringing" | "in-progress" | "answered" => Err("call_goes_on"),
        _ => Err("unknown_status"),
    }
}

fn seconds(payload: &Value) -> Option<u64> {
    look::word(payload, "CallDuration")?.parse().ok()
}
