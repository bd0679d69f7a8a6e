//! What this door accepted lately, so that a repeat costs no write.
//!
//! It is a help and no promise: what it has forgotten, or another door has accepted, is written again and told apart by the
//! unifier.

use std::collections::{HashMap, VecDeque};

use event::{EventId, Token};

/// The content of the latest events, the oldest forgotten first.
#[derive(Debug)]
pub(crate) struct Window {
    contents: HashMap<EventId, Token>,
    order: VecDeque<EventId>,
    events_max: usize,
}

/// What is known of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Never,
    /// With the same content.
    Same,
    /// With other content.
    Other,
}

impl Window {
    pub(crate) fn new(events_max: usize) -> Window {
        Window {
            contents: HashMap::new(),
            order: VecDeque::new(),
            events_max,
        }
    }

    pub(crate) fn seen(&self, id: EventId, content: Token) -> Seen {
        match self.contents.get(&id) {
            None => Seen::Never,
            Some(known) if *known == content => Seen::Same,
            Some(_) => Seen::Other,
        }
    }

    /// Only for what the log has acknowledged.
    pub(crate) fn remember(&mut self, id: EventId, content: Token) {
        if self.contents.insert(id, content).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > self.events_max {
            if let Some(oldest) = self.order.pop_front() {
                self.contents.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let token = |n: u8| Token::new([n; 16]);
        let id = |n| EventId::new(token(n));
        let mut window = Window::new(2);
        assert_eq!(window.seen(id(1), token(1)), Seen::Never);
        for n in [1, 2, 1, 3] {
            window.remember(id(n), token(n));
        }
        assert_eq!(window.seen(id(1), token(1)), Seen::Never);
        assert_eq!(window.seen(id(2), token(2)), Seen::Same);
        assert_eq!(window.seen(id(3), token(9)), Seen::Other);
        assert_eq!(window.contents.len(), 2);
    }
}
