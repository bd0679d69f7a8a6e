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

mod calm;
mod cast;
mod check;
mod company;
mod draft;
mod oracle;
mod played;
mod projection;
mod seen;
mod spoil;
mod stage;
mod story;

pub use self::{played::Played, spoil::Spoil};

use self::{
    projection::Projection,
    stage::{Setup, play},
    story::Story,
};

/// Plays the story of a seed without faults and with them, and compares.
///
/// # Errors
/// Says what is not as it should be.
pub fn run(seed: u64, spoil: Spoil) -> Result<Played, String> {
    // The two need not have the same number of partitions.
    let of = |bits: u64| Story::of(seed, if bits.is_multiple_of(2) { 4 } else { 1 });
    let [smooth, rough] = [seed, seed >> 1].map(of);
    let mood = smooth.mood;
    let setup = |faults, spoil| Setup { faults, spoil };
    let smooth = play(&smooth, setup(false, Spoil::Nothing))
        .map_err(|text| format!("without faults, {text}"))?;
    let rough = play(&rough, setup(true, spoil)).map_err(|text| format!("with faults, {text}"))?;
    Projection::of(&smooth.seen, mood).compare(&Projection::of(&rough.seen, mood))?;
    Ok(rough)
}
