//! How it felt.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feeling {
    Delighted,
    Content,
    Indifferent,
    Disappointed,
    Angry,
}

impl Feeling {
    pub(super) const ALL: [Feeling; 5] = [
        Feeling::Delighted,
        Feeling::Content,
        Feeling::Indifferent,
        Feeling::Disappointed,
        Feeling::Angry,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Feeling::Delighted => "delighted",
            Feeling::Content => "content",
            Feeling::Indifferent => "indifferent",
            Feeling::Disappointed => "disappointed",
            Feeling::Angry => "angry",
        }
    }

    /// The key of its message.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Feeling::Delighted => "feeling-delighted",
            Feeling::Content => "feeling-content",
            Feeling::Indifferent => "feeling-indifferent",
            Feeling::Disappointed => "feeling-disappointed",
            Feeling::Angry => "feeling-angry",
        }
    }

    pub(super) fn of(text: &str) -> Option<Feeling> {
        Feeling::ALL
            .into_iter()
            .find(|feeling| feeling.as_str() == text)
    }
}
