//! What is posted to an endpoint.

use event::{
    Time,
    notice::{Notice, Shown},
};
use serde::Serialize;

#[derive(Serialize)]
struct Message<'a> {
    r#type: String,
    timestamp: Time,
    data: Shown<'a>,
}

/// The same bytes for every attempt, and for every instance of Polku that attempts it.
pub(crate) fn body(notice: &Notice, public_url: &str) -> Vec<u8> {
    let message = Message {
        r#type: format!("polku.case.{}", notice.why.as_str()),
        timestamp: notice.time,
        data: notice.shown(public_url),
    };
    serde_json::to_vec(&message).expect("a notice is plain JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tests::sample;

    #[test]
    fn a_notice_is_told_as_its_type_its_time_and_itself() {
        let notice = sample::notice(7, 3);
        let body: serde_json::Value =
            serde_json::from_slice(&body(&notice, "https://polku.example/")).unwrap();
        let case = notice.case;
        assert_eq!(
            body,
            json!({
                "type": "polku.case.opened",
                "timestamp": "2026-11-20T10:00:00Z",
                "data": {
                    "id": notice.id.to_string(), "why": "opened", "case": case.to_string(), "customer": null,
                    "what": "delivery.late",
                    "place": "store:kamppi", "unit": null, "party": "posti", "severity": "high", "contacts": 3,
                    "channels": ["web", "call_centre"], "from": null, "answer_by": "2026-11-20T14:00:00Z",
                    "open": format!("https://polku.example/cases/{case}"), "time": "2026-11-20T10:00:00Z",
                    "route": ["all", "deliveries"],
                },
            })
        );
    }
}
