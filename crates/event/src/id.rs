//! Tokens, and the ids made of them: 16 raw bytes each, in JSON as hex with a prefix that says what it names.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// 16 bytes that stand for something without telling it: an identifier's keyed token, or a hash of ids.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Token([u8; 16]);

impl Token {
    pub const LEN: usize = 16;

    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The bytes as a number: numbers stand in the order of their tokens.
    pub const fn number(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    /// The first 16 bytes of SHA-256 over the kind and the parts, each part preceded by its length as four bytes,
    /// big-endian, so that no two lists of parts collide by concatenation.
    pub fn hash(kind: &str, parts: &[&[u8]]) -> Self {
        let mut sha = Sha256::new();
        for part in std::iter::once(kind.as_bytes()).chain(parts.iter().copied()) {
            let length = u32::try_from(part.len()).expect("no part of an id is 4 GiB long");
            sha.update(length.to_be_bytes());
            sha.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&sha.finalize()[..16]);
        Self(bytes)
    }
}

/// As numbers: two of them are compared where they lie, two lists of bytes are not.
impl Ord for Token {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number().cmp(&other.number())
    }
}

impl PartialOrd for Token {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By half of it: a token is a hash itself.
impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64((self.number() >> 64) as u64);
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is not an id of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseIdError {
    pub prefix: &'static str,
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected {}{} and 32 hexadecimal digits",
            self.prefix,
            if self.prefix.is_empty() { "" } else { "_" }
        )
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for Token {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseIdError { prefix: "" })?;
        Ok(Self(bytes))
    }
}

/// People read hex; a log record holds the 16 bytes.
impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Token;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token of 16 bytes")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Token, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Token, E> {
                let bytes: [u8; 16] = bytes
                    .try_into()
                    .map_err(|_| E::invalid_length(bytes.len(), &self))?;
                Ok(Token(bytes))
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Visitor)
        } else {
            deserializer.deserialize_bytes(Visitor)
        }
    }
}

/// What an id names; gives the prefix of its text form.
pub trait Names: Copy + Ord + std::hash::Hash + fmt::Debug + 'static {
    const PREFIX: &'static str;
}

/// An id of one kind of thing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<N: Names>(Token, PhantomData<N>);

impl<N: Names> Id<N> {
    pub const fn new(token: Token) -> Self {
        Self(token, PhantomData)
    }

    pub const fn token(&self) -> Token {
        self.0
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    pub const fn number(&self) -> u128 {
        self.0.number()
    }
}

impl<N: Names> fmt::Display for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", N::PREFIX, self.0)
    }
}

impl<N: Names> fmt::Debug for Id<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<N: Names> FromStr for Id<N> {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = ParseIdError { prefix: N::PREFIX };
        let hex = text
            .strip_prefix(N::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or_else(|| error.clone())?;
        hex.parse().map(Self::new).map_err(|_| error)
    }
}

impl<N: Names> Serialize for Id<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de, N: Names> Deserialize<'de> for Id<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?
                .parse()
                .map_err(de::Error::custom)
        } else {
            Token::deserialize(deserializer).map(Self::new)
        }
    }
}

/// The markers behind the id types.
pub mod of {
    use super::Names;

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Event;
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Profile;
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Matter;
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Case;
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Command;
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Notice;
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub struct Decision;

    impl Names for Event {
        const PREFIX: &'static str = "e";
    }
    impl Names for Profile {
        const PREFIX: &'static str = "p";
    }
    impl Names for Matter {
        const PREFIX: &'static str = "m";
    }
    impl Names for Case {
        const PREFIX: &'static str = "c";
    }
    impl Names for Command {
        const PREFIX: &'static str = "k";
    }
    impl Names for Notice {
        const PREFIX: &'static str = "n";
    }
    impl Names for Decision {
        const PREFIX: &'static str = "d";
    }
}

/// The token of (source, the sender's id): see `identifier::event_id`.
pub type EventId = Id<of::Event>;
/// The token of a profile's strongest identifier, or of its strongest reference while it has none.
pub type ProfileId = Id<of::Profile>;
/// Computed from the matter's key, never from its first event.
pub type MatterId = Id<of::Matter>;
/// The smallest matter of its group.
pub type CaseId = Id<of::Case>;
/// Computed from the case, the credential and the caller's `Idempotency-Key`.
pub type CommandId = Id<of::Command>;
/// Computed from the case, the step that caused it and the department told.
pub type NoticeId = Id<of::Notice>;
/// Computed from the credential and the caller's `Idempotency-Key`.
pub type DecisionId = Id<of::Decision>;

impl MatterId {
    /// The matter of everything that names this reference, in whatever profile it is met.
    pub fn of_reference(reference: Token) -> Self {
        Self::new(Token::hash("matter.reference", &[reference.as_bytes()]))
    }

    /// The matter of what one anchor says of one subject in one window of time.
    pub fn of_window(anchor: Token, subject: &str, window_start: crate::Time) -> Self {
        let start = window_start.as_millis().to_be_bytes();
        Self::new(Token::hash(
            "matter.window",
            &[anchor.as_bytes(), subject.as_bytes(), &start],
        ))
    }

    /// The case this matter opens while it is grouped with no other.
    pub fn own_case(self) -> CaseId {
        CaseId::new(self.token())
    }
}

impl CaseId {
    /// The matter whose own case this is: a case bears the id of the smallest matter of its group.
    pub fn matter(self) -> MatterId {
        MatterId::new(self.token())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = ProfileId::new(Token::hash("test", &[b"a"]));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            id.to_string().replace("p_", "c_").parse::<ProfileId>(),
            Err(ParseIdError { prefix: "p" })
        );
        assert_eq!(
            serde_json::from_str::<ProfileId>(&serde_json::to_string(&id).unwrap()).unwrap(),
            id
        );
    }

    #[test]
    fn tokens_stand_in_the_order_of_their_bytes() {
        for place in 0..Token::LEN {
            let of = |byte| {
                let mut bytes = [7; 16];
                bytes[place] = byte;
                Token::new(bytes)
            };
            assert!(of(1) < of(7) && of(7) < of(200), "byte {place}");
            assert_eq!(of(7).cmp(&of(7)), Ordering::Equal);
        }
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(
            Token::hash("k", &[b"ab", b"c"]),
            Token::hash("k", &[b"a", b"bc"])
        );
    }
}
