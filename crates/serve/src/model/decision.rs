//! What people decide about who is who, what each decision would move, and what was decided.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

pub(crate) use unifier::identify::Decided;

use super::State;
use crate::replica::{self, Graph, Moved};
use event::{
    DecisionId, EventId, Name, ProfileId, Time, Token,
    link::{Decision, DecisionKind, Link},
};

/// What somebody asks to decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) what: DecisionKind,
    pub(crate) one: Vec<Token>,
    /// `apart` and `together`: the other side. Of a `together` both sides are one set.
    pub(crate) other: Vec<Token>,
    pub(crate) undoes: Option<DecisionId>,
}

/// What a decision would come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trial {
    /// The values that would belong to another customer, be out, or be out no more.
    pub(crate) moves: Vec<Moved>,
    /// The customers concerned, as they are and as they would be.
    pub(crate) before: Vec<Portion>,
    pub(crate) after: Vec<Portion>,
}

/// A customer in a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    pub(crate) customer: ProfileId,
    pub(crate) values: Vec<Token>,
    pub(crate) events: usize,
    /// How many of the events are another customer's on the other side of the trial.
    pub(crate) moved: usize,
    /// The latest of those that move, else the latest of all, newest first.
    pub(crate) examples: Vec<EventId>,
}

/// Why a decision is refused as things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// It is so already.
    Already,
    /// These decisions are to be undone first.
    Undo(Vec<DecisionId>),
    /// The rules of the company, which one decision does not change: a value is out, or others than those it names are kept apart.
    Rules,
    /// The decision that is to be undone does not hold.
    Undone,
}

/// Why a decision cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A field names nothing, or not what it must; said in words.
    Field(&'static str, String),
    NoDecision,
    Conflict(Conflict),
}

/// More than any person has; a decision beyond is a rule.
pub(crate) const VALUES_MAX: usize = 500;
/// Events shown for each customer of a trial.
const EXAMPLES_MAX: usize = 3;

impl State {
    /// The decision that takes these values away from a customer.
    pub(crate) fn split(&self, customer: ProfileId, leave: &[Token]) -> Result<Asked, Fault> {
        let tokens = self.identity.tokens(customer);
        if leave.is_empty() {
            let detail = "is empty: name the values that are somebody else's";
            return Err(Fault::Field("leave", detail.to_owned()));
        }
        if let Some(other) = leave.iter().find(|token| !tokens.contains(*token)) {
            let detail = format!("{} is no value of this customer", ProfileId::new(*other));
            return Err(Fault::Field("leave", detail));
        }
        let other: Vec<Token> = self
            .stated(&tokens)
            .into_iter()
            .filter(|token| !leave.contains(token))
            .collect();
        if other.is_empty() {
            let detail = "names all that the customer is known by: nobody would be left";
            return Err(Fault::Field("leave", detail.to_owned()));
        }
        Ok(Asked {
            what: DecisionKind::Apart,
            one: leave.to_vec(),
            other,
            undoes: None,
        })
    }

    /// The decision that makes these customers one.
    pub(crate) fn merge(&self, customers: &[ProfileId]) -> Result<Asked, Fault> {
        let mut present = BTreeSet::new();
        for customer in customers {
            let known = self
                .identity
                .resolve(*customer)
                .ok_or_else(|| Fault::Field("customers", format!("{customer} is no customer")))?;
            present.insert(known);
        }
        if customers.len() < 2 {
            let detail = "names fewer than two customers";
            return Err(Fault::Field("customers", detail.to_owned()));
        }
        if present.len() < 2 {
            return Err(Fault::Conflict(Conflict::Already));
        }
        let mut sides = present
            .iter()
            .map(|customer| self.stated(&self.identity.tokens(*customer)));
        let one = sides.next().unwrap_or_default();
        let other: Vec<Token> = sides.flatten().collect();
        if one.is_empty() || other.is_empty() {
            let detail = "names one who is known by nothing that connects anybody";
            return Err(Fault::Field("customers", detail.to_owned()));
        }
        Ok(Asked {
            what: DecisionKind::Together,
            one,
            other,
            undoes: None,
        })
    }

