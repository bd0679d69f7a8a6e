//! Who sends: a bearer key, compared by its hash in constant time.

use event::SourceId;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::config::{Sources, key_hash};

/// The hashes of all sources' keys. A source has two while its key is being changed.
#[derive(Debug)]
pub(crate) struct Keys(Vec<(SourceId, [u8; 32])>);

/// Why a request may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No key, or one that nobody has.
    NoKey,
    /// The key of another source.
    OtherSource,
    /// A good key, and a source that is not configured.
    UnknownSource,
}

impl Keys {
    pub(crate) fn of(sources: &Sources) -> Keys {
        let keys = sources.iter().flat_map(|(id, source)| {
            source
                .key_sha256
                .iter()
                .filter_map(|text| key_hash(text))
                .map(|hash| (id.clone(), hash))
        });
        Keys(keys.collect())
    }

    /// Whether the `Authorization` header lets its sender speak as this source.
    pub(crate) fn check(
        &self,
        sources: &Sources,
        wanted: &str,
        header: Option<&[u8]>,
    ) -> Result<SourceId, Refusal> {
        let key = header.and_then(bearer).ok_or(Refusal::NoKey)?;
        let hash: [u8; 32] = Sha256::digest(key).into();
        // All hashes are compared, each in constant time, so that how long it takes tells nothing about them.
        let mut known = false;
        let mut own = None;
        for (source, expected) in &self.0 {
            if bool::from(hash.ct_eq(expected)) {
                known = true;
                if source.as_str() == wanted {
                    own = Some(source.clone());
                }
            }
        }
        match own {
            Some(source) => Ok(source),
            None if !known => Err(Refusal::NoKey),
            None if sources.keys().any(|id| id.as_str() == wanted) => Err(Refusal::OtherSource),
            None => Err(Refusal::UnknownSource),
        }
    }
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, key) = header.split_at_checked("bearer ".len())?;
    let key = key.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(key: &str) -> String {
        hex::encode(Sha256::digest(key))
    }

    #[test]
    fn a_key_opens_its_own_source_only() {
        let sources: Sources = toml::from_str(&format!(
            "[till]\nchannel = 'store'\nkey_sha256 = ['{}', '{}']\n\
             [web]\nchannel = 'web'\nkey_sha256 = ['{}']\n[mute]\nchannel = 'web'\n",
            hash("old"),
            hash("new"),
            hash("web-key")
        ))
        .unwrap();
        let keys = Keys::of(&sources);
        let till = SourceId::new("till").unwrap();
        for (wanted, header, expected) in [
            ("till", Some("Bearer old"), Ok(till.clone())),
            ("till", Some("bearer  new "), Ok(till)),
            ("till", Some("Bearer web-key"), Err(Refusal::OtherSource)),
            ("mute", Some("Bearer web-key"), Err(Refusal::OtherSource)),
            (
                "nobody",
                Some("Bearer web-key"),
                Err(Refusal::UnknownSource),
            ),
            ("nobody", Some("Bearer wrong"), Err(Refusal::NoKey)),
            ("till", Some("Bearer wrong"), Err(Refusal::NoKey)),
            ("till", Some("Bearer "), Err(Refusal::NoKey)),
            ("till", Some("Basic old"), Err(Refusal::NoKey)),
            ("till", Some("old"), Err(Refusal::NoKey)),
            ("till", None, Err(Refusal::NoKey)),
        ] {
            assert_eq!(
                keys.check(&sources, wanted, header.map(str::as_bytes)),
                expected,
                "{wanted} {header:?}"
            );
        }
    }
}
