//! Who is who, as the API says it. What a caller may not read is masked.

use event::{DecisionId, EventId, ProfileId, SourceId, Time, Token, link::Decision};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    access::Opened,
    api::Api,
    credential::Credential,
    model::{
        self,
        decision::{Asked, Decided, Portion, Trial},
        why::{Barrier, Cause, Evidence, Explained, Explanation, Hop, Item, Side, Why},
    },
    personal::{self, Permission, Shown},
};

/// An identifier or a reference.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = IdentityValueView)]
pub(in crate::api) struct ValueView {
    /// What decisions name it by: the id of the customer that it would be alone.
    #[schema(value_type = String)]
    id: ProfileId,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Whose it is now.
    #[schema(value_type = String)]
    customer: ProfileId,
    /// It connects nobody and nothing follows it.
    out: bool,
    #[serde(flatten)]
    shown: Shown,
}

/// Why two events are on one timeline, or on two.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ExplanationView {
    together: bool,
    a: SideView,
    b: SideView,
    /// From the value that `a` follows to the one that `b` follows; empty if it is one value, or if they are apart.
    chain: Vec<HopView>,
    /// What keeps them apart; empty if they are together, or if nothing connects them.
    barriers: Vec<BarrierView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct SideView {
    #[schema(value_type = String)]
    event: EventId,
    #[schema(value_type = String)]
    customer: ProfileId,
    follows: ValueView,
    /// All that the event names, the strongest first.
    values: Vec<ValueView>,
}

/// Two values that are one person's.
#[derive(Debug, Serialize, ToSchema)]
struct HopView {
    one: ValueView,
    other: ValueView,
    /// `named`: named together. `adopted`: the reference belongs to the identifier it was named with. `kept`: it stays with it,
    /// though nobody has said so for long. `beside`: the reference goes with another that it was named with.
    how: &'static str,
    #[serde(flatten)]
    evidence: EvidenceView,
}

/// Who said so.
#[derive(Debug, Default, Serialize, ToSchema)]
struct EvidenceView {
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<ReportView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<WordView>,
}

/// The event that first named the values together.
#[derive(Debug, Serialize, ToSchema)]
struct ReportView {
    #[schema(value_type = String)]
    event: EventId,
    #[schema(value_type = String)]
    source: SourceId,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    /// A trusted source may join two customers that are both known.
    trusted: bool,
}

/// A person's word.
#[derive(Debug, Serialize, ToSchema)]
struct WordView {
    #[schema(value_type = String)]
    id: DecisionId,
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    reason: String,
}

/// What keeps two events apart.
#[derive(Debug, Serialize, ToSchema)]
struct BarrierView {
    /// `out`: the value connects nobody. `refused`: the link was not made. `apart`: somebody decided so. `reference`: a reference
    /// has one owner and joins nobody. `unlinked`: nothing that is known links them.
    what: &'static str,
    /// Of `out`: `rules`, `decision` or `limit`. Of `refused`: `apart`, `exclusive`, `untrusted`, `identifiers` or `merges`.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    values: Vec<ValueView>,
    /// Of `reference`: whose it is, if anybody's.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<ProfileId>,
    /// Of a value out by its limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<LimitView>,
    #[serde(flatten)]
    evidence: EvidenceView,
}

/// The value was seen with more values of a stronger type than it may.
#[derive(Debug, Serialize, ToSchema)]
struct LimitView {
    #[serde(rename = "type")]
    kind: String,
    seen: u32,
    limit: u32,
}

/// A decision, and whether it holds.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct DecisionView {
    #[schema(value_type = String)]
    id: DecisionId,
    /// `apart`, `together`, `block`, `allow` or `undo`.
    decision: &'static str,
    holds: bool,
    one: Vec<ValueView>,
    other: Vec<ValueView>,
    #[schema(value_type = Option<String>)]
    undoes: Option<DecisionId>,
    /// The credential that decided.
    actor: String,
    #[schema(value_type = String, format = DateTime)]
    time: Time,
    reason: String,
}

