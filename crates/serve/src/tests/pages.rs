//! The desk as a browser sees it: signs in, sends forms, and looks at pages.

use std::{collections::BTreeSet, fs, path::Path};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use scraper::{Html, Selector};

use super::world::World;

/// Somebody who is signed in.
pub(crate) struct Browser<'a> {
    world: &'a World,
    cookies: Vec<String>,
}

/// A page that was read.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) html: Html,
}

impl<'a> Browser<'a> {
    /// Nobody in particular.
    pub(crate) fn new(world: &'a World) -> Browser<'a> {
        Browser {
            world,
            cookies: Vec::new(),
        }
    }

    /// Signs in; in the tests the key of a credential is its name.
    pub(crate) async fn of(world: &'a World, name: &str) -> Browser<'a> {
        let mut browser = Browser::new(world);
        let answer = browser.send_form("/sign-in", &[("key", name)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        browser
    }

    pub(crate) fn speaking(mut self, language: &str) -> Browser<'a> {
        self.cookies.push(format!("polku_language={language}"));
        self
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(path);
        if self.cookies.is_empty() {
            request
        } else {
            request.header(header::COOKIE, self.cookies.join("; "))
        }
    }

    /// The answer as it is, for what is no page: a stream, a file.
    pub(crate) async fn answer(&self, path: &str) -> axum::http::Response<Body> {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.world.send(request).await
    }

    /// A page of the desk, which is held to what holds for all pages.
    pub(crate) async fn get(&self, path: &str) -> Page {
        let page = read(self.answer(path).await).await;
        if !page.status.is_redirection() {
            page.holds_what_every_page_holds(path);
        }
        page
    }

    /// Sends a form as it is, without a token.
    pub(crate) async fn send_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        let page = read(self.world.send(request).await).await;
        for set in page.headers.get_all(header::SET_COOKIE) {
            let cookie = set.to_str().unwrap().split(';').next().unwrap();
            let name = cookie.split('=').next().unwrap();
            self.cookies
                .retain(|held| !held.starts_with(&format!("{name}=")));
            self.cookies.push(cookie.to_owned());
        }
        page
    }

    /// Sends a form of a page, with the session's token as the page has it.
    pub(crate) async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token().await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.send_form(path, &all).await
    }

    /// The token of the session's forms, from the one that every page has.
    pub(crate) async fn token(&self) -> String {
        let page = self.get("/static/nothing").await;
        page.value("input[name=csrf]").unwrap_or_default()
    }
}

async fn read(response: axum::http::Response<Body>) -> Page {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, 4 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Page {
        status: parts.status,
        headers: parts.headers,
        html: Html::parse_document(&text),
        text,
    }
}

impl Page {
    /// What the elements say, with single spaces.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let elements = self.html.select(&selector);
        elements
            .map(|element| {
                let text: String = element.text().collect();
                text.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect()
    }

    /// What the first of the elements says.
    #[track_caller]
    pub(crate) fn said(&self, selector: &str) -> String {
        let texts = self.texts(selector);
        let first = texts.into_iter().next();
        first.unwrap_or_else(|| panic!("no `{selector}` in\n{}", self.text))
    }

    pub(crate) fn attributes(&self, selector: &str, attribute: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        self.html
            .select(&selector)
            .filter_map(|element| element.value().attr(attribute))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn value(&self, selector: &str) -> Option<String> {
        self.attributes(selector, "value").into_iter().next()
    }

    pub(crate) fn has(&self, selector: &str) -> bool {
        let selector = Selector::parse(selector).unwrap();
        self.html.select(&selector).next().is_some()
    }

    pub(crate) fn location(&self) -> &str {
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// Well-formed, one first heading, one main part, every field labelled, nothing in line, no raw key, and the policy.
    #[track_caller]
    pub(crate) fn holds_what_every_page_holds(&self, path: &str) {
        assert!(
            self.html.errors.is_empty(),
            "{path}: {:?}\n{}",
            self.html.errors,
            self.text
        );
        for once in ["h1", "main#main", "title", "html[lang]", "header"] {
            let selector = Selector::parse(once).unwrap();
            assert_eq!(
                self.html.select(&selector).count(),
                1,
                "{path}: `{once}` in\n{}",
                self.text
            );
        }
        for never in [
            "style",
            "script:not([src])",
            "[style]",
            "[onclick]",
            "[onerror]",
            "img",
        ] {
            assert!(!self.has(never), "{path}: `{never}` in\n{}", self.text);
        }
        let policy = self.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store", "{path}");
        self.has_unique_ids(path);
        self.labels_its_fields(path);
        let body = self.texts("body").join(" ");
        for word in body.split_whitespace() {
            // A key of one word may be a word.
            let is_key = word.contains('-') && keys_used().messages.contains(word);
            assert!(!is_key, "{path} shows the key {word}");
        }
    }

    #[track_caller]
    fn has_unique_ids(&self, path: &str) {
        let mut ids = BTreeSet::new();
        for id in self.attributes("[id]", "id") {
            assert!(ids.insert(id.clone()), "{path}: the id {id} is there twice");
        }
        for attribute in [
            "for",
            "aria-describedby",
            "aria-labelledby",
            "aria-controls",
        ] {
            for named in self.attributes(&format!("[{attribute}]"), attribute) {
                for id in named.split_whitespace() {
                    assert!(
                        ids.contains(id),
                        "{path}: {attribute} names {id}, which is not there"
                    );
                }
            }
        }
    }

    #[track_caller]
    fn labels_its_fields(&self, path: &str) {
        let fields = Selector::parse("input:not([type=hidden]), select, textarea").unwrap();
        let labelled: BTreeSet<String> = self.attributes("label[for]", "for").into_iter().collect();
        for field in self.html.select(&fields) {
            let in_label = field
                .ancestors()
                .filter_map(scraper::ElementRef::wrap)
                .any(|ancestor| ancestor.value().name() == "label");
            let has_label = field
                .value()
                .attr("id")
                .is_some_and(|id| labelled.contains(id))
                || field.value().attr("aria-label").is_some();
            assert!(
                in_label || has_label,
                "{path}: {} has no label",
                field.html()
            );
        }
    }
}

/// What the desk says, as its templates and its code name it.
pub(crate) struct Used {
    pub(crate) messages: BTreeSet<String>,
    /// The first arguments of `named`.
    pub(crate) families: BTreeSet<String>,
}

pub(crate) fn templates() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    texts(&folder, "html")
}

fn texts(folder: &Path, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(texts(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(fs::read_to_string(&path).unwrap());
        }
    }
    found
}

/// The texts that stand first in calls.
fn first_arguments(text: &str, call: &str) -> Vec<String> {
    text.split(call)
        .skip(1)
        .filter_map(|rest| rest.trim_start().strip_prefix('"'))
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

/// A text that looks like a key and stands in quotes in the desk's code or in a template counts as used: keys also stand in tables.
pub(crate) fn keys_used() -> &'static Used {
    static USED: std::sync::LazyLock<Used> = std::sync::LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/desk");
        let mut used = Used {
            messages: BTreeSet::new(),
            families: BTreeSet::new(),
        };
        let known: BTreeSet<String> = include_str!("../../i18n/fi.ftl")
            .lines()
            .filter(|line| !line.starts_with(['#', ' ', '}']))
            .filter_map(|line| line.split_once(" =").map(|(key, _)| key.to_owned()))
            .collect();
        for text in texts(&folder, "rs").into_iter().chain(templates()) {
            for piece in text.split('"') {
                if known.contains(piece) {
                    used.messages.insert(piece.to_owned());
                }
            }
            used.messages.extend(first_arguments(&text, ".say("));
            used.messages.extend(first_arguments(&text, ".with("));
            used.families.extend(first_arguments(&text, ".named("));
        }
        used
    });
    &USED
}
