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
mod oracle;
mod projection;
mod seen;
mod spoil;
mod stage;
mod story;

pub use self::{spoil::Spoil, stage::Played, story::Story};

use self::{
    projection::Projection,
    stage::{Setup, play},
};

/// Plays the story of a seed without faults and with them, and compares.
///
/// # Errors
/// Says what is not as it should be.
pub fn run(seed: u64, spoil: Spoil) -> Result<Played, String> {
    let story = Story::of(seed);
    let smooth = play(
        &story,
        Setup {
            faults: false,
            spoil: Spoil::Nothing,
        },
    );
    let smooth = smooth.map_err(|text| format!("without faults, {text}"))?;
    let rough = play(
        &story,
        Setup {
            faults: true,
            spoil,
        },
    );
    let rough = rough.map_err(|text| format!("with faults, {text}"))?;
    let [smooth, of_rough] =
        [&smooth, &rough].map(|played| Projection::of(&played.seen, story.mood));
    smooth.compare(&of_rough)?;
    Ok(rough)
}
