//! Whom it is about: a customer that the person may read, or what the person typed of somebody else.

use event::{Class, Company, ProfileId};

use super::draft::Draft;
use crate::{
    api::{
        Api,
        customers::{self, CustomerView},
    },
    desk::{page::Person, trouble::Trouble},
    model::page::Customer,
};

#[expect(
    clippy::large_enum_variant,
    reason = "one lives at a time, for the length of a request"
)]
pub(super) enum Subject {
    Nobody,
    /// Nobody of the person's customers: the event names the value all the same.
    Named(Named),
    Known(Known),
    /// Sources number their customers on their own, and the number is that of several.
    Several(Vec<CustomerView>),
}

pub(super) struct Known {
    pub(super) customer: Customer,
    pub(super) view: CustomerView,
}

pub(super) struct Named {
    /// `None` when neither the person nor the look of the value says which type it is of.
    pub(super) kind: Option<(Class, event::Name)>,
    pub(super) value: String,
}

impl Subject {
    pub(super) async fn of(api: &Api, person: &Person, draft: &Draft) -> Result<Subject, Trouble> {
        if let Some(chosen) = draft.customer {
            let profile = {
                let state = api.state();
                customers::permitted(api, &state, &person.credential, chosen)?
            };
            return Ok(known(api, person, profile));
        }
        let Some(typed) = &draft.identifier else {
            return Ok(Subject::Nobody);
        };
        let (company, reason) = {
            let state = api.state();
            let speech = person.speech(api, &state, None);
            (state.companies.current(), speech.say("record-reason"))
        };
        let kind = draft.identifier_type.as_deref();
        let tokens = match kind {
            Some(kind) => crate::search::tokens(&company, &api.doors, &api.pepper, kind, typed)
                .unwrap_or_default(),
            None => crate::search::any(&company, &api.doors, &api.pepper, typed),
        };
        let found = customers::look_up(api, &person.credential, &tokens, Some(reason)).await?;
        let mut open: Vec<CustomerView> = found.into_iter().filter(CustomerView::is_open).collect();
        if open.len() > 1 {
            return Ok(Subject::Several(open));
        }
        match open.pop() {
            Some(view) => {
                let profile = customers::asked(&view.id)?;
                Ok(known(api, person, profile))
            }
            None => Ok(Subject::Named(Named {
                kind: kind_of(&company, kind, typed),
                value: typed.clone(),
            })),
        }
    }
}

fn known(api: &Api, person: &Person, profile: ProfileId) -> Subject {
    // Bound, so that the look is over before the next begins.
    let look = || api.state().customer(profile);
    let customer = look();
    let view = customers::view(api, &person.credential, look());
    Subject::Known(Known { customer, view })
}

/// The type that was chosen, else the one that the value looks like.
fn kind_of(company: &Company, chosen: Option<&str>, value: &str) -> Option<(Class, event::Name)> {
    let looks_like = || {
        let is_dialled = value
            .chars()
            .all(|character| character.is_ascii_digit() || " +-()".contains(character));
        let digits = value.chars().filter(char::is_ascii_digit).count();
        if value.contains('@') {
            Some("email")
        } else if is_dialled && value.starts_with(['+', '0']) && digits >= PHONE_DIGITS_MIN {
            Some("phone")
        } else {
            None
        }
    };
    let kind = chosen.or_else(looks_like)?;
    let mut types = company.types().into_iter();
    types
        .find(|known| known.name.as_str() == kind)
        .map(|known| (known.class, known.name))
}

/// Shorter numbers are customers' and orders' as likely.
const PHONE_DIGITS_MIN: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_says_its_type_where_it_can() {
        let company = Company::default();
        for (chosen, value, expected) in [
            (None, "aino@example.fi", Some("email")),
            (None, "040 705 5810", Some("phone")),
            (None, "+358 (40) 705-5810", Some("phone")),
            (None, "100234", None),
            (None, "A-77", None),
            (Some("order"), "040 705 5810", Some("order")),
            (Some("fax"), "1", None),
        ] {
            let kind = kind_of(&company, chosen, value);
            let kind = kind.as_ref().map(|(_, name)| name.as_str());
            assert_eq!(kind, expected, "{value}");
        }
    }
}
