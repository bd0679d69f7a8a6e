//! What the sent log says of the subscriptions that are configured here. It is followed as long as the process runs, so that an
//! instance hears what another one delivered.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use event::{
    Name, NoticeId, Time, Token,
    sent::{Sent, SentKind},
};
use stream::Offset;
use tokio::sync::watch;

#[derive(Debug)]
pub(crate) struct Ledger {
    pages: Mutex<BTreeMap<Name, Page>>,
    /// Counts what was noted; who waits for news waits on it.
    noted: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Page {
    settled: BTreeMap<Offset, NoticeId>,
    /// What lies below is settled and needs no row.
    floor: Offset,
    standing: Standing,
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The latest word on where to read on, and whether the endpoint is disabled.
    pub(crate) mark: Option<Mark>,
    /// When the endpoint began to fail, and when it last took a notice.
    failing: Option<Time>,
    delivered: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) time: Time,
    /// Of the endpoint as it was configured then.
    pub(crate) endpoint: Token,
    pub(crate) floor: Offset,
    pub(crate) is_disabled: bool,
}

impl Standing {
    /// Since when the endpoint has failed without taking a notice in between.
    pub(crate) fn failing_since(&self) -> Option<Time> {
        self.failing
            .filter(|failing| self.delivered.is_none_or(|delivered| delivered < *failing))
    }

    /// Whether the endpoint, as it is configured, wants no more notices or did not take any for long.
    pub(crate) fn is_disabled(&self, endpoint: Token) -> bool {
        self.mark
            .is_some_and(|mark| mark.is_disabled && mark.endpoint == endpoint)
    }
}

impl Ledger {
    /// Keeps what concerns these subscriptions.
    pub(crate) fn new<'a>(subscriptions: impl IntoIterator<Item = &'a Name>) -> Self {
        let pages = subscriptions
            .into_iter()
            .map(|name| (name.clone(), Page::default()))
            .collect();
        Self {
            pages: Mutex::new(pages),
            noted: watch::Sender::new(0),
        }
    }

    pub(crate) fn note(&self, sent: &Sent) {
        let mut pages = self.lock();
        let Some(page) = pages.get_mut(&sent.subscription) else {
            return;
        };
        page.note(sent);
        drop(pages);
        self.noted.send_modify(|noted| *noted += 1);
    }

    /// Tells when something was noted.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.noted.subscribe()
    }

    pub(crate) fn standing(&self, subscription: &Name) -> Standing {
        self.lock()
            .get(subscription)
            .map(|page| page.standing)
            .unwrap_or_default()
    }

    /// Whether the notice was delivered or given up. The id is asked too: a topic that was made anew counts its offsets anew.
    pub(crate) fn is_settled(&self, subscription: &Name, offset: Offset, notice: NoticeId) -> bool {
        self.lock()
            .get(subscription)
            .is_some_and(|page| page.settled.get(&offset) == Some(&notice))
    }

    /// Nobody will ask about what lies below.
    pub(crate) fn forget_below(&self, subscription: &Name, floor: Offset) {
        if let Some(page) = self.lock().get_mut(subscription) {
            page.floor = floor;
            page.settled = page.settled.split_off(&floor);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Page>> {
        // Each change is one assignment or insert, so that a panic leaves nothing half done.
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    fn note(&mut self, sent: &Sent) {
        let offset = Offset(sent.offset);
        let is_disabled = match sent.what {
            SentKind::Delivered | SentKind::GivenUp => {
                if sent.what == SentKind::Delivered {
                    self.standing.delivered = self.standing.delivered.max(Some(sent.time));
                }
                if let Some(notice) = sent.notice
                    && offset >= self.floor
                {
                    self.settled.insert(offset, notice);
                }
                return;
            }
            SentKind::Failing => {
                self.standing.failing = self.standing.failing.max(Some(sent.time));
                return;
            }
            SentKind::Unknown => return,
            SentKind::Following => false,
            SentKind::Disabled => true,
        };
        let mark = Mark {
            time: sent.time,
            endpoint: sent.endpoint,
            floor: offset,
            is_disabled,
        };
        // The partitions of the log are read in any order.
        if self
            .standing
            .mark
            .is_none_or(|known| (known.time, known.is_disabled) <= (mark.time, mark.is_disabled))
        {
            self.standing.mark = Some(mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::sample;

    fn name() -> Name {
        Name::new("crm").unwrap()
    }

    fn sent(what: SentKind, time: i64, offset: i64) -> Sent {
        Sent {
            subscription: name(),
            notice: Some(sample::notice(offset, 1).id),
            offset,
            endpoint: Token::new([1; 16]),
            what,
            time: Time::from_millis(time),
            attempts: 1,
        }
    }

    fn standing(facts: &[Sent]) -> Standing {
        let ledger = Ledger::new([&name()]);
        for fact in facts {
            ledger.note(fact);
        }
        ledger.standing(&name())
    }

    #[test]
    fn the_latest_mark_holds_in_whatever_order_the_log_is_read() {
        let mut facts = [
            sent(SentKind::Following, 10, 3),
            sent(SentKind::Disabled, 20, 7),
            sent(SentKind::Following, 5, 1),
        ];
        for _ in 0..facts.len() {
            facts.rotate_left(1);
            let standing = standing(&facts);
            assert!(standing.is_disabled(Token::new([1; 16])));
            assert!(
                !standing.is_disabled(Token::new([2; 16])),
                "another configuration is tried again"
            );
            assert_eq!(standing.mark.map(|mark| mark.floor), Some(Offset(7)));
        }
        assert_eq!(standing(&[]).mark, None);
    }

    #[test]
    fn an_endpoint_fails_until_it_takes_a_notice() {
        let failing = sent(SentKind::Failing, 10, 3);
        let before = sent(SentKind::Delivered, 9, 2);
        let after = sent(SentKind::Delivered, 11, 3);
        for (facts, expected) in [
            (vec![], None),
            (vec![failing.clone()], Some(10)),
            (vec![failing.clone(), before.clone()], Some(10)),
            (vec![after, failing, before], None),
        ] {
            let since = standing(&facts).failing_since();
            assert_eq!(since, expected.map(Time::from_millis), "{facts:?}");
        }
    }

    #[test]
    fn what_is_settled_is_known_until_nobody_asks() {
        let ledger = Ledger::new([&name()]);
        let [three, five] = [3, 5].map(|offset| sample::notice(offset, 1).id);
        ledger.note(&sent(SentKind::Delivered, 10, 3));
        ledger.note(&sent(SentKind::GivenUp, 10, 5));
        ledger.note(&Sent {
            subscription: Name::new("other").unwrap(),
            ..sent(SentKind::Delivered, 10, 4)
        });
        assert!(ledger.is_settled(&name(), Offset(3), three));
        assert!(ledger.is_settled(&name(), Offset(5), five));
        assert!(
            !ledger.is_settled(&name(), Offset(5), three),
            "another notice at that place"
        );
        assert!(!ledger.is_settled(&name(), Offset(4), sample::notice(4, 1).id));
        ledger.forget_below(&name(), Offset(4));
        ledger.note(&sent(SentKind::Delivered, 11, 3));
        assert!(
            !ledger.is_settled(&name(), Offset(3), three),
            "it takes no room any more"
        );
        assert!(ledger.is_settled(&name(), Offset(5), five));
    }
}
