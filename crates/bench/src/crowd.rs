//! Events of any number of customers, made in memory from one that a door made: as many as nobody could keep, and always the same.

use event::{Class, Event, EventId, Millis, Name, Time, Token, Value};

use crate::workload::Workload;

/// When the crowd speaks: on a working day, 2026-11-18T10:00:00Z, at whatever hour it is measured. What was promised at night falls due
/// at one moment for all, when the doors open.
pub(crate) const NOW: Time = Time::from_millis(1_794_996_000_000);

/// What an event of the crowd names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A customer number, an e-mail address or a phone, and the customer's order: sets that come again and again.
    Known,
    /// Customer number and e-mail address.
    Pair,
    /// Customer number and a device that nobody named before.
    OwnDevice,
    /// Customer number and the device of everybody.
    SharedDevice,
}

pub(crate) struct Crowd {
    template: Event,
    number: Name,
    email: Name,
    phone: Name,
    device: Name,
    order: Name,
}

impl Crowd {
    pub(crate) fn like(workload: &Workload) -> Crowd {
        let plain = |event: &&Event| event.name.as_str() == "order.placed";
        let template = workload.events.iter().find(plain);
        let template = template.or_else(|| workload.events.first()).cloned();
        let template = Event {
            time: NOW,
            received: NOW,
            ..template.expect("a workload has events")
        };
        let name = |text| Name::new(text).expect("the names of types are good");
        Crowd {
            template,
            number: name("customer_number"),
            email: name("email"),
            phone: name("phone"),
            device: name("device"),
            order: name("order"),
        }
    }

    /// The event of this number.
    pub(crate) fn event(&self, number: u64, customer: u64, named: Named) -> Event {
        let value = |class, kind: &Name, of: u64| Value {
            token: token(kind.as_str().as_bytes()[0], of),
            class,
            kind: kind.clone(),
        };
        let identifier = |kind, of| value(Class::Identifier, kind, of);
        let order = || value(Class::Reference, &self.order, customer);
        let values = match (named, number % 3) {
            (Named::Known, 0) => vec![
                identifier(&self.number, customer),
                identifier(&self.email, customer),
                order(),
            ],
            (Named::Known, 1) => vec![
                identifier(&self.number, customer),
                identifier(&self.phone, customer),
                order(),
            ],
            (Named::Known, _) => vec![identifier(&self.email, customer), order()],
            (Named::Pair, _) => vec![
                identifier(&self.number, customer),
                identifier(&self.email, customer),
            ],
            (Named::OwnDevice, _) => vec![
                identifier(&self.number, customer),
                identifier(&self.device, number + 1),
            ],
            (Named::SharedDevice, _) => vec![
                identifier(&self.number, customer),
                identifier(&self.device, 0),
            ],
        };
        let id = token(b'#', number);
        let ago = i64::try_from(number % 1_000_000).unwrap_or(0);
        Event {
            id: EventId::new(id),
            content: id,
            anchor: values[0].token,
            values,
            time: self.template.time - Millis::new(ago),
            ..self.template.clone()
        }
    }
}

/// Sixteen bytes as evenly spread as those of a keyed hash, at a fraction of the cost.
pub(crate) fn token(kind: u8, number: u64) -> Token {
    let mut bytes = [0; Token::LEN];
    let seed = (u64::from(kind) << 56) ^ number;
    bytes[..8].copy_from_slice(&mixed(seed).to_be_bytes());
    bytes[8..].copy_from_slice(&mixed(!seed).to_be_bytes());
    Token::new(bytes)
}

/// A step of the generator `SplitMix64`: different numbers stay different.
fn mixed(number: u64) -> u64 {
    let mut word = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn tokens_differ_by_kind_and_number() {
        let tokens: HashSet<Token> = (0..1_000)
            .flat_map(|number| [token(b'a', number), token(b'b', number)])
            .collect();
        assert_eq!(tokens.len(), 2_000);
    }
}
