//! What happened to a ticket, as events of our own form.

use std::borrow::Cow;

use event::{Kind, Millis, Time};
use ingest::format::{Draft, Mapped, Sender, look};
use serde_json::{Value, json};

/// What every event of Zendesk has.
struct Envelope<'a> {
    id: String,
    /// Without the prefix `zen:event-type:`.
    name: &'a str,
    time: Time,
}

pub(super) fn event(payload: &Value, sender: &Sender<'_>) -> Mapped {
    let envelope = match envelope(payload) {
        Ok(envelope) => envelope,
        Err(faults) => return Mapped::Faulty(faults),
    };
    let mapped = match envelope.name {
        "ticket.created" => ticket(&envelope, payload, sender, created(payload)),
        "ticket.comment_added" => ticket(
            &envelope,
            payload,
            sender,
            commented(payload, envelope.time),
        ),
        "messaging_ticket.message_added" => ticket(&envelope, payload, sender, messaged(payload)),
        "ticket.status_changed" => ticket(&envelope, payload, sender, status_changed(payload)),
        "ticket.group_assignment_changed" => {
            ticket(&envelope, payload, sender, handed_over(payload))
        }
        "user.created" | "user.external_id_changed" | "user.identity_created" => {
            user(&envelope, payload, sender)
        }
        _ => Err(Mapped::Filtered("unread_type")),
    };
    match mapped {
        Ok(event) => Mapped::Events(vec![event]),
        Err(other) => other,
    }
}

fn envelope(payload: &Value) -> Result<Envelope<'_>, String> {
    let id = look::word(payload, "id");
    let name = look::text(payload, "type");
    let time = look::moment(payload, "time");
    let mut faults = Vec::new();
    if id.is_none() {
        faults.push("id: is required");
    }
    if name.is_none() {
        faults.push("type: is required");
    }
    if time.is_none() {
        faults.push("time: must be a moment with an offset");
    }
    match (id, name, time) {
        (Some(id), Some(name), Some(time)) => Ok(Envelope {
            id: id.into_owned(),
            name: name.strip_prefix("zen:event-type:").unwrap_or(name),
            time,
        }),
        _ => Err(faults.join("\n")),
    }
}

/// What is said of a ticket: kind, type, and the words with it.
struct Said {
    kind: Kind,
    name: &'static str,
    words: Option<String>,
}

impl Said {
    fn service(name: &'static str) -> Result<Said, &'static str> {
        Ok(Said {
            kind: Kind::Service,
            name,
            words: None,
        })
    }
}

fn ticket(
    envelope: &Envelope<'_>,
    payload: &Value,
    sender: &Sender<'_>,
    said: Result<Said, &'static str>,
) -> Result<Value, Mapped> {
    let said = said.map_err(Mapped::Filtered)?;
    let Some(ticket) = ticket_id(payload) else {
        let fault = "detail.id: is required, or the ticket's number in subject";
        return Err(Mapped::Faulty(fault.to_owned()));
    };
    let text = |path| look::text(payload, path).map(str::to_lowercase);
    let word = |path| look::word(payload, path).map(Cow::into_owned);
    let draft = Draft::new(&envelope.id, said.kind, said.name, envelope.time);
    Ok(draft
        .reference("ticket", Some(&ticket))
        .text(said.words.as_deref())
        .attribute("status", text("detail.status"))
        .attribute("priority", text("detail.priority"))
        .attribute("via", text("detail.via.channel"))
        .attribute("group", word("detail.group_id"))
        .attribute("tags", look::at(payload, "detail.tags").cloned())
        .attribute("from", word("event.previous"))
        .attribute("to", word("event.current"))
        .configured(sender, payload)
        .event())
}

fn ticket_id(payload: &Value) -> Option<String> {
    if let Some(id) = look::word(payload, "detail.id") {
        return Some(id.into_owned());
    }
    let number = look::text(payload, "subject")?.strip_prefix("zen:ticket:")?;
    Some(number.to_owned()).filter(|number| !number.is_empty())
}

/// Tags that say what a ticket is, in the languages of the desks. Without one, its type tells.
const COMPLAINTS: [&str; 4] = ["complaint", "valitus", "reklamaatio", "klagomål"];
const PRAISE: [&str; 5] = ["praise", "compliment", "kiitos", "beröm", "tack"];
const FEEDBACK: [&str; 3] = ["feedback", "palaute", "respons"];

/// A ticket is a customer's contact. A problem, an incident, or a tag makes it more.
fn created(payload: &Value) -> Result<Said, &'static str> {
    let tagged = |words: &[&str]| {
        look::texts(payload, "detail.tags").any(|tag| words.contains(&tag.to_lowercase().as_str()))
    };
    let is_trouble = look::text(payload, "detail.type").is_some_and(|kind| {
        kind.eq_ignore_ascii_case("problem") || kind.eq_ignore_ascii_case("incident")
    });
    let (kind, name) = if tagged(&COMPLAINTS) {
        (Kind::Complaint, "complaint.ticket")
    } else if tagged(&PRAISE) {
        (Kind::Feedback, "praise.ticket")
    } else if tagged(&FEEDBACK) {
        (Kind::Feedback, "feedback.ticket")
    } else if is_trouble {
        (Kind::Complaint, "complaint.ticket")
    } else {
        (Kind::Service, "contact.ticket")
    };
    let words: Vec<&str> = ["detail.subject", "detail.description"]
        .into_iter()
        .filter_map(|path| look::text(payload, path))
        .collect();
    Ok(Said {
        kind,
        name,
        words: Some(words.join("\n\n")),
    })
}

