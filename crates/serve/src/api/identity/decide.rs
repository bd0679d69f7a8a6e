//! A decision about who is who: tried, written down, and waited for.
//!
//! The machine decides nothing about a decision: it carries it out. So what can be said against one is said before it is written,
//! from the same graph that the machine has.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

use event::{DecisionId, Record, Token, link::Link};
use tokio::time::timeout;

use crate::{
    api::{Api, masked, refusal::Refusal},
    credential::Credential,
    model::decision::{Asked, Decided, Fault, Trial},
};

/// Why something is not decided.
#[derive(Debug)]
pub(crate) enum Denied {
    /// The caller may not decide it, or not read one of the customers.
    NotYours,
    Fault(Fault),
    Refusal(Refusal),
}

/// What the decision would come to.
pub(crate) fn trial(api: &Api, caller: &Credential, asked: &Asked) -> Result<Trial, Denied> {
    let state = api.state();
    if !state.may_decide(caller, &api.grants, asked, api.now()) {
        return Err(Denied::NotYours);
    }
    state.trial(asked).map_err(Denied::Fault)
}

/// Writes the decision down, unless it is known already, and waits until it holds; `None` when that takes longer than callers
/// wait. A decision that is known is answered as it is, whatever is asked: it is a repeat of the same request.
pub(crate) async fn decide(
    api: &Api,
    caller: &Credential,
    id: DecisionId,
    asked: Asked,
    reason: &str,
) -> Result<Option<Decided>, Denied> {
    let known = api.state().decided(id);
    if let Some(decided) = known {
        return Ok(Some(decided));
    }
    let reason = masked(reason.trim());
    if reason.is_empty() {
        let detail = "is empty: say why".to_owned();
        return Err(Denied::Fault(Fault::Field("reason", detail)));
    }
    trial(api, caller, &asked)?;
    let decision = asked.decision(id, caller.name.clone(), reason, api.now());
    api.append(vec![Record::Link(Link::Decision(decision))])
        .await
        .map_err(Denied::Refusal)?;
    Ok(wait(api, id).await)
}

async fn wait(api: &Api, id: DecisionId) -> Option<Decided> {
    let mut applied = api.model.applied();
    let passed = async {
        loop {
            applied.mark_unchanged();
            let decided = api.state().decided(id);
            if decided.is_some() || applied.changed().await.is_err() {
                return decided;
            }
        }
    };
    let wait = Duration::from_millis(api.config.command_wait_ms_max);
    timeout(wait, passed).await.ok().flatten()
}

/// The same for the same key; without one every request is a decision of its own.
pub(crate) fn decision_id(
    api: &Api,
    caller: &Credential,
    key: Option<&[u8]>,
) -> Result<DecisionId, Refusal> {
    let name = caller.name.as_str().as_bytes();
    let token = match key {
        Some(key) if key.is_empty() || key.len() > KEY_BYTES_MAX => {
            return Err(Refusal::Unparseable(format!(
                "header Idempotency-Key has 1 to {KEY_BYTES_MAX} bytes"
            )));
        }
        Some(key) => Token::hash("decision.key", &[name, key]),
        None => {
            // The hasher is seeded by the system and anew for each, and so tells apart what comes at one moment.
            let time = api.now().as_millis();
            let nonce = RandomState::new().hash_one(time).to_be_bytes();
            Token::hash("decision.nonce", &[name, &nonce, &time.to_be_bytes()])
        }
    };
    Ok(DecisionId::new(token))
}

const KEY_BYTES_MAX: usize = 255;
