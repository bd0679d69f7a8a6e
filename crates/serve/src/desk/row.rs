//! A case in a sentence: what it is about, who waits and for how long, who has it, and for whom they wait.

use event::{
    DepartmentId, Time,
    case::{Phase, Severity, State as CaseState, Step},
    rules::Company,
};

use super::speech::{Clock, Speech, Words};
use crate::{
    model::{self, Told},
    personal::{self, Permission},
};

/// A case as a list shows it.
pub(super) struct Row {
    pub(super) id: String,
    /// "Sohva myöhässä".
    pub(super) what: String,
    pub(super) place: Option<String>,
    pub(super) name: Option<Words>,
    /// The customer's latest words.
    pub(super) quote: Option<Words>,
    /// "3. yhteydenotto, 2 kanavaa".
    pub(super) contacts: Option<String>,
    /// Stands still once it is resolved.
    pub(super) waited: Clock,
    pub(super) held: Held,
    /// The party that is waited for.
    pub(super) waiting_on: Option<String>,
    /// "Myymälät tarjoaa", "tarjottu: Myymälät".
    pub(super) offer: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) due: Option<Due>,
    pub(super) resolved: Option<super::speech::Moment>,
    pub(super) is_severe: bool,
    pub(super) is_proposed: bool,
}

/// Who has it, and since when.
pub(super) struct Held {
    pub(super) by: String,
    pub(super) since: Clock,
}

/// When something is due.
pub(super) struct Due {
    pub(super) tone: Urgency,
    pub(super) text: String,
    pub(super) clock: Clock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    Overdue,
    Soon,
    Later,
}

impl Urgency {
    /// The class of the mark that shows it; the mark's words say it too.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Urgency::Overdue => "bad",
            Urgency::Soon => "soon",
            Urgency::Later => "later",
        }
    }
}

/// Soon is within this time.
pub(super) const SOON: event::Millis = event::Millis::from_hours(4);

const QUOTE_CHARS_MAX: usize = 90;

/// For whom a row is made.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The reader's credential.
    pub(super) name: &'a event::Name,
    /// The inbox that the row is in.
    pub(super) inbox: Option<&'a DepartmentId>,
    pub(super) permission: Permission,
}

impl Row {
    pub(super) fn new(
        state: &model::State,
        speech: &Speech,
        case: &CaseState,
        reader: Reader<'_>,
    ) -> Row {
        let told = state.told_of(case);
        let (name, quote) = match reader.permission {
            Permission::Open => latest(&told),
            Permission::Masked => (None, None),
        };
        Row {
            id: case.case.to_string(),
            what: what(speech, case),
            place: case.place.as_ref().map(|place| speech.label(place)),
            name,
            quote,
            contacts: contacts(speech, case),
            waited: match case.resolved.filter(|_| case.phase == Phase::Resolved) {
                Some(resolved) => speech.stood(case.happened, resolved),
                None => speech.since(case.happened),
            },
            held: held(state, speech, case, reader),
            waiting_on: case.waiting_on.as_ref().map(|party| speech.label(party)),
            offer: offer(speech, case, reader),
            unit: unit(speech.company(), case),
            due: due(state, speech, case, reader.inbox),
            resolved: case
                .resolved
                .filter(|_| case.phase == Phase::Resolved)
                .map(|resolved| speech.moment(resolved)),
            is_severe: case.severity == Severity::High,
            is_proposed: case.proposed.is_some() && case.phase.is_open(),
        }
    }
}

/// "Sohva myöhässä"; without a product, what it is alone.
pub(super) fn what(speech: &Speech, case: &CaseState) -> String {
    let what = speech.label(&case.what);
    let said = match &case.product {
        Some(product) => format!("{} {what}", speech.label(product)),
        None => what,
    };
    Speech::sentence(&said)
}

/// The latest name and the latest words that the events tell.
fn latest(told: &[Told]) -> (Option<Words>, Option<Words>) {
    let (mut name, mut quote) = (None, None);
    for told in told.iter().rev() {
        if name.is_some() && quote.is_some() {
            break;
        }
        let Some(personal) = personal::open(&personal::event(&told.bytes)) else {
            continue;
        };
        name = name.or_else(|| personal.name.as_deref().map(Words::short_name));
        let text = personal.text.filter(|text| !text.trim().is_empty());
        quote = quote.or_else(|| text.map(|text| Words::line(&text, QUOTE_CHARS_MAX)));
    }
    (name, quote)
}

