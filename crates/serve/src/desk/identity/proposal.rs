//! A decision as it is proposed: what it says, what would move, and the form that confirms it. Whoever confirms, confirms what was
//! shown: the form carries a mark of it, and where something has changed since, the person looks again.

use std::collections::BTreeSet;

use askama::Template;
use event::{Name, Token, link::DecisionKind};

use super::{
    asked::joined,
    shown::{Evidence, Look, Values},
};
use crate::{
    desk::speech::{Speech, Words},
    model::decision::{Asked, Conflict, Fault, Portion, Trial},
};

/// A decision, and what trying it came to.
pub(super) type Tried = (Asked, Result<Trial, Fault>);

#[derive(Template)]
#[template(path = "proposal.html")]
pub(super) struct Proposal {
    speech: Speech,
    csrf: String,
    /// Makes one sending of the form one decision, however often it is sent.
    key: String,
    decision: &'static str,
    one: String,
    other: String,
    undoes: String,
    /// A mark of what would move.
    seen: String,
    says: String,
    sides: Vec<Side>,
    warnings: Vec<Warning>,
    /// It would come to something.
    is_possible: bool,
    after: Vec<After>,
    more: Option<String>,
    reason: String,
    fault: Option<String>,
    confirm: String,
    /// Where whoever does not confirm goes back to.
    leave: String,
}

/// The values of one side of a decision.
pub(super) struct Side {
    pub(super) name: String,
    pub(super) values: Values,
}

/// What whoever confirms must know.
struct Warning {
    text: String,
    /// The decision that is in the way.
    address: Option<String>,
}

/// A customer as it would be.
struct After {
    name: Words,
    address: Option<String>,
    values: Values,
    events: String,
    moved: Option<String>,
    examples: Vec<Evidence>,
}

/// More customers than these are counted.
const AFTER_MAX: usize = 6;
const NAMES_MAX: usize = 2;
const NAME_CHARS_MAX: usize = 256;

impl Proposal {
    pub(super) fn new(
        look: Look<'_>,
        asked: &Asked,
        trial: &Result<Trial, Fault>,
        leave: String,
    ) -> Proposal {
        let speech = look.speech;
        let decision = asked.what.as_str();
        let (warnings, (after, more)) = match trial {
            Ok(trial) => (overrides(look, asked, trial), afterwards(look, trial)),
            Err(fault) => (refused(look, fault), (Vec::new(), 0)),
        };
        Proposal {
            csrf: look.person.session.form_token(),
            key: format!(
                "desk-{}-{:016x}",
                speech.now.as_millis(),
                rand::random::<u64>()
            ),
            decision,
            one: joined(&asked.one),
            other: joined(&asked.other),
            undoes: asked.undoes.map_or_else(String::new, |id| id.to_string()),
            seen: trial.as_ref().map(mark).unwrap_or_default(),
            says: speech.named("decide-says", decision),
            sides: of_asked(look, asked),
            warnings,
            is_possible: trial.is_ok(),
            after,
            more: (more > 0).then(|| speech.with("decide-trial-more", [("count", more.into())])),
            reason: String::new(),
            fault: None,
            confirm: speech.named("decide-do", decision),
            leave,
            speech: speech.clone(),
        }
    }

    /// It was sent, and something is wrong with it.
    pub(super) fn sent_back(mut self, reason: &str, fault: Option<String>) -> Proposal {
        reason.clone_into(&mut self.reason);
        self.fault = fault;
        self
    }
}

/// The same text as long as the same values would move and the same ones be together.
pub(super) fn mark(trial: &Trial) -> String {
    let moves = trial.moves.iter().map(|moved| format!("{moved:?}"));
    let together = trial
        .after
        .iter()
        .map(|portion| format!("{} {:?}", portion.customer, portion.values));
    let mut lines: Vec<String> = moves.chain(together).collect();
    lines.sort_unstable();
    Token::hash("desk.moves", &[lines.join("\n").as_bytes()]).to_string()
}

/// A number of which everybody has one would be there twice: it is so because the person says so.
fn overrides(look: Look<'_>, asked: &Asked, trial: &Trial) -> Vec<Warning> {
    if asked.what != DecisionKind::Together {
        return Vec::new();
    }
    let types = look.speech.company().types();
    let exclusive: BTreeSet<&Name> = types
        .iter()
        .filter(|of| of.rule.exclusive)
        .map(|of| &of.name)
        .collect();
    let is_twice = trial.after.iter().any(|portion| {
        let mut seen = BTreeSet::new();
        let kinds = portion.values.iter().filter_map(|token| {
            let known = look.state.identity.get(*token)?;
            exclusive.get(&known.value.kind)
        });
        kinds.into_iter().any(|kind| !seen.insert(kind))
    });
    let warning = is_twice.then(|| Warning {
        text: look.speech.say("decide-warn-exclusive"),
        address: None,
    });
    warning.into_iter().collect()
}

