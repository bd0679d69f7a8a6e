//! What happens to a customer: a journey is a list of beats, each told by one system in that system's own terms.
//!
//! The courier, the installer and the pick-up points name only shipments, never a customer; the telephone knows only numbers.

mod plot;
mod riddle;
mod script;

use rand::{rngs::StdRng, seq::IndexedRandom};
use serde_json::{Map, Value};

use super::{person::Person, system::System, truth::Named};

use self::script::Script;

/// What goes wrong, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plot {
    Smooth,
    Late,
    Damaged,
    WrongItem,
    /// Again and again about one delivery, by telephone and in writing.
    AgainAndAgain,
    /// A queue in a store; there is no order.
    Queue,
    /// Bought in a store, and brought back.
    BroughtBack,
    /// An anonymous visitor of the web shop who signs in at last.
    Visitor,
    /// Complains about something else while nobody answers.
    AnotherComplaint,
    /// Thinks much less of the company than before.
    Disappointed,
    /// Is promised money back, and the day comes.
    Promised,
    /// A system corrects what it said, and also of whom.
    Corrected,
    /// More customers have one telephone than can be one person.
    CareHome,
    /// An order names the telephone of somebody with another customer number.
    TwoNumbers,
    /// An answer to a survey, which anybody may give, names the telephone of another known customer.
    Hearsay,
    /// Two customers' things travel in one parcel.
    OneParcel,
}

/// Who tries Polku out sees each of these soon.
const FIRST: [Plot; 10] = [
    Plot::AgainAndAgain,
    Plot::CareHome,
    Plot::TwoNumbers,
    Plot::Hearsay,
    Plot::OneParcel,
    Plot::Promised,
    Plot::AnotherComplaint,
    Plot::Disappointed,
    Plot::Corrected,
    Plot::Damaged,
];

/// Of a hundred journeys so many.
const PLOTS: [(Plot, u32); 16] = [
    (Plot::Smooth, 25),
    (Plot::Late, 16),
    (Plot::Damaged, 8),
    (Plot::WrongItem, 8),
    (Plot::AgainAndAgain, 8),
    (Plot::Queue, 8),
    (Plot::BroughtBack, 8),
    (Plot::Visitor, 7),
    (Plot::AnotherComplaint, 2),
    (Plot::Disappointed, 2),
    (Plot::Promised, 2),
    (Plot::Corrected, 2),
    (Plot::CareHome, 1),
    (Plot::TwoNumbers, 1),
    (Plot::Hearsay, 1),
    (Plot::OneParcel, 1),
];

impl Plot {
    /// That of the company's journey of this number, the first of which is 1.
    pub(super) fn of(number: u64, rng: &mut StdRng) -> Plot {
        let first = usize::try_from(number)
            .ok()
            .and_then(|number| FIRST.get(number.checked_sub(1)?));
        first.copied().unwrap_or_else(|| {
            let any = PLOTS.choose_weighted(rng, |(_, weight)| *weight);
            any.map_or(Plot::Smooth, |(plot, _)| *plot)
        })
    }
}

/// What the company's people do about a complaint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Nobody does anything.
    Nothing,
    /// Somebody takes it in hand, and there it stays.
    Claim,
    /// Somebody asks the courier and waits for the answer.
    Wait,
    /// The owner contacts the customer and resolves it.
    Resolve,
    /// The owner hands it to another department, which accepts and resolves it.
    HandOffAndResolve,
    /// The owner offers it to another department, which has not answered yet.
    Offer,
    /// The other department declines, with its reason.
    OfferDeclined,
}

const WORK: [Work; 10] = [
    Work::Nothing,
    Work::Nothing,
    Work::Claim,
    Work::Wait,
    Work::Resolve,
    Work::Resolve,
    Work::Resolve,
    Work::HandOffAndResolve,
    Work::Offer,
    Work::OfferDeclined,
];

impl Work {
    pub(super) fn puts_right(self) -> bool {
        match self {
            Work::Resolve | Work::HandOffAndResolve => true,
            Work::Nothing | Work::Claim | Work::Wait | Work::Offer | Work::OfferDeclined => false,
        }
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Beat {
    Said(Box<Said>),
    /// The company's people work on the case of the journey's complaint.
    Worked(Work),
    /// Polku has understood who these are, each by two identifiers: what comes next is told after that.
    Understood(Vec<[Named; 2]>),
}

/// What a system tells Polku.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) system: System,
    /// Lacks its id and time, which the sender adds.
    pub(super) event: Map<String, Value>,
    /// How long after the beat before it, where the journey lies in the past.
    pub(super) after_ms: i64,
    /// The types of identifiers that it names of somebody else.
    pub(super) others: &'static [&'static str],
    /// How long after it was said what it promises is due.
    pub(super) due_after_ms: Option<i64>,
    /// It is said in place of what was said before it: under the same id, of the same moment.
    pub(super) corrects: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Journey {
    pub(super) person: usize,
    pub(super) beats: Vec<Beat>,
}

/// What a journey is written from.
pub(super) struct Outline<'a> {
    pub(super) plot: Plot,
    /// In the company's list.
    pub(super) index: usize,
    pub(super) person: &'a Person,
    /// Orders and parcels have it in their numbers.
    pub(super) number: u64,
    pub(super) seed: u64,
    /// From here on are people who are in nobody's list, and in no other journey.
    pub(super) strangers: u32,
}

/// No journey has more strangers.
pub(super) const STRANGERS_MAX: u32 = 8;

impl Journey {
    pub(super) fn new(outline: &Outline<'_>, rng: &mut StdRng) -> Journey {
        let mut script = Script::new(outline, rng);
        script.play(outline.plot);
        Journey {
            person: outline.index,
            beats: script.beats,
        }
    }
}