fn contacts(speech: &Speech, case: &CaseState) -> Option<String> {
    let channels = case.channels.len();
    let values = [
        ("contacts", case.contacts.into()),
        ("channels", channels.into()),
    ];
    (case.contacts > 0).then(|| speech.with("row-contacts", values))
}

fn held(state: &model::State, speech: &Speech, case: &CaseState, reader: Reader<'_>) -> Held {
    let steps: Vec<&Step> = state.cases.steps(case.case).collect();
    let claimed = case.claimed_by.as_ref().map(|name| {
        let claim = |step: &&&Step| step.what == event::case::StepKind::Claimed;
        let since = steps.iter().rev().find(claim);
        (name, since.map_or(case.opened, |step| step.time))
    });
    let by_department = || owner_since(case, &steps);
    let (by, since) = match claimed {
        Some((name, since)) if name == reader.name => (speech.say("row-held-by-me"), since),
        Some((name, since)) => {
            let values = [("name", name.as_str().into())];
            (speech.with("row-held-by", values), since)
        }
        None if reader.inbox == Some(&case.owner) => {
            (speech.say("row-held-by-us"), by_department())
        }
        None => {
            let values = [("name", speech.department(&case.owner).into())];
            (speech.with("row-held-by", values), by_department())
        }
    };
    Held {
        by,
        since: speech.since(since),
    }
}

/// The first step of the last unbroken run of steps that name the owner.
pub(super) fn owner_since(case: &CaseState, steps: &[&Step]) -> Time {
    steps
        .iter()
        .rev()
        .take_while(|step| step.owner == case.owner)
        .last()
        .map_or(case.opened, |step| step.time)
}

fn offer(speech: &Speech, case: &CaseState, reader: Reader<'_>) -> Option<String> {
    let to = case.offered_to.as_ref()?;
    let (key, other) = if reader.inbox == Some(to) {
        ("row-offered-by", &case.owner)
    } else {
        ("row-offered-to", to)
    };
    Some(speech.with(key, [("name", speech.department(other).into())]))
}

/// What people call the unit that has it.
pub(super) fn unit(company: &Company, case: &CaseState) -> Option<String> {
    let unit = case.unit.as_ref()?;
    let named = company
        .departments
        .get(&case.owner)
        .and_then(|department| department.units.get(unit));
    Some(match named {
        Some(named) if !named.name.is_empty() => named.name.clone(),
        Some(_) | None => unit.to_string(),
    })
}

/// When something is due: of an offer its answer, for the department that it is made to.
pub(super) fn deadline(case: &CaseState, inbox: Option<&DepartmentId>) -> Option<Time> {
    if inbox.is_some() && case.offered_to.as_ref() == inbox {
        return case.offer_due;
    }
    case.deadline
}

pub(super) fn urgency(
    state: &model::State,
    case: &CaseState,
    inbox: Option<&DepartmentId>,
    now: Time,
) -> Option<(Urgency, Time)> {
    if !case.phase.is_open() || case.dormant {
        return None;
    }
    let due = deadline(case, inbox);
    let is_owners = inbox.is_none_or(|inbox| *inbox == case.owner);
    if let Some(since) = state.overdue_since(case, now).filter(|_| is_owners) {
        return Some((Urgency::Overdue, since));
    }
    let due = due?;
    let urgency = match due - now {
        left if left <= event::Millis::ZERO => Urgency::Overdue,
        left if left <= SOON => Urgency::Soon,
        _ => Urgency::Later,
    };
    Some((urgency, due))
}

pub(super) fn due(
    state: &model::State,
    speech: &Speech,
    case: &CaseState,
    inbox: Option<&DepartmentId>,
) -> Option<Due> {
    let (tone, at) = urgency(state, case, inbox, speech.now)?;
    let (key, clock) = match tone {
        Urgency::Overdue => ("due-overdue", speech.since(at)),
        Urgency::Soon | Urgency::Later => ("due-in", speech.until(at)),
    };
    Some(Due {
        tone,
        text: speech.say(key),
        clock,
    })
}
