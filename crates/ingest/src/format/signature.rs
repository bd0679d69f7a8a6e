//! Keyed hashes over what was sent, compared in constant time.

use event::Time;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

/// Why a request is not its sender's. The answer is 401, and the log is not touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the header `{0}` is missing")]
    Missing(&'static str),
    #[error("the header `{0}` cannot be read")]
    Unreadable(&'static str),
    #[error("no secret of this source makes the signature")]
    Mismatch,
    /// Older or newer than `SKEW_MS_MAX`.
    #[error("the signature's time is more than five minutes from now")]
    Stale,
    #[error("this source has no secret")]
    NoSecret,
}

/// How far the time of a signature may lie from the door's.
pub const SKEW_MS_MAX: i64 = 5 * 60 * 1000;

/// # Errors
/// `Refusal::Stale` when the signature was made too long before `received`, or after it.
pub fn fresh(signed: Time, received: Time) -> Result<(), Refusal> {
    if signed.as_millis().abs_diff(received.as_millis()) <= SKEW_MS_MAX.unsigned_abs() {
        Ok(())
    } else {
        Err(Refusal::Stale)
    }
}

/// Whether one of the secrets makes one of the claimed HMAC-SHA256 of the parts, one after the other.
///
/// # Errors
/// `Refusal::NoSecret`, `Refusal::Mismatch`.
pub fn hmac_sha256<C: AsRef<[u8]>>(
    secrets: &[Vec<u8>],
    parts: &[&[u8]],
    claimed: &[C],
) -> Result<(), Refusal> {
    any(secrets, claimed, |secret, claimed| {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(part);
        }
        mac.verify_slice(claimed).is_ok()
    })
}

/// As `hmac_sha256`, for senders that still sign with SHA-1.
///
/// # Errors
/// `Refusal::NoSecret`, `Refusal::Mismatch`.
pub fn hmac_sha1<C: AsRef<[u8]>>(
    secrets: &[Vec<u8>],
    parts: &[&[u8]],
    claimed: &[C],
) -> Result<(), Refusal> {
    any(secrets, claimed, |secret, claimed| {
        let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
        for part in parts {
            mac.update(part);
        }
        mac.verify_slice(claimed).is_ok()
    })
}

/// Tries every pair, so that how long it takes does not tell which secret fits.
fn any<C: AsRef<[u8]>>(
    secrets: &[Vec<u8>],
    claimed: &[C],
    makes: impl Fn(&[u8], &[u8]) -> bool,
) -> Result<(), Refusal> {
    if secrets.is_empty() {
        return Err(Refusal::NoSecret);
    }
    let mut good = false;
    for secret in secrets {
        for one in claimed {
            good |= makes(secret, one.as_ref());
        }
    }
    if good { Ok(()) } else { Err(Refusal::Mismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2, and RFC 2202, test case 2.
    const KEY: &[u8] = b"Jefe";
    const SAID: [&[u8]; 2] = [b"what do ya want ", b"for nothing?"];
    const SHA256: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    const SHA1: &str = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex).unwrap()
    }

    #[test]
    fn published_vectors_are_made_by_any_of_the_secrets() {
        let old_and_new = [b"old".to_vec(), KEY.to_vec()];
        for secrets in [&old_and_new[..], &old_and_new[1..]] {
            assert_eq!(hmac_sha256(secrets, &SAID, &[bytes(SHA256)]), Ok(()));
            assert_eq!(
                hmac_sha256(secrets, &SAID, &[vec![], bytes(SHA256)]),
                Ok(())
            );
            assert_eq!(hmac_sha1(secrets, &SAID, &[bytes(SHA1)]), Ok(()));
        }
    }

    #[test]
    fn a_wrong_or_shortened_hash_is_none() {
        let secrets = [KEY.to_vec()];
        let good = bytes(SHA256);
        let mut flipped = good.clone();
        flipped[31] ^= 1;
        for claimed in [&flipped[..], &good[..31], &good[..16], &[], &[0; 32]] {
            assert_eq!(
                hmac_sha256(&secrets, &SAID, &[claimed]),
                Err(Refusal::Mismatch)
            );
        }
        assert_eq!(
            hmac_sha256(&secrets, &SAID[..1], &[&good]),
            Err(Refusal::Mismatch)
        );
        assert_eq!(hmac_sha1(&secrets, &SAID, &[&good]), Err(Refusal::Mismatch));
        assert_eq!(
            hmac_sha256::<Vec<u8>>(&secrets, &SAID, &[]),
            Err(Refusal::Mismatch)
        );
        assert_eq!(hmac_sha256(&[], &SAID, &[&good]), Err(Refusal::NoSecret));
    }

    #[test]
    fn five_minutes_either_way_are_fresh() {
        let now = Time::from_millis(1_800_000_000_000);
        for (off, expected) in [
            (0, Ok(())),
            (SKEW_MS_MAX, Ok(())),
            (-SKEW_MS_MAX, Ok(())),
            (SKEW_MS_MAX + 1, Err(Refusal::Stale)),
            (-SKEW_MS_MAX - 1, Err(Refusal::Stale)),
        ] {
            assert_eq!(
                fresh(Time::from_millis(now.as_millis() + off), now),
                expected
            );
        }
        assert_eq!(fresh(Time::from_millis(i64::MIN), now), Err(Refusal::Stale));
    }
}
