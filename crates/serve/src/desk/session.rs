//! Who is signed in at the desk.
//!
//! A session is a cookie that tells who, which and until when, with a MAC under a key made of the pepper and the hash of the
//! credential's key: nothing is kept of it, every process of the deployment can read it, and a changed key ends it. What is kept,
//! in memory, are the sessions that ended before their time, the codes of links that sign in once, and failed attempts.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, HeaderValue};
use event::{Millis, Name, Time, Token};
use identifier::Pepper;
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use super::cookie;
use crate::credential::{Credential, Credentials, KeyHash, Role};

/// One session of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    who: Name,
    id: Token,
    ends_seconds: i64,
    /// Proves that we made it.
    mac: Token,
    /// What its forms carry.
    forms: Token,
}

pub(crate) struct Sessions {
    pepper: Pepper,
    length: Millis,
    /// The desk is reached by TLS only, and so is the cookie.
    pub(super) secure: bool,
    kept: Mutex<Kept>,
    /// Changes whenever a session ends before its time.
    endings: watch::Sender<u64>,
}

#[derive(Default)]
struct Kept {
    /// Ended before their time, until when they would have lasted.
    ended: BTreeMap<Token, i64>,
    /// Codes that sign in once: whom, and until when.
    codes: BTreeMap<Token, (Name, Time)>,
    /// Failed attempts by address: since when, and how many.
    failed: BTreeMap<Option<IpAddr>, (Time, u32)>,
}

/// A link is followed soon or not at all.
const CODE_LENGTH: Millis = Millis::from_hours(1);
/// So many attempts may fail in this time from one address.
const FAILED_MAX: u32 = 10;
const FAILED_WINDOW: Millis = Millis::from_secs(300);
/// Addresses whose failures are remembered.
const ADDRESSES_MAX: usize = 10_000;

impl Sessions {
    pub(crate) fn new(pepper: Pepper, length: Millis, secure: bool) -> Self {
        Self {
            pepper,
            length,
            secure,
            kept: Mutex::default(),
            endings: watch::Sender::new(0),
        }
    }

