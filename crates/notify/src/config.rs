//! `[subscriptions.*]` of `polku.toml`: where a department's notices are sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    path::PathBuf,
};

use event::{
    DepartmentId, Name, Token,
    notice::{Notice, Why},
};
use reqwest::Url;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{address, secret::Secret};

/// Keyed by name: a subscription of the same name goes on where it stood, also with another address.
pub type Subscriptions = BTreeMap<Name, Subscription>;

/// One endpoint of one department.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    pub department: DepartmentId,
    /// Notices are posted to it.
    pub url: String,
    /// Files that hold what the notices are signed with; two while the secret is being changed.
    #[serde(deserialize_with = "one_or_more")]
    pub secret_file: Vec<PathBuf>,
    /// The endpoint stands in one's own network: it may have an address that the internet cannot reach, and plain HTTP.
    #[serde(default)]
    pub allow_private: bool,
    /// Only notices for these units of the department; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<BTreeSet<Name>>,
    /// Only notices that tell one of these; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<BTreeSet<Why>>,
    /// Raised to have an endpoint that was disabled tried again as it is.
    #[serde(default)]
    pub generation: u32,
}

const SECRETS_MAX: usize = 2;

impl Subscription {
    /// What is wrong with it as it stands; the files are not read.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        match Url::parse(&self.url) {
            Ok(url) => faults.extend(self.faults_of(&url)),
            Err(error) => faults.push(format!(
                "`url` is no address ({error}); write it whole, as in `https://example.fi/polku`"
            )),
        }
        if self.secret_file.is_empty() || self.secret_file.len() > SECRETS_MAX {
            faults.push(format!(
                "`secret_file` names {} files; name one, or two while the secret is being changed",
                self.secret_file.len()
            ));
        }
        if self.units.as_ref().is_some_and(BTreeSet::is_empty) {
            faults.push(
                "`units` is empty, so that nothing would be sent; leave it out to be told of all"
                    .to_owned(),
            );
        }
        if let Some(why) = &self.why {
            if why.is_empty() {
                faults.push(
                    "`why` is empty, so that nothing would be sent; leave it out to be told of all"
                        .to_owned(),
                );
            }
            if why.contains(&Why::Unknown) {
                faults.push("`why` names `unknown`, which no notice tells; take it out".to_owned());
            }
        }
        faults
    }

    fn faults_of(&self, url: &Url) -> Option<String> {
        let remedy = "or `allow_private = true` for an endpoint in your own network";
        match url.scheme() {
            "https" => {}
            "http" if self.allow_private => {}
            "http" => {
                return Some(format!(
                    "`url` is plain HTTP, which others can read and change; use https, {remedy}"
                ));
            }
            other => return Some(format!("`url` begins with `{other}`; use https")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Some("`url` holds a name or password, which would be shown with it; endpoints verify the signature instead".to_owned());
        }
        let refused = address::refusal(literal(url)?, self.allow_private)?;
        Some(format!(
            "`url` names {}; use one of the internet, {remedy}",
            refused.as_str()
        ))
    }

    /// Whether the notice is one of those it asks for.
    pub(crate) fn wants(&self, notice: &Notice) -> bool {
        let unit = self.units.as_ref().is_none_or(|units| {
            let unit = notice.unit.as_ref();
            unit.is_some_and(|unit| units.contains(unit))
        });
        unit && self
            .why
            .as_ref()
            .is_none_or(|why| why.contains(&notice.why))
    }

    /// Stands for what a delivery depends on: an endpoint that was disabled stays so until this changes.
    pub(crate) fn fingerprint(&self, secrets: &[Secret]) -> Token {
        let generation = self.generation.to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![
            self.url.as_bytes(),
            &generation,
            if self.allow_private { &[1] } else { &[0] },
        ];
        parts.extend(secrets.iter().map(Secret::as_bytes));
        Token::hash("endpoint", &parts)
    }
}

/// The address that the URL names by its number, in whatever notation: no name is looked up for it.
pub(crate) fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .ok()
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "expected the path of a file, or a list of paths"
    )]
    enum Paths {
        One(PathBuf),
        More(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(deserializer)? {
        Paths::One(path) => vec![path],
        Paths::More(paths) => paths,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(more: &str) -> Result<Subscription, toml::de::Error> {
        toml::from_str(&format!("department = \"delivery\"\n{more}"))
    }

    const SECRET: &str = "secret_file = \"secret\"\n";

    #[test]
    fn every_fault_comes_with_its_remedy() {
        let at = |url: &str| format!("url = \"{url}\"\n{SECRET}");
        let good = at("https://example.fi/polku");
        for (text, expected) in [
            (good.clone(), ""),
            (
                format!("{good}why = [\"opened\", \"missed\"]\nunits = [\"kamppi\"]"),
                "",
            ),
            (at("example.fi"), "no address"),
            (at("ftp://example.fi"), "use https"),
            (at("http://example.fi"), "allow_private"),
            (
                format!("{}allow_private = true", at("http://example.fi")),
                "",
            ),
            (at("https://aino:word@example.fi"), "signature"),
            (at("https://127.0.0.1"), "a loopback address"),
            (at("https://2130706433/x"), "a loopback address"),
            (at("https://0177.0.0.1"), "a loopback address"),
            (at("https://0x7f.1"), "a loopback address"),
            (at("https://[::ffff:10.0.0.1]"), "a private address"),
            (
                format!("{}allow_private = true", at("http://127.0.0.1:9000")),
                "",
            ),
            (
                format!("{}allow_private = true", at("http://169.254.169.254")),
                "metadata",
            ),
            (
                "url = \"https://example.fi\"\nsecret_file = []".to_owned(),
                "names 0 files",
            ),
            (
                "url = \"https://example.fi\"\nsecret_file = [\"a\", \"b\", \"c\"]".to_owned(),
                "names 3 files",
            ),
            (format!("{good}why = []"), "`why` is empty"),
            (format!("{good}units = []"), "`units` is empty"),
            (format!("{good}why = [\"unknown\"]"), "`unknown`"),
        ] {
            let faults = parse(&text).unwrap().faults().join("\n");
            if expected.is_empty() {
                assert_eq!(faults, "", "{text}");
            } else {
                assert!(faults.contains(expected), "{text}: {faults}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for text in [
            "url = \"https://example.fi\"",
            "url = \"https://example.fi\"\nsecret_file = 7",
            "url = \"https://example.fi\"\nsecret_file = \"a\"\nsecret = \"whsec_x\"",
            "url = \"https://example.fi\"\nsecret_file = \"a\"\nwhy = [\"open\"]",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_fingerprint_changes_with_what_a_delivery_depends_on_alone() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let one = parse(&format!("url = \"https://example.fi\"\n{SECRET}")).unwrap();
        let of =
            |subscription: &Subscription| subscription.fingerprint(std::slice::from_ref(&secret));
        let first = of(&one);
        assert_eq!(
            of(&Subscription {
                why: Some(BTreeSet::new()),
                ..one.clone()
            }),
            first
        );
        assert_ne!(
            of(&Subscription {
                url: "https://example.fi/2".to_owned(),
                ..one.clone()
            }),
            first
        );
        assert_ne!(
            of(&Subscription {
                generation: 1,
                ..one.clone()
            }),
            first
        );
        assert_ne!(
            of(&Subscription {
                allow_private: true,
                ..one.clone()
            }),
            first
        );
        assert_ne!(one.fingerprint(&[secret.clone(), secret.clone()]), first);
    }
}
