//! The latest notices of each department, for those who follow it live.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use event::{
    DepartmentId, ProfileId,
    notice::{Notice, Why},
};
use stream::Offset;
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Notices {
    boards: BTreeMap<DepartmentId, Board>,
    /// How many are held per department; older ones are only in the log.
    kept_max: usize,
    total: u64,
}

#[derive(Debug)]
struct Board {
    window: VecDeque<(Offset, Arc<Notice>)>,
    /// Those of them that are about matters without a case, by whose they are, oldest first.
    without_case: HashMap<ProfileId, VecDeque<Arc<Notice>>>,
    /// Everything below is no longer held.
    held_from: Offset,
    /// One past the latest; those who follow wait on it.
    next: watch::Sender<Offset>,
}

impl Default for Board {
    fn default() -> Self {
        Board {
            window: VecDeque::new(),
            without_case: HashMap::new(),
            held_from: Offset::START,
            next: watch::Sender::new(Offset::START),
        }
    }
}

/// What a follower is told.
#[derive(Debug)]
pub(crate) enum Since {
    /// In order of their offsets.
    Notices(Vec<(Offset, Arc<Notice>)>),
    /// Some notices after the one named are no longer held, or it was never there: go on from here.
    Reset(Offset),
}

impl Notices {
    pub(crate) fn new(kept_max: usize) -> Self {
        Self {
            boards: BTreeMap::new(),
            kept_max,
            total: 0,
        }
    }

    /// The department's topic exists; its first kept record is at `start` or after it.
    pub(crate) fn begin(&mut self, department: &DepartmentId, start: Offset) {
        let board = self.boards.entry(department.clone()).or_default();
        board.held_from = board.held_from.max(start);
        board.next.send_if_modified(|next| {
            let moved = *next < start;
            *next = start.max(*next);
            moved
        });
    }

    pub(crate) fn apply(&mut self, offset: Offset, notice: Notice) {
        let board = self.boards.entry(notice.department.clone()).or_default();
        board.push(offset, Arc::new(notice));
        self.total += 1;
        while board.window.len() > self.kept_max {
            board.drop_first();
        }
        board.next.send_replace(offset.next());
    }

    pub(crate) fn departments(&self) -> impl Iterator<Item = &DepartmentId> {
        self.boards.keys()
    }

    /// The latest notices of one reason, newest first, as far as they are held.
    pub(crate) fn latest(
        &self,
        department: &DepartmentId,
        why: Why,
    ) -> impl Iterator<Item = &Notice> {
        self.newest(department)
            .filter(move |notice| notice.why == why)
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Where a follower begins who names no notice: after the latest.
    pub(crate) fn watch(&self, department: &DepartmentId) -> Option<watch::Receiver<Offset>> {
        self.boards
            .get(department)
            .map(|board| board.next.subscribe())
    }

    /// The notices that are held, newest first.
    pub(crate) fn newest(&self, department: &DepartmentId) -> impl Iterator<Item = &Notice> {
        let window = self.boards.get(department).map(|board| board.window.iter());
        window
            .into_iter()
            .flatten()
            .rev()
            .map(|(_, notice)| notice.as_ref())
    }

    /// What a department was told of a customer's matters that no case handles, as far as it is held, oldest first.
    pub(crate) fn without_case(
        &self,
        department: &DepartmentId,
        customer: ProfileId,
    ) -> impl Iterator<Item = &Notice> {
        let board = self.boards.get(department);
        let notices = board.and_then(|board| board.without_case.get(&customer));
        notices.into_iter().flatten().map(Arc::as_ref)
    }

    /// The notices from an offset on, at most `max`.
    pub(crate) fn since(&self, department: &DepartmentId, from: Offset, max: usize) -> Since {
        let Some(board) = self.boards.get(department) else {
            return Since::Notices(Vec::new());
        };
        let next = *board.next.borrow();
        if from < board.held_from || from > next {
            return Since::Reset(board.held_from);
        }
        let first = board.window.partition_point(|(at, _)| *at < from);
        Since::Notices(board.window.iter().skip(first).take(max).cloned().collect())
    }
}

impl Board {
    fn push(&mut self, offset: Offset, notice: Arc<Notice>) {
        if let Some(customer) = notice.customer {
            let of_customer = self.without_case.entry(customer).or_default();
            of_customer.push_back(Arc::clone(&notice));
        }
        self.window.push_back((offset, notice));
    }

    fn drop_first(&mut self) {
        let Some((dropped, notice)) = self.window.pop_front() else {
            return;
        };
        self.held_from = dropped.next();
        let Some(customer) = notice.customer else {
            return;
        };
        if let Some(of_customer) = self.without_case.get_mut(&customer) {
            of_customer.pop_front();
            if of_customer.is_empty() {
                self.without_case.remove(&customer);
            }
        }
    }
}