/// How long after a ticket's creation its first comment is told.
const FIRST: Millis = Millis::from_secs(60);

/// The customer's own public comment is a contact; one of the staff is an answer to the customer.
fn commented(payload: &Value, time: Time) -> Result<Said, &'static str> {
    if look::flag(payload, "event.comment.is_public") == Some(false) {
        return Err("private_comment");
    }
    let words = look::text(payload, "event.comment.body");
    // A ticket's description is its first comment, which comes once more as a comment. Who says the same on another day says it anew.
    let is_first =
        look::moment(payload, "detail.created_at").is_none_or(|created| time - created < FIRST);
    if is_first && words.is_some() && words == look::text(payload, "detail.description") {
        return Err("first_comment");
    }
    let author = look::word(payload, "event.comment.author.id")
        .or_else(|| look::word(payload, "detail.actor_id"));
    let is_requesters = author.is_some() && author == look::word(payload, "detail.requester_id");
    let is_staffs = look::flag(payload, "event.comment.author.is_staff");
    let name = match (is_requesters, is_staffs) {
        (true, _) | (false, Some(false)) => "contact.comment",
        (false, Some(true)) => "ticket.answered",
        (false, None) => return Err("author_unknown"),
    };
    Ok(Said {
        kind: Kind::Service,
        name,
        words: words.map(str::to_owned),
    })
}

/// A message in a chat. Agents and programs write there too.
fn messaged(payload: &Value) -> Result<Said, &'static str> {
    let name = match look::text(payload, "event.actor.type") {
        Some("end_user") => "contact.message",
        Some("agent") => "ticket.answered",
        Some(_) | None => return Err("system_message"),
    };
    Ok(Said {
        kind: Kind::Service,
        name,
        words: look::text(payload, "event.message.body").map(str::to_owned),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Working,
    Solved,
    /// Some days after it was solved, and for good.
    Closed,
}

fn status(payload: &Value, path: &str) -> Option<Status> {
    match look::text(payload, path)?.to_ascii_lowercase().as_str() {
        "new" | "open" | "pending" | "hold" => Some(Status::Working),
        "solved" => Some(Status::Solved),
        "closed" => Some(Status::Closed),
        _ => None,
    }
}

fn status_changed(payload: &Value) -> Result<Said, &'static str> {
    let now = status(payload, "event.current").or_else(|| status(payload, "detail.status"));
    match (status(payload, "event.previous"), now) {
        (Some(Status::Solved | Status::Closed), Some(Status::Closed | Status::Solved)) => {
            Err("closed_after_solved")
        }
        (Some(Status::Working) | None, Some(Status::Solved | Status::Closed)) => {
            Said::service("ticket.solved")
        }
        (Some(Status::Solved | Status::Closed), Some(Status::Working)) => {
            Said::service("ticket.reopened")
        }
        (Some(Status::Working) | None, Some(Status::Working)) => Err("work_step"),
        (_, None) => Err("unknown_status"),
    }
}

fn handed_over(payload: &Value) -> Result<Said, &'static str> {
    let event = look::at(payload, "event");
    match event.and_then(|event| event.get("previous")) {
        Some(Value::Null) => Err("first_group"),
        Some(_) | None => Said::service("ticket.handed-over"),
    }
}

/// What joins a requester with an address and the company's own number for it. A user has the paths that its tickets have:
/// `detail.requester_id` is its number, and what else is known of it lies under `user`.
fn user(envelope: &Envelope<'_>, payload: &Value, sender: &Sender<'_>) -> Result<Value, Mapped> {
    let role = look::text(payload, "detail.role");
    if role.is_some_and(|role| !role.eq_ignore_ascii_case("end-user")) {
        return Err(Mapped::Filtered("desk_user"));
    }
    let user = look::at(payload, "detail").unwrap_or(&Value::Null);
    let as_requester = json!({"detail": {"requester_id": user.get("id")}, "user": user});
    let draft = Draft::new(
        &envelope.id,
        Kind::Service,
        "customer.updated",
        envelope.time,
    );
    Ok(draft
        .email(look::text(payload, "detail.email"))
        .person(look::text(payload, "detail.name"))
        .configured(sender, &as_requester)
        .event())
}