    const fn cookie_name(&self) -> &'static str {
        // The prefix makes browsers refuse a cookie that another host, or plain HTTP, tries to set.
        if self.secure { "__Host-polku" } else { "polku" }
    }

    pub(crate) fn begin(
        &self,
        credentials: &Credentials,
        who: &Name,
        now: Time,
    ) -> Option<Session> {
        let (key, _) = person(credentials, who)?;
        let ends_seconds = (now + self.length).as_millis() / 1_000;
        Some(self.session(who.clone(), random(), ends_seconds, key))
    }

    fn session(&self, who: Name, id: Token, ends_seconds: i64, key: KeyHash) -> Session {
        let told = format!("{who}.{id}.{ends_seconds}");
        let key = key.to_string();
        Session {
            mac: self.pepper.token("desk", "session", &key, &told),
            forms: self.pepper.token("desk", "forms", &key, &told),
            who,
            id,
            ends_seconds,
        }
    }

    /// Whose session the request's cookie is.
    pub(crate) fn read(
        &self,
        credentials: &Credentials,
        headers: &HeaderMap,
        now: Time,
    ) -> Option<(Session, Arc<Credential>)> {
        let text = cookie::value(headers, self.cookie_name())?;
        let mut parts = text.rsplitn(4, '.');
        let mac: Token = parts.next()?.parse().ok()?;
        let ends_seconds: i64 = parts.next()?.parse().ok()?;
        let id: Token = parts.next()?.parse().ok()?;
        let who: Name = parts.next()?.parse().ok()?;
        let (key, credential) = person(credentials, &who)?;
        let session = self.session(who, id, ends_seconds, key);
        let is_ours = bool::from(session.mac.as_bytes().ct_eq(mac.as_bytes()));
        (is_ours && self.lasts(&session, now)).then_some((session, credential))
    }

    pub(crate) fn lasts(&self, session: &Session, now: Time) -> bool {
        now < session.ends() && !self.kept().ended.contains_key(&session.id)
    }

    /// Ends it now, here and in every stream that it opened.
    pub(crate) fn end(&self, session: &Session, now: Time) {
        {
            let mut kept = self.kept();
            kept.ended
                .retain(|_, ends_seconds| *ends_seconds > now.as_millis() / 1_000);
            kept.ended.insert(session.id, session.ends_seconds);
        }
        self.endings.send_modify(|endings| *endings += 1);
    }

    /// Resolves when the session was ended or its time is over.
    pub(crate) async fn over(&self, session: &Session, now: Time) {
        let mut endings = self.endings.subscribe();
        let left = (session.ends() - now).as_millis();
        let left = std::time::Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let ended = async { while self.lasts(session, now) && endings.changed().await.is_ok() {} };
        // Over is over, whichever way.
        let _by_time = tokio::time::timeout(left, ended).await.is_err();
    }

    pub(super) fn cookie(&self, session: &Session) -> HeaderValue {
        let Session {
            who,
            id,
            ends_seconds,
            mac,
            ..
        } = session;
        let value = format!("{who}.{id}.{ends_seconds}.{mac}");
        let seconds = self.length.as_millis() / 1_000;
        cookie::set(self.cookie_name(), &value, seconds, self.secure)
    }

    pub(super) fn removed_cookie(&self) -> HeaderValue {
        cookie::removed(self.cookie_name(), self.secure)
    }

    /// A code that signs somebody in, once.
    pub(crate) fn code(&self, credentials: &Credentials, who: &Name, now: Time) -> Option<Token> {
        person(credentials, who)?;
        let code = random();
        let mut kept = self.kept();
        kept.codes.retain(|_, (_, until)| *until > now);
        kept.codes.insert(code, (who.clone(), now + CODE_LENGTH));
        Some(code)
    }

    /// Whom the code signs in. It does so once.
    pub(crate) fn redeem(&self, code: Token, now: Time) -> Option<Name> {
        let (who, until) = self.kept().codes.remove(&code)?;
        (now < until).then_some(who)
    }

    /// Whether another attempt from the address is heard.
    pub(crate) fn may_try(&self, from: Option<IpAddr>, now: Time) -> bool {
        match self.kept().failed.get(&from) {
            Some((since, count)) => now - *since >= FAILED_WINDOW || *count < FAILED_MAX,
            None => true,
        }
    }

    pub(crate) fn failed(&self, from: Option<IpAddr>, now: Time) {
        let mut kept = self.kept();
        if kept.failed.len() >= ADDRESSES_MAX {
            kept.failed
                .retain(|_, (since, _)| now - *since < FAILED_WINDOW);
        }
        if kept.failed.len() >= ADDRESSES_MAX {
            // So many at once are one attacker: nobody's failures are worth more than the others'.
            kept.failed.clear();
        }
        let entry = kept.failed.entry(from).or_insert((now, 0));
        if now - entry.0 >= FAILED_WINDOW {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics between two changes of it.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    pub(crate) fn ends(&self) -> Time {
        Time::from_millis(self.ends_seconds.saturating_mul(1_000))
    }

    /// What a form of this session carries in the field `csrf`.
    pub(super) fn form_token(&self) -> String {
        self.forms.to_string()
    }

    pub(super) fn owns_form(&self, token: &str) -> bool {
        token
            .parse()
            .is_ok_and(|token: Token| self.forms.as_bytes().ct_eq(token.as_bytes()).into())
    }
}

/// A credential that is a person's: machines use the API.
fn person(credentials: &Credentials, who: &Name) -> Option<(KeyHash, Arc<Credential>)> {
    let (key, credential) = credentials.named(who)?;
    (credential.role != Role::Machine).then_some((key, credential))
}

fn random() -> Token {
    Token::new(rand::random())
}

#[cfg(test)]
mod tests;