/// What a decision would come to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct TrialView {
    dry_run: bool,
    /// The values that would belong to another customer, be out, or be out no more.
    moves: Vec<MoveView>,
    /// The customers concerned as they are, and as they would be.
    before: Vec<PortionView>,
    after: Vec<PortionView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct MoveView {
    value: ValueView,
    #[schema(value_type = String)]
    from: ProfileId,
    #[schema(value_type = String)]
    to: ProfileId,
    /// It would connect nobody, and nothing would follow it.
    out: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct PortionView {
    #[schema(value_type = String)]
    customer: ProfileId,
    values: Vec<ValueView>,
    events: usize,
    /// How many of these are another customer's on the other side.
    moved: usize,
    /// The latest of those that move, else the latest of all.
    #[schema(value_type = Vec<String>)]
    examples: Vec<EventId>,
}

/// Something for a person to decide.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ItemView {
    id: String,
    /// `conflict`, `suggestion`, `shared`, `ceiling` or `unowned`.
    what: &'static str,
    values: Vec<ValueView>,
    #[schema(value_type = Vec<String>)]
    customers: Vec<ProfileId>,
    /// The first of those who said so.
    evidence: Vec<EvidenceView>,
    #[schema(value_type = String, format = DateTime)]
    since: Time,
    /// What can be decided, each as `POST /v1/identity/decisions` takes it, but for the reason.
    options: Vec<OptionView>,
}

#[derive(Debug, Serialize, ToSchema)]
struct OptionView {
    decision: &'static str,
    #[schema(value_type = Vec<String>)]
    one: Vec<ProfileId>,
    #[schema(value_type = Vec<String>)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other: Vec<ProfileId>,
}

/// One look at the model, for one caller.
#[derive(Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) api: &'a Api,
    pub(super) state: &'a model::State,
    pub(super) caller: &'a Credential,
    /// Whose values it opened.
    pub(super) opened: &'a Opened,
}

/// Events looked through for the written form of a value.
const WITNESSES_MAX: usize = 4;

