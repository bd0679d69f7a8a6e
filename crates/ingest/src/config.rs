//! The sources of `polku.toml`: who may send, where they stand, and what their numbers mean.

mod field;

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    path::PathBuf,
};

use event::{Channel, Kind, Name, SourceId};
use identifier::Region;
use serde::{Deserialize, Deserializer, Serialize};

pub use self::field::Field;
use crate::{
    format::{Formats, Proof},
    mapping::{Mapping, Plan},
};

/// `[sources.*]`, keyed by name.
pub type Sources = BTreeMap<SourceId, Source>;

/// The source whose events people at the desk write.
pub const DESK: &str = "desk";

/// One configured sender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub channel: Channel,
    #[serde(default)]
    pub format: FormatName,
    /// SHA-256 of each key in hex; two while a key is being changed. Without one, nobody can send over HTTP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_sha256: Vec<String>,
    /// Files that hold what the sender signs with; two while the secret is being changed.
    #[serde(
        default,
        deserialize_with = "one_or_more",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub secret_file: Vec<PathBuf>,
    /// A directory whose files are taken in, each once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Folder>,
    /// The feedback form that Polku serves for this source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<FeedbackForm>,
    /// How many events it may send a second; `[limits] events_per_second` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_second: Option<NonZeroU32>,
    /// For phone numbers in national form; `[identity] region` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Its word may join two customers who are known to the company.
    #[serde(default)]
    pub trusted: bool,
    /// It may say something again under the same id, and the newer content holds. So may every source that files are mapped for.
    #[serde(default)]
    pub corrects: bool,
    /// It may send `history = true`: the source of an import.
    #[serde(default)]
    pub history: bool,
    /// What it may send; absent: every kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<Kind>>,
    /// Attributes that hold nothing personal and are copied out of the personal part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operational: Vec<String>,
    /// Type of identifier or reference -> the space its values are numbered in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spaces: BTreeMap<Name, Name>,
    /// The sender's own field -> the field of our form that it fills, where its format cannot know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Field>,
    /// Field of our form -> what it holds where the sender says nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<Field, String>,
    /// How rows of a file become events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<Mapping>,
}

/// `[sources.*.folder]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Files that appear here are read.
    pub inbox: PathBuf,
    /// Where a file goes that was taken; `done` beside the inbox where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<PathBuf>,
    /// Where a file goes that was not, with a report beside it; `rejected` beside the inbox where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<PathBuf>,
}

/// `[sources.*.form]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedbackForm {
    /// Whom it speaks for, as its heading shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Origins whose pages may show the form in a frame: `https://shop.example`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub embed_from: BTreeSet<String>,
    /// How many times a minute one address may answer; 20 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers_per_minute: Option<NonZeroU32>,
}

/// The name of the form a source sends in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FormatName(Name);

impl FormatName {
    /// Our own JSON form.
    pub const OWN: &str = "polku";

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn is_own(&self) -> bool {
        self.as_str() == Self::OWN
    }
}

impl Default for FormatName {
    fn default() -> Self {
        Self(Name::new(Self::OWN).expect("our own form has a good name"))
    }
}

impl Source {
    /// A source of our own form that nobody has a key to: only this process speaks for it.
    pub fn at(channel: Channel) -> Source {
        Source {
            channel,
            format: FormatName::default(),
            key_sha256: Vec::new(),
            secret_file: Vec::new(),
            folder: None,
            form: None,
            events_per_second: None,
            region: None,
            trusted: false,
            corrects: false,
            history: false,
            kinds: None,
            operational: Vec::new(),
            spaces: BTreeMap::new(),
            fields: BTreeMap::new(),
            defaults: BTreeMap::new(),
            mapping: None,
        }
    }

    /// What each field alone cannot tell: the field, what is wrong, the remedy. `formats` are those that this binary knows.
    pub fn faults(&self, formats: &Formats) -> Vec<String> {
        let mut faults = Vec::new();
        self.format_faults(formats, &mut faults);
        if self.channel == Channel::Unknown {
            faults.push(
                "`channel` must be `store`, `call_centre`, `web` or `subcontractor`".to_owned(),
            );
        }
        if self.key_sha256.iter().any(|key| key_hash(key).is_none()) {
            faults.push(
                "`key_sha256` holds something else than the SHA-256 of a key, 64 hexadecimal digits; make one with \
                 `printf %s KEY | sha256sum`"
                    .to_owned(),
            );
        }
        let unknown = |kinds: &Vec<Kind>| kinds.contains(&Kind::Unknown);
        if self.kinds.as_ref().is_some_and(unknown) {
            faults.push("`kinds` may hold `feedback`, `complaint` and `service`".to_owned());
        }
        if let Some(mapping) = &self.mapping
            && let Err(error) = Plan::new(mapping)
        {
            faults.push(format!("`mapping`: {error}"));
        }
        faults
    }

