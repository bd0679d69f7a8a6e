//! What an endpoint's notices are signed with, as Standard Webhooks has it: `whsec_` and 24 to 64 bytes in base64.

use std::{fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Vec<u8>);

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(transparent)]
    Read(#[from] service::secret::Error),
    #[error(
        "holds no secret of Standard Webhooks; make one with: echo \"whsec_$(openssl rand -base64 32)\""
    )]
    Form,
    #[error(
        "holds a secret of {0} bytes; they must be 24 to 64: make one with: echo \"whsec_$(openssl rand -base64 32)\""
    )]
    Length(usize),
}

const PREFIX: &str = "whsec_";

impl Secret {
    pub(crate) fn read(path: &Path) -> Result<Secret, SecretError> {
        Secret::parse(&service::secret::read_text(path)?)
    }

    pub(crate) fn parse(text: &str) -> Result<Secret, SecretError> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(SecretError::Form)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SecretError::Form)?;
        if (24..=64).contains(&bytes.len()) {
            Ok(Secret(bytes))
        } else {
            Err(SecretError::Length(bytes.len()))
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `v1,` and the signature over id, timestamp and body.
    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// One signature per secret, so that a receiver who knows either can verify while the secret is being changed.
pub(crate) fn signatures(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| secret.sign(id, timestamp, body))
        .collect();
    signatures.join(" ")
}

/// Never shown.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification of Standard Webhooks.
    #[test]
    fn a_message_is_signed_as_the_specification_shows() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signatures(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            body,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_in_force_signs() {
        let secret = |byte: u8| Secret(vec![byte; 32]);
        let both = signatures(&[secret(1), secret(2)], "n_1", 1, b"{}");
        let one = signatures(&[secret(1)], "n_1", 1, b"{}");
        let other = signatures(&[secret(2)], "n_1", 1, b"{}");
        assert_eq!(both, format!("{one} {other}"));
        assert_ne!(one, other);
    }

    #[test]
    fn what_is_no_secret_is_refused_with_the_remedy() {
        for (text, expected) in [
            ("", "no secret"),
            ("secret", "no secret"),
            ("whsec_not base64", "no secret"),
            ("whsec_c2hvcnQ=", "5 bytes"),
        ] {
            let error = Secret::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(error.contains("openssl rand"), "{text}: {error}");
        }
    }
}
