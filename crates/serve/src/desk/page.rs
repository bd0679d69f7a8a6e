//! What every page has: who reads it, in which language and theme, the frame around it, and the headers on it.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use event::DepartmentId;

use super::{
    assets, cookie,
    language::{Language, Messages},
    session::Session,
    speech::Speech,
    trouble::Trouble,
};
use crate::{
    api::Api,
    credential::{Credential, Role},
    model,
};

/// How the reader wants to see pages, and which one it is.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) language: Language,
    pub(super) theme: Theme,
    /// Path and query: where a form that changes the view leads back to.
    pub(super) here: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Theme {
    /// As the system of the reader has it.
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub(super) const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.as_str() == name)
    }
}

impl View {
    pub(super) fn of(headers: &HeaderMap, uri: &Uri) -> View {
        View {
            language: Language::of_request(headers),
            theme: cookie::value(headers, cookie::THEME)
                .and_then(Theme::of_name)
                .unwrap_or_default(),
            here: uri
                .path_and_query()
                .map_or_else(|| "/".to_owned(), |here| here.as_str().to_owned()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for View {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(View::of(&parts.headers, &parts.uri))
    }
}

/// Somebody who is signed in. Without, the answer is the way to the sign-in page.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) credential: Arc<Credential>,
    pub(super) session: Session,
    pub(super) view: View,
}

impl Person {
    pub(super) fn of(api: &Api, headers: &HeaderMap, view: View) -> Option<Person> {
        let (session, credential) = api.sessions.read(&api.credentials, headers, api.now())?;
        Some(Person {
            credential,
            session,
            view,
        })
    }

    /// The departments whose inboxes the person reads.
    pub(super) fn departments(&self, state: &model::State) -> Vec<DepartmentId> {
        state
            .departments()
            .into_iter()
            .filter(|department| self.credential.acts_for(department))
            .filter(|department| {
                // Where the test of the chain ends: for those who belong there, not for all who may.
                department.as_str() != CANARY || self.credential.departments.contains(department)
            })
            .collect()
    }

    /// Where the person begins.
    pub(super) fn home(&self, state: &model::State) -> String {
        match self.departments(state).first() {
            Some(department) => format!("/inbox/{department}"),
            None => "/search".to_owned(),
        }
    }

    pub(super) fn say(&self, key: &str) -> String {
        Messages::of(self.view.language).say(key)
    }

    /// What the model holds, said to the person: in the time of the department the page is about, else of the person's first.
    pub(super) fn speech(
        &self,
        api: &Api,
        state: &model::State,
        about: Option<&DepartmentId>,
    ) -> Speech {
        let first = self.credential.departments.first();
        Speech::new(state, self.view.language, about.or(first), api.now())
    }
}

pub(super) const CANARY: &str = "canary";

impl FromRequestParts<Api> for Person {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Trouble> {
        let view = View::of(&parts.headers, &parts.uri);
        let to = if parts.method == Method::GET {
            view.here.clone()
        } else {
            "/".to_owned()
        };
        let person = Person::of(api, &parts.headers, view).ok_or(Trouble::SignedOut { to })?;
        let taken = api.rates.take(&person.credential.name);
        taken.map_err(|_| Trouble::TooMany)?;
        Ok(person)
    }
}

/// Where on the desk a page is; the menu marks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Inbox,
    Search,
    Record,
    Path,
    HandOffs,
    Identity,
    /// Not on the menu.
    Elsewhere,
}

/// An entry of the menu.
pub(super) struct Item {
    pub(super) text: String,
    pub(super) address: String,
    pub(super) is_here: bool,
}

/// What a page says first, before anything else: what came of what the person did.
pub(super) struct Alert {
    pub(super) text: String,
    pub(super) tone: Tone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Bad,
}

impl Tone {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
        }
    }
}

/// What stands around every page. A template has it in the field `frame`.
pub(super) struct Frame {
    messages: &'static Messages,
    view: View,
    pub(super) title: String,
    pub(super) menu: Vec<Item>,
    pub(super) person: Option<Who>,
    pub(super) alert: Option<Alert>,
    /// Where "record" leads from here: with the customer or the case that the page is about.
    pub(super) record: String,
}

/// Who is signed in.
pub(super) struct Who {
    pub(super) name: String,
    pub(super) role: String,
    /// The token of the session's forms.
    pub(super) csrf: String,
}

impl Frame {
    /// The frame of a page for somebody who is signed in.
    pub(super) fn new(state: &model::State, person: &Person, place: Place, title: String) -> Frame {
        let messages = Messages::of(person.view.language);
        let role = role(person.credential.role);
        Frame {
            menu: menu(state, person, place),
            person: Some(Who {
                name: person.credential.name.to_string(),
                role: messages.named("role", role),
                csrf: person.session.form_token(),
            }),
            ..Frame::public(&person.view, title)
        }
    }

