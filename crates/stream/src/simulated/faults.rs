/// What goes wrong, how often: each number is a probability between 0 and 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// The member dies at a commit, and nothing of it happened.
    pub crash_before_commit: f64,
    /// The member dies in a commit; some turns later all of it happened, or nothing.
    pub crash_during_commit: f64,
    /// The member dies after a commit that happened, without having heard of it.
    pub crash_after_commit: f64,
    /// A commit is refused with `Severity::Abort`.
    pub abort: f64,
    /// A commit is refused with `Severity::Retry`.
    pub retry: f64,
    /// The group forgets a member between its poll and its commit, which it tries all the same.
    pub expel_at_commit: f64,
    /// The group forgets a member, which may go on for some polls without hearing of it.
    pub expel_at_poll: f64,
    /// The partitions of a group change hands.
    pub rebalance: f64,
    /// An append is reported as failed though it is in the log: its sender repeats it.
    pub append_unknown: f64,
    /// An append is reported as failed and is not in the log.
    pub append_lost: f64,
    /// All compacted topics are compacted at a turn.
    pub compact: f64,
    /// How many turns a record may stay invisible; each partition of a commit waits for itself.
    pub hidden_turns_max: u64,
}

impl Faults {
    /// A bit of everything.
    pub fn all() -> Self {
        Self {
            crash_before_commit: 0.02,
            crash_during_commit: 0.03,
            crash_after_commit: 0.02,
            abort: 0.03,
            retry: 0.03,
            expel_at_commit: 0.02,
            expel_at_poll: 0.01,
            rebalance: 0.01,
            append_unknown: 0.05,
            append_lost: 0.05,
            compact: 0.05,
            hidden_turns_max: 5,
        }
    }
}

/// What happened so far. A simulation that proves something says how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub commits: u64,
    pub crashes_before_commit: u64,
    pub crashes_during_commit: u64,
    pub crashes_after_commit: u64,
    pub aborts: u64,
    pub retries: u64,
    /// Commits refused because a newer owner exists or may exist.
    pub fenced: u64,
    pub expelled: u64,
    pub rebalances: u64,
    pub appends_unknown: u64,
    pub appends_lost: u64,
    pub compactions: u64,
    pub trims: u64,
}
