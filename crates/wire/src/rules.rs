//! The rules as they travel: one JSON document, since people's configuration grows in ways that a schema need not follow.

use serde::{Deserialize, Serialize};

use event::{Partition, rules::Rules};

use crate::Error;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "Rules")]
pub(crate) struct Document {
    partition: u32,
    #[serde(with = "event::event::count")]
    version: u64,
    document: String,
}

impl From<&Rules> for Document {
    fn from(rules: &Rules) -> Self {
        Self {
            partition: rules.partition.0,
            version: rules.company.version,
            document: serde_json::to_string(&rules.company)
                .expect("the rules are texts, numbers and tables keyed by texts"),
        }
    }
}

impl TryFrom<Document> for Rules {
    type Error = Error;

    fn try_from(message: Document) -> Result<Self, Error> {
        let rules = Rules {
            partition: Partition(message.partition),
            company: serde_json::from_str(&message.document).map_err(Error::Document)?,
        };
        if rules.company.version == message.version {
            Ok(rules)
        } else {
            Err(Error::DocumentVersion {
                stated: message.version,
                found: rules.company.version,
            })
        }
    }
}