/// Why the decision would come to nothing.
fn refused(look: Look<'_>, fault: &Fault) -> Vec<Warning> {
    let say = |key: &str| Warning {
        text: look.speech.say(key),
        address: None,
    };
    match fault {
        Fault::Field(..) | Fault::NoDecision => vec![say("decide-refused")],
        Fault::Conflict(Conflict::Already) => vec![say("decide-already")],
        Fault::Conflict(Conflict::Rules) => vec![say("decide-warn-rules")],
        Fault::Conflict(Conflict::Undone) => vec![say("decide-already-undone")],
        Fault::Conflict(Conflict::Undo(decisions)) => decisions
            .iter()
            .map(|id| Warning {
                address: Some(format!("/identity/decisions/{id}")),
                ..say("decide-warn-earlier")
            })
            .collect(),
    }
}

/// The customers that would be others than they are, those with most events first, and how many more there are.
fn afterwards(look: Look<'_>, trial: &Trial) -> (Vec<After>, i64) {
    if trial.moves.is_empty() {
        return (Vec::new(), 0);
    }
    let is_out = |token: &Token| match trial.moves.iter().find(|moved| moved.value == *token) {
        Some(moved) => moved.is_out,
        None => look.state.identity.is_out(*token),
    };
    let is_left = |portion: &&Portion| portion.events > 0 || !portion.values.iter().all(is_out);
    let mut after: Vec<&Portion> = trial.after.iter().filter(is_left).collect();
    after.sort_by_key(|portion| (std::cmp::Reverse(portion.events), portion.customer));
    let more = i64::try_from(after.len().saturating_sub(AFTER_MAX)).unwrap_or(i64::MAX);
    let shown = after.into_iter().take(AFTER_MAX);
    let shown = shown.map(|portion| After::new(look, portion, is_out));
    (shown.collect(), more)
}

impl After {
    fn new(look: Look<'_>, portion: &Portion, is_out: impl Fn(&Token) -> bool) -> After {
        let speech = look.speech;
        let tokens = look.in_order(&portion.values);
        let mut values = look.values(&tokens);
        for (token, value) in tokens.iter().zip(&mut values.values) {
            let own = event::ProfileId::new(*token);
            value.mark = if is_out(token) {
                Some(speech.say("decide-trial-out"))
            } else if look.state.identity.resolve(own) == Some(portion.customer) {
                None
            } else {
                Some(speech.say("decide-trial-moves"))
            };
        }
        let moved = i64::try_from(portion.moved).unwrap_or(i64::MAX);
        let moves = || speech.with("decide-trial-moved", [("count", moved.into())]);
        let examples = portion.examples.iter();
        let stands = look.state.identity.resolve(portion.customer) == Some(portion.customer);
        After {
            name: name(look, portion, &values),
            address: (stands && look.may_read(portion.customer))
                .then(|| format!("/customers/{}", portion.customer)),
            values,
            events: look.events(portion.events),
            moved: (portion.events > 0).then(moves),
            examples: examples.filter_map(|event| look.evidence(*event)).collect(),
        }
    }
}

/// The names that its events give, else its strongest value.
fn name(look: Look<'_>, portion: &Portion, values: &Values) -> Words {
    let mut names: Vec<String> = Vec::new();
    for event in &portion.examples {
        let name = look.personal(*event).and_then(|personal| personal.name);
        names.extend(name.filter(|name| !names.contains(name)));
    }
    names.truncate(NAMES_MAX);
    match values.values.first() {
        _ if !names.is_empty() => Words::line(&names.join(" / "), NAME_CHARS_MAX),
        Some(value) => value.text.clone(),
        None => Words::line(&look.speech.say("customer-nameless"), NAME_CHARS_MAX),
    }
}

/// Of an undoing: what was decided.
fn of_asked(look: Look<'_>, asked: &Asked) -> Vec<Side> {
    let undone = asked.undoes.and_then(|id| look.state.decided(id));
    match undone.map(|decided| decided.decision) {
        Some(decision) => sides(look, decision.what, &decision.one, &decision.other),
        None => sides(look, asked.what, &asked.one, &asked.other),
    }
}

/// What a decision is about, said as its kind has sides.
pub(super) fn sides(
    look: Look<'_>,
    what: DecisionKind,
    one: &[Token],
    other: &[Token],
) -> Vec<Side> {
    let speech = look.speech;
    let side = |key: &str, tokens: &[Token]| {
        (!tokens.is_empty()).then(|| Side {
            name: speech.say(key),
            values: look.values(tokens),
        })
    };
    let first = if other.is_empty() {
        "decide-about"
    } else {
        "decide-one"
    };
    let other = match what {
        DecisionKind::Apart | DecisionKind::Together => side("decide-other", other),
        DecisionKind::Block | DecisionKind::Allow | DecisionKind::Undo | DecisionKind::Unknown => {
            None
        }
    };
    side(first, one).into_iter().chain(other).collect()
}