    /// What a customer is known by: the identifiers that are not out, or the references of one who has none.
    fn stated(&self, tokens: &BTreeSet<Token>) -> Vec<Token> {
        let known = tokens.iter().filter_map(|token| self.identity.get(*token));
        let (identifiers, references): (Vec<_>, Vec<_>) = known
            .filter(|known| !known.out)
            .partition(|known| known.value.is_identifier());
        let stated = if identifiers.is_empty() {
            references
        } else {
            identifiers
        };
        stated.into_iter().map(|known| known.value.token).collect()
    }

    /// The customers that a decision is about, as they are; of an undoing, those of what it undoes, which may be an undoing itself.
    pub(crate) fn concerned(&self, asked: &Asked) -> BTreeSet<ProfileId> {
        let mut tokens: Vec<Token> = asked.one.iter().chain(&asked.other).copied().collect();
        let mut undoes = asked.undoes;
        while let Some(undone) = undoes.and_then(|id| self.replica.decision(id)) {
            let decision = &undone.decision;
            tokens.extend(decision.one.iter().chain(&decision.other));
            undoes = decision.undoes;
        }
        tokens
            .into_iter()
            .filter_map(|token| self.identity.resolve(ProfileId::new(token)))
            .collect()
    }

    /// What the decision would come to, by a step that is thrown away.
    pub(crate) fn trial(&self, asked: &Asked) -> Result<Trial, Fault> {
        self.check(asked)?;
        let decision = asked.clone().decision(
            DecisionId::new(TRIAL),
            name_of_trial(),
            String::new(),
            self.replica.now(),
        );
        let after = self.replica.after([Link::Decision(decision)]);
        self.achieves(asked, &after)?;
        let moves = self.replica.moved(after);
        let is_same = |decided: &Decided| decided.holds && asked.is(&decided.decision);
        if moves.is_empty() && self.decisions().iter().any(is_same) {
            return Err(Fault::Conflict(Conflict::Already));
        }
        Ok(self.portions(asked, moves))
    }

    fn check(&self, asked: &Asked) -> Result<(), Fault> {
        let named = asked.one.len() + asked.other.len();
        if named > VALUES_MAX {
            let detail = format!("names {named} values, of at most {VALUES_MAX} in one decision");
            return Err(Fault::Field("one", detail));
        }
        for (field, tokens) in [("one", &asked.one), ("other", &asked.other)] {
            if let Some(nobody) = tokens
                .iter()
                .find(|token| self.identity.get(**token).is_none())
            {
                let detail = format!(
                    "{} is no value that an event named",
                    ProfileId::new(*nobody)
                );
                return Err(Fault::Field(field, detail));
            }
        }
        let is_empty = |field, tokens: &[Token], detail: &str| match tokens {
            [] => Err(Fault::Field(field, detail.to_owned())),
            [..] => Ok(()),
        };
        match asked.what {
            DecisionKind::Apart | DecisionKind::Together => {
                is_empty("one", &asked.one, "is empty: name the values of one side")?;
                is_empty(
                    "other",
                    &asked.other,
                    "is empty: name the values of the other side",
                )?;
                if asked.one.iter().any(|token| asked.other.contains(token)) {
                    let detail = "names a value that `one` names";
                    return Err(Fault::Field("other", detail.to_owned()));
                }
            }
            DecisionKind::Block | DecisionKind::Allow => {
                is_empty("one", &asked.one, "is empty: name the values")?;
            }
            DecisionKind::Undo => {
                let missing = || Fault::Field("undoes", "is missing: name the decision".to_owned());
                let decided = self.decided(asked.undoes.ok_or_else(missing)?);
                if !decided.ok_or(Fault::NoDecision)?.holds {
                    return Err(Fault::Conflict(Conflict::Undone));
                }
            }
            DecisionKind::Unknown => {
                let detail = "is not one of apart, together, block, allow, undo";
                return Err(Fault::Field("decision", detail.to_owned()));
            }
        }
        Ok(())
    }