    fn format_faults(&self, formats: &Formats, faults: &mut Vec<String>) {
        let name = self.format.as_str();
        if self.format.is_own() {
            if !self.secret_file.is_empty() {
                faults.push("`secret_file` is for formats that sign; our own form is sent with a key, see `key_sha256`".to_owned());
            }
            if !self.fields.is_empty() || !self.defaults.is_empty() {
                faults.push("`fields` and `defaults` are for senders' own formats; our own form says everything itself".to_owned());
            }
            return;
        }
        let Some(format) = formats.get(&self.format) else {
            let known: Vec<&str> = formats.names().collect();
            let near = service::config::nearest(name, known.iter().copied())
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            faults.push(format!(
                "`format` is `{name}`, which is not known; there are `{}`{near}",
                known.join("`, `")
            ));
            return;
        };
        // What comes by files needs neither key nor secret.
        let by_http = self.folder.is_none();
        match format.proof() {
            Proof::Signature if by_http && self.secret_file.is_empty() => faults.push(format!(
                "`secret_file` is missing: senders of the format `{name}` sign, name the file that holds the secret"
            )),
            Proof::Key if by_http && self.key_sha256.is_empty() => faults.push(format!(
                "`key_sha256` is missing: senders of the format `{name}` do not sign; make one with `printf %s KEY | sha256sum`"
            )),
            Proof::Signature | Proof::Key | Proof::Page => {}
        }
        if format.proof() != Proof::Signature && !self.secret_file.is_empty() {
            faults.push(format!(
                "`secret_file` is for formats that sign; senders of the format `{name}` do not"
            ));
        }
        if format.proof() != Proof::Page && self.form.is_some() {
            faults.push(format!(
                "`form` is for pages that Polku serves; the format `{name}` has none"
            ));
        }
        faults.extend(format.faults(self));
    }
}

/// A path, or an array of them.
fn one_or_more<'de, D: Deserializer<'de>>(reader: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a path or an array of paths")]
    enum Paths {
        One(PathBuf),
        More(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(reader)? {
        Paths::One(path) => vec![path],
        Paths::More(paths) => paths,
    })
}

/// The bytes of a key's hash.
pub(crate) fn key_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Result<Sources, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_source_reads_as_the_surface_page_writes_it() {
        let sources = sources(
            r#"
            [till]
            channel = "store"
            format = "polku"
            key_sha256 = ["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"]
            region = "FI"
            trusted = true
            corrects = false
            operational = ["till"]
            kinds = ["service"]
            [till.spaces]
            order = "shop"
            "#,
        )
        .unwrap();
        let till = &sources[&SourceId::new("till").unwrap()];
        assert_eq!(till.faults(&Formats::default()), Vec::<String>::new());
        assert_eq!(till.channel, Channel::Store);
        assert_eq!(till.kinds, Some(vec![Kind::Service]));
        assert!(till.trusted && !till.history);
    }

    #[test]
    fn faults_name_the_field_and_the_remedy() {
        let error = sources("[till]\nchannel = 'store'\nkeys = []\n").unwrap_err();
        assert!(
            error.contains("line 3") && error.contains("key_sha256"),
            "{error}"
        );
        for line in ["region = 'Finland'", "spaces = {order = 'Shop 1'}"] {
            let error = sources(&format!("[till]\nchannel = 'store'\n{line}\n")).unwrap_err();
            assert!(error.contains("line 3"), "{error}");
        }
        let bad =
            sources("[till]\nchannel = 'unknown'\nkey_sha256 = ['ab']\nkinds = ['unknown']\ndefaults = {party = 'posti'}\n")
                .unwrap();
        let faults = bad[&SourceId::new("till").unwrap()].faults(&Formats::default());
        let fields = [
            "`fields` and `defaults`",
            "`channel`",
            "`key_sha256`",
            "`kinds`",
        ];
        assert_eq!(faults.len(), fields.len(), "{faults:?}");
        for (fault, field) in faults.iter().zip(fields) {
            assert!(fault.starts_with(field), "{fault}");
        }
    }
}
