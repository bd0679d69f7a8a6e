//! What a link to the form says beside the words of who follows it.

use event::{Class, Name, SourceId};
use ingest::{Door, format::look};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What the feedback is about. It travels with the form in hidden fields, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct About(Vec<(&'static str, String)>);

const NAMED: [&str; 4] = ["place", "touchpoint", "stage", "product"];
pub(super) const ORDER: &str = "order";
const ORDER_CHARS_MAX: usize = 64;

impl About {
    /// Takes what can be used; whoever writes the link may write anything.
    pub(super) fn read(fields: &Value, door: &Door, source: &SourceId) -> About {
        let is_good = |field: &str, text: &str| {
            if field == ORDER {
                text.chars().count() <= ORDER_CHARS_MAX
                    && door.reads(source, Class::Reference, ORDER, text)
            } else {
                Name::new(text).is_ok()
            }
        };
        let said = NAMED.into_iter().chain([ORDER]).filter_map(|field| {
            let text = look::text(fields, field).filter(|text| is_good(field, text))?;
            Some((field, text.to_owned()))
        });
        About(said.collect())
    }

    pub(super) fn fields(&self) -> &[(&'static str, String)] {
        &self.0
    }

    /// The query of a link to the same form in another language.
    pub(super) fn query(&self, language: &str) -> String {
        let mut query = format!("?lang={language}");
        for (field, text) in &self.0 {
            let text = utf8_percent_encode(text, NON_ALPHANUMERIC);
            query.push_str(&format!("&{field}={text}"));
        }
        query
    }
}