    /// Whether things would be as the decision says they are to be; what prevents it if not.
    fn achieves(&self, asked: &Asked, after: &Graph<'_>) -> Result<(), Fault> {
        let node = |token: &Token| replica::owner(after, *token);
        match asked.what {
            DecisionKind::Together => {
                let all = asked.one.iter().chain(&asked.other);
                let owners: BTreeSet<ProfileId> =
                    all.filter_map(node).map(|(owner, _)| owner).collect();
                if owners.len() > 1 {
                    return Err(Fault::Conflict(self.keeping_apart(asked)));
                }
            }
            DecisionKind::Allow => {
                if asked.one.iter().filter_map(node).any(|(_, out)| out) {
                    return Err(Fault::Conflict(self.blocking(&asked.one)));
                }
            }
            DecisionKind::Apart
            | DecisionKind::Block
            | DecisionKind::Undo
            | DecisionKind::Unknown => {}
        }
        Ok(())
    }

    /// Why values would not come together: somebody decided that they are apart, or one of them is out.
    fn keeping_apart(&self, asked: &Asked) -> Conflict {
        let concerned = self.concerned(asked).into_iter();
        let values: BTreeSet<Token> = concerned
            .flat_map(|customer| self.identity.tokens(customer))
            .collect();
        let names = |side: &[Token]| side.iter().any(|token| values.contains(token));
        let decisions = self.decisions().into_iter();
        let apart: Vec<DecisionId> = decisions
            .filter(|decided| decided.holds && decided.decision.what == DecisionKind::Apart)
            .filter(|Decided { decision, .. }| names(&decision.one) && names(&decision.other))
            .map(|decided| decided.decision.id)
            .collect();
        if apart.is_empty() {
            let all: Vec<Token> = asked.one.iter().chain(&asked.other).copied().collect();
            self.blocking(&all)
        } else {
            Conflict::Undo(apart)
        }
    }

    /// Why some of the values are out.
    fn blocking(&self, values: &[Token]) -> Conflict {
        let decisions = self.decisions().into_iter();
        let blocks: Vec<DecisionId> = decisions
            .filter(|decided| decided.holds && decided.decision.what == DecisionKind::Block)
            .filter(|decided| {
                decided
                    .decision
                    .one
                    .iter()
                    .any(|token| values.contains(token))
            })
            .map(|decided| decided.decision.id)
            .collect();
        if blocks.is_empty() {
            Conflict::Rules
        } else {
            Conflict::Undo(blocks)
        }
    }

    /// The customers that a decision concerns, before and after it.
    fn portions(&self, asked: &Asked, moves: Vec<Moved>) -> Trial {
        let mut customers = self.concerned(asked);
        customers.extend(moves.iter().flat_map(|moved| [moved.from, moved.to]));
        let values = customers
            .iter()
            .flat_map(|customer| self.identity.tokens(*customer));
        let mut values: BTreeSet<Token> = values.collect();
        values.extend(moves.iter().map(|moved| moved.value));
        let changed: HashMap<Token, Moved> =
            moves.iter().map(|moved| (moved.value, *moved)).collect();
        let now = |token: Token| {
            let own = ProfileId::new(token);
            let owner = self.identity.resolve(own).unwrap_or(own);
            (owner, self.identity.is_out(token))
        };
        let then = |token: Token| match changed.get(&token) {
            Some(moved) => (moved.to, moved.is_out),
            None => now(token),
        };
        let mut before: BTreeMap<ProfileId, Gathered> = BTreeMap::new();
        let mut after: BTreeMap<ProfileId, Gathered> = BTreeMap::new();
        for token in &values {
            before.entry(now(*token).0).or_default().values.push(*token);
            after.entry(then(*token).0).or_default().values.push(*token);
        }
        let events = values.iter().filter_map(|token| self.identity.get(*token));
        let events: HashSet<EventId> = events
            .flat_map(|known| known.events.iter().copied())
            .collect();
        for event in events {
            let Some(row) = self.events.get(event).filter(|row| row.place.has_page()) else {
                continue;
            };
            let (from, _) = now(row.route(|token| now(token).1));
            let (to, _) = then(row.route(|token| then(token).1));
            let moves = from != to;
            for (side, customer) in [(&mut before, from), (&mut after, to)] {
                if let Some(gathered) = side.get_mut(&customer) {
                    gathered.events.push((moves, row.time, event));
                }
            }
        }
        let portions =
            |side: BTreeMap<ProfileId, Gathered>| side.into_iter().map(Gathered::portion).collect();
        Trial {
            moves,
            before: portions(before),
            after: portions(after),
        }
    }

