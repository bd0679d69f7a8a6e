use super::*;
use crate::credential::Config;

const NOW: Time = Time::from_millis(1_000_000_000_000);

fn credentials(key: &str) -> Credentials {
    let entry = |name: &str, key: &str, role: &str| {
        let hash = KeyHash::of(key);
        format!("[{name}]\nkey_sha256 = '{hash}'\nrole = '{role}'\ndepartments = ['delivery']\n")
    };
    let text = entry("'aino.k'", key, "advisor") + &entry("robot", "r", "machine");
    let configured: BTreeMap<Name, Config> = toml::from_str(&text).unwrap();
    Credentials::new(&configured).unwrap()
}

fn sessions() -> Sessions {
    let pepper = Pepper::from_bytes(&[7; 32]).unwrap();
    Sessions::new(pepper, Millis::from_hours(12), false)
}

fn aino() -> Name {
    Name::new("aino.k").unwrap()
}

fn bearing(sessions: &Sessions, session: &Session) -> HeaderMap {
    let set = sessions.cookie(session);
    let cookie = set.to_str().unwrap().split(';').next().unwrap();
    headers(cookie)
}

fn headers(cookie: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(axum::http::header::COOKIE, cookie.parse().unwrap());
    headers
}

#[test]
fn a_session_is_read_from_its_cookie_until_its_time_is_over() {
    let (sessions, known) = (sessions(), credentials("k"));
    let session = sessions.begin(&known, &aino(), NOW).unwrap();
    let headers = bearing(&sessions, &session);
    let (read, credential) = sessions.read(&known, &headers, NOW).unwrap();
    assert_eq!((read, &credential.name), (session, &aino()));
    let over = NOW + Millis::from_hours(12);
    assert!(
        sessions
            .read(&known, &headers, over - Millis::from_secs(1))
            .is_some()
    );
    assert!(sessions.read(&known, &headers, over).is_none());
}

#[test]
fn a_changed_key_another_pepper_or_a_changed_cookie_is_nobodys_session() {
    let (sessions, known) = (sessions(), credentials("k"));
    let session = sessions.begin(&known, &aino(), NOW).unwrap();
    let good = bearing(&sessions, &session);
    assert!(sessions.read(&credentials("other"), &good, NOW).is_none());
    let elsewhere = Pepper::from_bytes(&[8; 32]).unwrap();
    let elsewhere = Sessions::new(elsewhere, Millis::from_hours(12), false);
    assert!(elsewhere.read(&known, &good, NOW).is_none());
    let text = good[axum::http::header::COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    let mut tried = 0;
    for (at, old) in text.char_indices().skip("polku=".len()) {
        for new in ['0', '9', 'a', '.'] {
            if new != old {
                let mut changed = text.clone();
                changed.replace_range(at..=at, &new.to_string());
                assert!(
                    sessions.read(&known, &headers(&changed), NOW).is_none(),
                    "{changed}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 200);
    for text in ["", "polku=", "polku=....", "polku=aino.k.1.2.3", "other=1"] {
        assert!(
            sessions.read(&known, &headers(text), NOW).is_none(),
            "{text}"
        );
    }
}

#[tokio::test]
async fn an_ended_session_is_over_for_whoever_waits_on_it_and_others_go_on() {
    let (sessions, known) = (sessions(), credentials("k"));
    let one = sessions.begin(&known, &aino(), NOW).unwrap();
    let other = sessions.begin(&known, &aino(), NOW).unwrap();
    let waiting = sessions.over(&one, NOW);
    let end = async { sessions.end(&one, NOW) };
    let bound = std::time::Duration::from_secs(5);
    tokio::time::timeout(bound, futures::future::join(waiting, end))
        .await
        .expect("the wait ends with the session");
    assert!(!sessions.lasts(&one, NOW) && sessions.lasts(&other, NOW));
    assert!(
        sessions
            .read(&known, &bearing(&sessions, &one), NOW)
            .is_none()
    );
}

#[test]
fn a_code_signs_in_once_and_within_its_hour_and_no_machine() {
    let (sessions, known) = (sessions(), credentials("k"));
    let code = sessions.code(&known, &aino(), NOW).unwrap();
    assert_eq!(sessions.redeem(code, NOW), Some(aino()));
    assert_eq!(sessions.redeem(code, NOW), None);
    let late = sessions.code(&known, &aino(), NOW).unwrap();
    assert_eq!(sessions.redeem(late, NOW + CODE_LENGTH), None);
    let robot = Name::new("robot").unwrap();
    assert_eq!(sessions.code(&known, &robot, NOW), None);
    assert_eq!(sessions.begin(&known, &robot, NOW), None);
    assert_eq!(sessions.redeem(Token::new([0; 16]), NOW), None);
}

#[test]
fn an_address_that_failed_too_often_waits_and_another_does_not() {
    let sessions = sessions();
    let address = |last| Some(IpAddr::from([192, 0, 2, last]));
    for _ in 0..FAILED_MAX {
        assert!(sessions.may_try(address(1), NOW));
        sessions.failed(address(1), NOW);
    }
    assert!(!sessions.may_try(address(1), NOW));
    assert!(sessions.may_try(address(2), NOW) && sessions.may_try(None, NOW));
    assert!(sessions.may_try(address(1), NOW + FAILED_WINDOW));
}

#[test]
fn the_cookie_of_a_desk_behind_tls_is_for_tls_only() {
    let known = credentials("k");
    for (secure, start, end) in [
        (false, "polku=aino.k.", "HttpOnly; SameSite=Lax"),
        (
            true,
            "__Host-polku=aino.k.",
            "HttpOnly; SameSite=Lax; Secure",
        ),
    ] {
        let pepper = Pepper::from_bytes(&[7; 32]).unwrap();
        let sessions = Sessions::new(pepper, Millis::from_hours(1), secure);
        let session = sessions.begin(&known, &aino(), NOW).unwrap();
        let cookie = sessions.cookie(&session);
        let cookie = cookie.to_str().unwrap();
        assert!(
            cookie.starts_with(start) && cookie.ends_with(end),
            "{cookie}"
        );
        assert!(cookie.contains("; Path=/; Max-Age=3600; "), "{cookie}");
    }
}
