//! The promises of `log`, each a named function that any log can be tried with.
//!
//! A log under test is a `Fixture`; `run` tries every promise and names those that do not hold. For each promise there
//! is a log in `broken` that it must catch: a new promise comes with one more fault there, or a test fails.

mod commit;
mod durability;
mod order;
mod ownership;
mod retention;
mod topics;
mod trial;

#[cfg(test)]
pub(crate) mod broken;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use event::topic::MachineName;

use crate::log::SharedLog;

/// A log that can be tried.
pub trait Fixture {
    /// A log without any topic.
    fn fresh(&self) -> SharedLog;

    /// Ends the process that holds the log as kill -9 does, as far as a test can, and opens it again. Nobody else holds it.
    fn restart(&self, log: SharedLog) -> SharedLog;

    /// Lets what was written become visible, where that does not happen by itself.
    fn settle(&self) {}

    /// Compacts, where that can be asked for.
    fn compact(&self) {}

    /// Makes the group of a machine forget its oldest member, where that can be asked for. Elsewhere a member that does not
    /// poll is forgotten within `patience`.
    fn expel(&self, _machine: MachineName) {}

    /// How long to wait for what has to come.
    fn patience(&self) -> Duration;
}

/// What a log promises.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    pub name: &'static str,
    /// Panics when the promise does not hold.
    pub check: fn(&dyn Fixture),
}

macro_rules! promises {
    ($($module:ident::$name:ident,)*) => {
        /// All of them.
        pub const PROMISES: &[Promise] = &[
            $(Promise { name: stringify!($name), check: $module::$name },)*
        ];
        $(pub use self::$module::$name;)*
    };
}

promises! {
    order::a_partition_is_read_in_the_order_it_was_appended,
    order::offsets_grow_and_reading_goes_on_from_any_of_them,
    order::a_reader_comes_to_the_written_end_over_gaps,
    order::a_repeated_append_is_there_twice,
    order::a_poll_gives_no_more_than_was_asked_for,
    commit::a_commit_takes_records_state_and_offsets_together,
    commit::each_record_of_a_commit_is_there_once_and_in_order,
    commit::a_commit_without_offsets_is_refused,
    commit::an_input_that_was_never_committed_is_absent,
    commit::machines_commit_apart_from_each_other,
    commit::a_member_reads_on_from_where_it_is_told,
    commit::a_partition_is_paused_until_it_is_resumed,
    ownership::a_number_of_all_inputs_has_one_owner,
    ownership::partitions_move_when_a_member_joins_or_leaves,
    ownership::an_older_owner_is_refused_and_leaves_nothing,
    ownership::a_partition_that_is_not_held_cannot_be_committed,
    durability::an_acknowledged_append_survives_a_restart,
    durability::a_commit_survives_a_restart,
    durability::offsets_go_on_growing_after_a_restart,
    retention::compaction_keeps_the_last_record_of_a_key,
    retention::trimming_lets_go_of_what_lies_below_and_nothing_else,
    retention::trimming_above_the_committed_offset_is_refused,
    retention::reading_below_the_first_kept_offset_is_an_error,
    retention::a_record_over_the_limit_is_refused,
    topics::topics_are_made_once_and_listed,
    topics::another_partition_count_is_refused_with_a_remedy,
    topics::a_topic_that_does_not_exist_is_an_error,
}

/// Tries every promise and panics with the names of those that do not hold.
pub fn run(fixture: &dyn Fixture) {
    let broken = broken_promises(fixture);
    assert!(broken.is_empty(), "these promises do not hold: {broken:?}");
}

/// The names of the promises that do not hold.
pub fn broken_promises(fixture: &dyn Fixture) -> Vec<&'static str> {
    let holds =
        |promise: &&Promise| catch_unwind(AssertUnwindSafe(|| (promise.check)(fixture))).is_err();
    PROMISES
        .iter()
        .filter(holds)
        .map(|promise| promise.name)
        .collect()
}