    /// All decisions, the latest first.
    pub(crate) fn decisions(&self) -> Vec<Decided> {
        let mut decisions = self.replica.decisions();
        decisions.reverse();
        decisions
    }

    pub(crate) fn decided(&self, id: DecisionId) -> Option<Decided> {
        self.replica.decision(id).cloned()
    }
}

#[derive(Default)]
struct Gathered {
    values: Vec<Token>,
    /// Whether it moves, when it happened, and which it is.
    events: Vec<(bool, Time, EventId)>,
}

impl Gathered {
    fn portion((customer, mut gathered): (ProfileId, Gathered)) -> Portion {
        // Those that move first, the latest first.
        gathered.events.sort_unstable_by(|a, b| b.cmp(a));
        let examples = gathered.events.iter().take(EXAMPLES_MAX);
        Portion {
            customer,
            examples: examples.map(|(.., event)| *event).collect(),
            moved: gathered.events.iter().filter(|(moves, ..)| *moves).count(),
            events: gathered.events.len(),
            values: gathered.values,
        }
    }
}

impl Asked {
    /// What was asked for by a decision.
    pub(crate) fn of(decision: &Decision) -> Asked {
        Asked {
            what: decision.what,
            one: decision.one.clone(),
            other: decision.other.clone(),
            undoes: decision.undoes,
        }
    }

    /// The record of it.
    pub(crate) fn decision(
        self,
        id: DecisionId,
        actor: Name,
        reason: String,
        time: Time,
    ) -> Decision {
        let (one, other) = match self.what {
            // One set: that it has two sides is for people.
            DecisionKind::Together => {
                (self.one.into_iter().chain(self.other).collect(), Vec::new())
            }
            DecisionKind::Apart
            | DecisionKind::Block
            | DecisionKind::Allow
            | DecisionKind::Undo
            | DecisionKind::Unknown => (self.one, self.other),
        };
        Decision {
            id,
            what: self.what,
            one,
            other,
            undoes: self.undoes,
            actor,
            reason,
            time,
        }
    }

    /// Whether a decision says just this.
    fn is(&self, decision: &Decision) -> bool {
        let set = |tokens: &[Token]| tokens.iter().copied().collect::<BTreeSet<Token>>();
        let (one, other) = (set(&self.one), set(&self.other));
        let (known, others) = (set(&decision.one), set(&decision.other));
        self.what == decision.what
            && self.undoes == decision.undoes
            && match self.what {
                DecisionKind::Together => &one | &other == &known | &others,
                DecisionKind::Apart => {
                    (one == known && other == others) || (one == others && other == known)
                }
                DecisionKind::Block
                | DecisionKind::Allow
                | DecisionKind::Undo
                | DecisionKind::Unknown => one == known,
            }
    }
}

/// The id of a decision that is only tried.
const TRIAL: Token = Token::new([0xff; 16]);

fn name_of_trial() -> Name {
    Name::new("trial").expect("`trial` is a name")
}
