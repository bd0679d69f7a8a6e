/// How one input ended. Every input ends in exactly one.
#[must_use = "the loop counts every outcome"]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It changed something.
    Applied,
    /// It had been taken before.
    Duplicate,
    /// Something newer is known already.
    Stale,
    /// It belongs elsewhere and was sent on.
    Forwarded,
    /// A command that the state does not allow; its own outcome record says why.
    Refused,
    /// It says nothing that anybody waits for.
    Unasked,
    /// It concerns no customer: counted, and part of no profile.
    Anonymous,
    /// Whatever was due or queued was done.
    Ticked,
    /// It could not be taken and lies in `reject`.
    Rejected,
}

impl Outcome {
    pub const ALL: [Outcome; 9] = [
        Outcome::Applied,
        Outcome::Duplicate,
        Outcome::Stale,
        Outcome::Forwarded,
        Outcome::Refused,
        Outcome::Unasked,
        Outcome::Anonymous,
        Outcome::Ticked,
        Outcome::Rejected,
    ];

    /// The metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Duplicate => "duplicate",
            Outcome::Stale => "stale",
            Outcome::Forwarded => "forwarded",
            Outcome::Refused => "refused",
            Outcome::Unasked => "unasked",
            Outcome::Anonymous => "anonymous",
            Outcome::Ticked => "ticked",
            Outcome::Rejected => "rejected",
        }
    }
}
