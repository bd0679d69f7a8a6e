//! How the senders prove that they are who they are.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use event::Time;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::Sha256;

#[derive(Clone, Debug)]
pub(super) enum Signature {
    /// The key itself.
    Bearer,
    Zendesk,
    Twilio,
    Typeform,
    /// With the delivery's id.
    StandardWebhooks(String),
}

impl Signature {
    pub(super) fn headers(
        &self,
        secret: &str,
        url: &str,
        now_ms: i64,
        body: &str,
    ) -> Vec<(&'static str, String)> {
        match self {
            Signature::Bearer => vec![("authorization", format!("Bearer {secret}"))],
            Signature::Zendesk => {
                let signed = Time::from_millis(now_ms).to_string();
                vec![
                    (
                        "x-zendesk-webhook-signature",
                        sha256(secret.as_bytes(), &[&signed, body]),
                    ),
                    ("x-zendesk-webhook-signature-timestamp", signed),
                ]
            }
            Signature::Twilio => {
                let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect(ANY_LENGTH);
                mac.update(url.as_bytes());
                mac.update(sorted(body).as_bytes());
                let made = STANDARD.encode(mac.finalize().into_bytes());
                vec![("x-twilio-signature", made)]
            }
            Signature::Typeform => {
                let made = sha256(secret.as_bytes(), &[body]);
                vec![("typeform-signature", format!("sha256={made}"))]
            }
            Signature::StandardWebhooks(id) => {
                let key = secret.strip_prefix("whsec_").unwrap_or(secret);
                let key = STANDARD
                    .decode(key)
                    .unwrap_or_else(|_| secret.as_bytes().to_vec());
                let signed = (now_ms / 1000).to_string();
                let made = sha256(&key, &[id, ".", &signed, ".", body]);
                vec![
                    ("webhook-id", id.clone()),
                    ("webhook-timestamp", signed),
                    ("webhook-signature", format!("v1,{made}")),
                ]
            }
        }
    }
}

const ANY_LENGTH: &str = "HMAC takes a key of any length";

fn sha256(key: &[u8], parts: &[&str]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect(ANY_LENGTH);
    for part in parts {
        mac.update(part.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A form's names and values in the order of the names, which is what Twilio signs.
fn sorted(body: &str) -> String {
    let mut pairs: Vec<(String, String)> = body
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    pairs.sort();
    pairs
        .into_iter()
        .map(|(name, value)| name + &value)
        .collect()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by the example of Standard Webhooks' own specification and by Twilio's of its documentation.
    #[test]
    fn published_examples_are_signed_alike() {
        let webhook = Signature::StandardWebhooks("msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned());
        let headers = webhook.headers(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "",
            1_614_265_330_000,
            "{\"test\": 2432232314}",
        );
        assert_eq!(
            headers[2].1,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        let headers = Signature::Twilio.headers(
            "12345",
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            0,
            "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212",
        );
        assert_eq!(headers[0].1, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }
}