impl Look<'_> {
    pub(super) fn value(&self, token: Token) -> ValueView {
        let own = ProfileId::new(token);
        let customer = self.state.identity.resolve(own).unwrap_or(own);
        let known = self.state.identity.get(token);
        let written = known.and_then(|known| {
            let witnesses = known.events.iter().rev().take(WITNESSES_MAX);
            let rows = witnesses.filter_map(|event| self.state.events.get(*event));
            let bytes: Vec<_> = rows.map(|row| std::sync::Arc::clone(&row.bytes)).collect();
            personal::written(
                &known.value,
                &bytes,
                &self.api.pepper,
                &self.api.doors.spaces,
            )
        });
        ValueView {
            id: own,
            kind: known.map(|known| known.value.kind.to_string()),
            customer,
            out: self.state.identity.is_out(token),
            shown: Shown::new(written.as_deref(), self.permission(customer)),
        }
    }

    fn values(&self, tokens: &[Token]) -> Vec<ValueView> {
        tokens.iter().map(|token| self.value(*token)).collect()
    }

    fn permission(&self, customer: ProfileId) -> Permission {
        let (caller, grants, now) = (self.caller, &self.api.grants, self.api.now());
        if self.state.may_read_customer(caller, grants, customer, now) {
            self.opened.add(customer);
            Permission::Open
        } else {
            Permission::Masked
        }
    }

    pub(super) fn explanation(&self, explained: Explained) -> ExplanationView {
        let (chain, barriers, together) = match explained.why {
            Explanation::Together { chain, .. } => (chain, Vec::new(), true),
            Explanation::Apart { because, .. } => (Vec::new(), because, false),
        };
        ExplanationView {
            together,
            a: self.side(explained.a),
            b: self.side(explained.b),
            chain: chain.into_iter().map(|hop| self.hop(hop)).collect(),
            barriers: barriers
                .into_iter()
                .map(|barrier| self.barrier(barrier))
                .collect(),
        }
    }

    fn side(&self, side: Side) -> SideView {
        SideView {
            event: side.event,
            customer: side.customer,
            follows: self.value(side.follows),
            values: self.values(&side.values),
        }
    }

    fn hop(&self, hop: Hop) -> HopView {
        HopView {
            one: self.value(hop.one),
            other: self.value(hop.other),
            how: hop.how.as_str(),
            evidence: evidence_view(hop.evidence),
        }
    }

    fn barrier(&self, barrier: Barrier) -> BarrierView {
        let mut view = BarrierView {
            what: "unlinked",
            why: None,
            values: Vec::new(),
            owner: None,
            limit: None,
            evidence: EvidenceView::default(),
        };
        match barrier {
            Barrier::Out { value, cause } => {
                (view.what, view.values) = ("out", self.values(&[value]));
                view.why = Some(match cause {
                    Cause::Rule => "rules",
                    Cause::Decision(id) => {
                        view.evidence.decision = self.word(id);
                        "decision"
                    }
                    Cause::Limit { limit, seen, kind } => {
                        let kind = kind.to_string();
                        view.limit = Some(LimitView { kind, seen, limit });
                        "limit"
                    }
                });
            }
            Barrier::Refused {
                one,
                other,
                why,
                evidence,
            } => {
                (view.what, view.values) = ("refused", self.values(&[one, other]));
                (view.why, view.evidence) = (Some(word(why)), evidence_view(evidence));
            }
            Barrier::Apart {
                one,
                other,
                evidence,
            } => {
                (view.what, view.values) = ("apart", self.values(&[one, other]));
                view.evidence = evidence_view(evidence);
            }
            Barrier::Reference { reference, owner } => {
                (view.what, view.values) = ("reference", self.values(&[reference]));
                view.owner = owner;
            }
            Barrier::Unlinked => {}
        }
        view
    }

    fn word(&self, id: DecisionId) -> Option<WordView> {
        let Decision {
            id,
            actor,
            time,
            reason,
            ..
        } = self.state.decided(id)?.decision;
        Some(WordView {
            id,
            actor: actor.to_string(),
            time,
            reason,
        })
    }

    pub(super) fn decision(&self, decided: Decided) -> DecisionView {
        let Decided {
            decision, holds, ..
        } = decided;
        DecisionView {
            id: decision.id,
            decision: decision.what.as_str(),
            holds,
            one: self.values(&decision.one),
            other: self.values(&decision.other),
            undoes: decision.undoes,
            actor: decision.actor.to_string(),
            time: decision.time,
            reason: decision.reason,
        }
    }

    pub(super) fn trial(&self, trial: Trial) -> TrialView {
        let moves = trial.moves.into_iter().map(|moved| MoveView {
            value: self.value(moved.value),
            from: moved.from,
            to: moved.to,
            out: moved.is_out,
        });
        let portions = |side: Vec<Portion>| {
            side.into_iter()
                .map(|portion| PortionView {
                    customer: portion.customer,
                    values: self.values(&portion.values),
                    events: portion.events,
                    moved: portion.moved,
                    examples: portion.examples,
                })
                .collect()
        };
        TrialView {
            dry_run: true,
            moves: moves.collect(),
            before: portions(trial.before),
            after: portions(trial.after),
        }
    }

    pub(super) fn item(&self, item: Item) -> ItemView {
        let options = self.state.options(&item).into_iter();
        ItemView {
            id: item.id.to_string(),
            what: item.what.as_str(),
            values: self.values(&item.values),
            customers: item.profiles,
            evidence: item.evidence.into_iter().map(evidence_view).collect(),
            since: item.since,
            options: options.map(option_view).collect(),
        }
    }
}

fn evidence_view(evidence: Evidence) -> EvidenceView {
    match evidence {
        Evidence::Event {
            event,
            source,
            time,
            trusted,
        } => EvidenceView {
            report: Some(ReportView {
                event,
                source,
                time,
                trusted,
            }),
            decision: None,
        },
        Evidence::Decision {
            id,
            actor,
            reason,
            time,
        } => EvidenceView {
            report: None,
            decision: Some(WordView {
                id,
                actor: actor.to_string(),
                time,
                reason,
            }),
        },
    }
}

const fn word(why: Why) -> &'static str {
    match why {
        Why::Apart => "apart",
        Why::Exclusive => "exclusive",
        Why::Identifiers => "identifiers",
        Why::Merges => "merges",
        Why::Untrusted => "untrusted",
    }
}

fn option_view(asked: Asked) -> OptionView {
    let ids = |tokens: Vec<Token>| tokens.into_iter().map(ProfileId::new).collect();
    OptionView {
        decision: asked.what.as_str(),
        one: ids(asked.one),
        other: ids(asked.other),
    }
}