    /// The frame of a page for anybody.
    pub(super) fn public(view: &View, title: String) -> Frame {
        Frame {
            messages: Messages::of(view.language),
            view: view.clone(),
            title,
            menu: Vec::new(),
            person: None,
            alert: None,
            record: "/record".to_owned(),
        }
    }

    pub(super) fn alert(&mut self, tone: Tone, text: String) {
        self.alert = Some(Alert { text, tone });
    }

    pub(super) fn say(&self, key: &str) -> String {
        self.messages.say(key)
    }

    pub(super) fn named(&self, family: &str, name: &str) -> String {
        self.messages.named(family, name)
    }

    pub(super) fn languages(&self) -> [Language; 3] {
        Language::ALL
    }

    pub(super) fn themes(&self) -> [Theme; 3] {
        Theme::ALL
    }

    pub(super) fn language(&self) -> Language {
        self.view.language
    }

    pub(super) fn theme(&self) -> Theme {
        self.view.theme
    }

    pub(super) fn here(&self) -> &str {
        &self.view.here
    }

    pub(super) fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// The hidden field that every form of a signed-in person carries.
    pub(super) fn csrf(&self) -> &str {
        self.person.as_ref().map_or("", |who| &who.csrf)
    }
}

fn menu(state: &model::State, person: &Person, place: Place) -> Vec<Item> {
    let messages = Messages::of(person.view.language);
    let departments = person.departments(state);
    let first = departments.first();
    let item = |of: Place, key: &str, address: String| Item {
        text: messages.say(key),
        address,
        is_here: of == place,
    };
    let mut menu = Vec::new();
    if let Some(department) = first {
        let address = format!("/inbox/{department}");
        menu.push(item(Place::Inbox, "menu-inbox", address));
    }
    menu.push(item(Place::Search, "menu-search", "/search".to_owned()));
    if let Some(department) = first {
        let address = format!("/path/{department}");
        menu.push(item(Place::Path, "menu-path", address));
    }
    menu.push(item(
        Place::HandOffs,
        "menu-hand-offs",
        "/hand-offs".to_owned(),
    ));
    if person.credential.decides() {
        let address = "/identity/review".to_owned();
        menu.push(item(Place::Identity, "menu-identity", address));
    }
    menu
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Advisor => "advisor",
        Role::Lead => "lead",
        Role::FrontLine => "front_line",
        Role::Admin => "admin",
        Role::Machine => "machine",
    }
}

/// The answer of a page's template.
pub(super) fn page(template: &impl Template) -> Result<Response, Trouble> {
    page_with(StatusCode::OK, template)
}

pub(super) fn page_with(status: StatusCode, template: &impl Template) -> Result<Response, Trouble> {
    let text = template.render()?;
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Ok((status, [kind], text).into_response())
}

/// Where a form leads after it was done.
pub(super) fn see(address: &str) -> Response {
    Redirect::to(address).into_response()
}

/// A path on this desk, of what a request names as one; else the front.
pub(super) fn own_path(asked: Option<&str>) -> &str {
    let is_own = |path: &&str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && path
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    asked.filter(is_own).unwrap_or("/")
}

/// Everything comes from this host, nothing runs or is styled in line, nobody puts the desk into a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Refuses forms that another site sent, says troubles in words, and puts the headers on every answer of the desk.
pub(super) async fn dress(State(api): State<Api>, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let view = View::of(&headers, request.uri());
    let mut response = if *request.method() == Method::POST && is_from_elsewhere(&headers) {
        Trouble::Forged.into_response()
    } else {
        next.run(request).await
    };
    if let Some(trouble) = response.extensions_mut().remove::<Trouble>() {
        let person = Person::of(&api, &headers, view.clone());
        response = said(&api, &view, person.as_ref(), &trouble);
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Browsers say where a request comes from; what says nothing is held to the form's token alone.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| site != "same-origin" && site != "none")
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage {
    frame: Frame,
    text: String,
}

fn said(api: &Api, view: &View, person: Option<&Person>, trouble: &Trouble) -> Response {
    if let Trouble::SignedOut { to } = trouble {
        let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
        return see(&format!("/sign-in?to={to}"));
    }
    let messages = Messages::of(view.language);
    let title = messages.named("trouble-title", trouble.as_str());
    let frame = match person {
        Some(person) => Frame::new(&api.state(), person, Place::Elsewhere, title),
        None => Frame::public(view, title),
    };
    let text = messages.named("trouble", trouble.as_str());
    // A page about trouble that cannot be rendered is told by its status alone.
    page_with(trouble.status(), &TroublePage { frame, text })
        .unwrap_or_else(|_| trouble.status().into_response())
}
