use machine::Outcome;

/// Inputs and how they ended. Every input ends in exactly one outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records and ticks of committed batches.
    pub inputs: u64,
    outcomes: [u64; Outcome::ALL.len()],
}

impl Tally {
    pub(super) fn count(&mut self, outcome: Outcome) {
        self.outcomes[index(outcome)] += 1;
    }

    pub(super) fn add(&mut self, other: &Tally) {
        self.inputs += other.inputs;
        for (mine, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *mine += more;
        }
    }

    pub fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes[index(outcome)]
    }

    /// The sum of all outcomes: equals `inputs`.
    pub fn outcomes(&self) -> u64 {
        self.outcomes.iter().sum()
    }
}

fn index(outcome: Outcome) -> usize {
    Outcome::ALL
        .iter()
        .position(|other| *other == outcome)
        .expect("`Outcome::ALL` has them all")
}

/// What a loop did since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub tally: Tally,
    pub commits: u64,
    pub retries: u64,
    pub aborts: u64,
    /// How often the member was lost and joined anew.
    pub losses: u64,
    pub restores: u64,
    /// How often all rows of a partition were written anew.
    pub rounds: u64,
    pub stalls: u64,
    pub trims: u64,
}
