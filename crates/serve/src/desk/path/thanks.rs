//! The thanks that a department got: the notices that told it of them, and the customers' words, which are meant for it.

use event::{
    DepartmentId, EventId, ProfileId,
    notice::{Notice, Why},
};

use crate::{
    desk::{
        page::Person,
        speech::{Moment, Speech, Words},
    },
    model, personal,
};

pub(super) struct Thanks {
    pub(super) moment: Moment,
    pub(super) what: String,
    pub(super) channel: Option<String>,
    pub(super) place: Option<String>,
    pub(super) words: Option<Words>,
    /// The case of the same matter, if there is one that the reader may look at.
    pub(super) case: Option<String>,
}

const THANKS_MAX: usize = 10;
const WORDS_CHARS_MAX: usize = 2_000;

/// The latest, newest first, and whose words are among them.
pub(super) fn latest(
    state: &model::State,
    speech: &Speech,
    person: &Person,
    department: &DepartmentId,
) -> (Vec<Thanks>, Vec<ProfileId>) {
    let mut read = Vec::new();
    let notices = state.notices.latest(department, Why::Praise);
    let own = notices.filter(|notice| person.credential.acts_for_unit(notice.unit.as_ref()));
    let thanks = own.take(THANKS_MAX).map(|notice| {
        let words = said(state, notice).and_then(|event| {
            let event = personal::event(&state.events.get(event)?.bytes);
            let text = personal::open(&event)?.text?;
            let words = Words::new(&text, WORDS_CHARS_MAX);
            let profile = state.identity.resolve(ProfileId::new(event.anchor));
            read.extend(profile.filter(|_| !words.text.is_empty()));
            (!words.text.is_empty()).then_some(words)
        });
        let case = state.cases.get(notice.case);
        let case = case.filter(|case| state.may_read_case(&person.credential, case));
        let channel = notice.channels.first();
        Thanks {
            moment: speech.moment(notice.time),
            what: Speech::sentence(&speech.label(&notice.what)),
            channel: channel.map(|channel| speech.named("channel", channel.as_str())),
            place: notice.place.as_ref().map(|place| speech.label(place)),
            words,
            case: case.map(|case| format!("/cases/{}", case.case)),
        }
    });
    (thanks.collect(), read)
}

/// The event that a notice of thanks tells of: it came in at the notice's time, of the notice's matter.
fn said(state: &model::State, notice: &Notice) -> Option<EventId> {
    let mut events = state.figures.thanks(notice.time);
    events.find(|event| {
        state.annotations.note(*event).is_some_and(|note| {
            note.matter.own_case() == notice.case
                || state.cases.of_matter(note.matter) == Some(notice.case)
        })
    })
}
