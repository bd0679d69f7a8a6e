//! All machines in the real loop over a log in which everything goes wrong, again and again, each time from one seed.
//!
//! A seed tells a story (`story`): who the customers are, what happens to them, what departments do about it. It is played
//! twice (`stage`), without faults and with all of them, the loops taking turns at random on one thread and a virtual clock. What is
//! committed in the end (`seen`) has to be the same in the projection of the design, and to agree with slow programs that share
//! no code with the machines (`oracle`); what must hold at every moment is looked at on the way (`check`).
//!
//! A **calm** story leaves out what the order of arrival decides by design, so that everything is compared: of two links
//! of which one is refused the first wins, and the first of two customers who name an order keeps it. In a **wild** story all
//! of that happens at once; customers are then compared with the grouping function over the run's own `identity.link`,
//! and cases in what no order changes.
//!
//! A **tangled** story (`tangle`) is about who is who alone, and has all that joins and parts
//! customers: things that many share, limits, what people decide and undo, corrections, age, new rules. It is played once, with
//! faults, and compared with the function (`identity`).

mod calm;
mod cast;
mod check;
mod company;
mod draft;
mod identity;
mod oracle;
mod played;
mod projection;
mod replay;
mod seen;
mod spoil;
mod stage;
mod story;
mod tangle;

pub use self::{played::Played, spoil::Spoil};

use self::{
    projection::Projection,
    stage::{Setup, play},
    story::{Mood, Story},
};

/// Plays the story of a seed without faults and with them, and compares.
///
/// # Errors
/// Says what is not as it should be.
pub fn run(seed: u64, spoil: Spoil) -> Result<Played, String> {
    // The two need not have the same number of partitions.
    let partitions = |bits: u64| [1, 2, 8][usize::try_from(bits % 3).unwrap_or_default()];
    let [smooth, rough] = [seed, seed / 5].map(|bits| Story::of(seed, partitions(bits)));
    let mood = smooth.mood;
    let setup = |faults, spoil| Setup { faults, spoil };
    if mood == Mood::Tangled {
        return play(&rough, setup(true, spoil)).map_err(|text| format!("with faults, {text}"));
    }
    let smooth = play(&smooth, setup(false, Spoil::Nothing))
        .map_err(|text| format!("without faults, {text}"))?;
    let rough = play(&rough, setup(true, spoil)).map_err(|text| format!("with faults, {text}"))?;
    Projection::of(&smooth.seen, mood).compare(&Projection::of(&rough.seen, mood))?;
    Ok(rough)
}
