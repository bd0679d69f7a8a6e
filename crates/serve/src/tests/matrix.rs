//! Every route with every role: generated from the OpenAPI document and from the desk's own list of routes, so that none is
//! forgotten.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use event::{
    CaseId, DecisionId, EventId, ProfileId, Record,
    link::{Decision, DecisionKind, Link},
};
use serde_json::{Value as Json, json};

use super::{
    decider::Decider,
    pages::Browser,
    world::{TILL, Told, World, at, case, case_id, name, profile, stands},
};
use crate::Config;

/// What answers without a key; the counts only where the configuration says so.
const PUBLIC: [&str; 0] = [];

/// What is asked of, in place of the variables of a path.
struct Places {
    case: CaseId,
    customer: ProfileId,
    /// What she wrote, and her telephone.
    event: EventId,
    phone: ProfileId,
    /// A case of hers is delivery's too.
    other: ProfileId,
    decision: DecisionId,
}

/// Aino's case is delivery's, and so is Bea's. Somebody decided about Bea.
async fn world() -> (World, Places) {
    let config = Config {
        command_wait_ms_max: 50,
        ..Config::default()
    };
    let world = World::with(config).await;
    let mut decider = Decider::default();
    let aino = world.event(Told {
        identifiers: &[("email", "aino@example.fi"), ("phone", "040 705 5810")],
        ..TILL
    });
    let bea = world.event(Told {
        id: "2",
        identifiers: &[("email", "bea@example.fi")],
        ..TILL
    });
    decider.tell(&world, &[aino.clone(), bea.clone()]).await;
    let places = Places {
        case: case_id("delivery"),
        customer: profile(&aino.values[0]),
        event: aino.id,
        phone: profile(&aino.values[1]),
        other: profile(&bea.values[0]),
        decision: DecisionId::new(event::Token::hash("test.decision", &[])),
    };
    let allowed = Link::Decision(Decision {
        id: places.decision,
        what: DecisionKind::Allow,
        one: vec![bea.values[0].token],
        other: Vec::new(),
        undoes: None,
        actor: name("admin"),
        reason: "a family".to_owned(),
        time: at(5),
    });
    world
        .write([
            stands(case(places.case, &[places.customer])),
            stands(case(case_id("bea"), &[places.other])),
            Record::Link(allowed),
        ])
        .await;
    (world, places)
}

/// Each route of the document: method and path as it is declared.
async fn documented(world: &World) -> Vec<(String, String)> {
    let (_, document) = world.get("nobody", "/openapi.json").await;
    let paths = document["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| (method.to_uppercase(), path.clone()))
    });
    routes.collect()
}

fn filled(path: &str, places: &Places) -> String {
    let id = if path.starts_with("/v1/departments") {
        "delivery".to_owned()
    } else if path.starts_with("/v1/cases") {
        places.case.to_string()
    } else if path.starts_with("/v1/identity") {
        places.decision.to_string()
    } else {
        places.customer.to_string()
    };
    let command = format!("k_{}", "0".repeat(32));
    let filled = path.replace("{id}", &id).replace("{command}", &command);
    if path.ends_with("/explain") {
        let event = places.event;
        return format!("{filled}?a={event}&b={event}");
    }
    filled
}

fn body(path: &str, places: &Places) -> Json {
    let Places {
        customer,
        phone,
        other,
        ..
    } = places;
    if path.ends_with("/commands") {
        json!({ "command": "acknowledge" })
    } else if path.ends_with("/split") {
        json!({ "leave": [phone], "dry_run": true })
    } else if path.ends_with("/merge") {
        json!({ "customers": [customer, other], "dry_run": true })
    } else if path.ends_with("/decisions") {
        json!({ "decision": "block", "one": [phone], "dry_run": true })
    } else {
        json!({ "identifier": "email:aino@example.fi", "reason": "she calls" })
    }
}

/// Of what is about who is who: advisors ask why, and only those above them decide.
fn is_identitys(key: &str, route: &str) -> Option<bool> {
    if route.ends_with("/explain") {
        return Some(["advisor", "lead", "admin"].contains(&key));
    }
    let is_decided = ["/split", "/merge"].iter().any(|end| route.ends_with(end));
    (is_decided || route.starts_with("/v1/identity")).then(|| ["lead", "admin"].contains(&key))
}

async fn status(world: &World, key: Option<&str>, method: &str, path: &str, body: &Json) -> u16 {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    let request = request.body(Body::from(body.to_string())).unwrap();
    world.send(request).await.status().as_u16()
}

#[tokio::test]
async fn each_role_gets_of_each_route_what_is_its_own() {
    let (world, places) = world().await;
    let routes = documented(&world).await;
    assert_eq!(routes.len(), 18, "{routes:?}");
    for (method, route) in routes {
        let path = filled(&route, &places);
        let body = body(&route, &places);
        let is_public = PUBLIC.contains(&route.as_str());
        for key in [None, Some("nobody")] {
            let seen = status(&world, key, &method, &path, &body).await;
            assert_eq!(seen == 401, !is_public, "{method} {route} {key:?}: {seen}");
        }
        let is_search = route.ends_with("/search");
        let is_of_customers = route.starts_with("/v1/customers");
        // The list of departments and the counts are everybody's, and a search shows others a mask.
        let is_of_department = route.contains("{id}") && !is_search;
        for key in [
            "advisor", "lead", "machine", "kamppi", "stranger", "front", "admin",
        ] {
            let seen = status(&world, Some(key), &method, &path, &body).await;
            let is_theirs = match key {
                "advisor" | "lead" | "admin" => true,
                "machine" => !is_of_customers,
                // Its unit has no such case, and so not the customer; the inbox is its own part.
                "kamppi" => route.starts_with("/v1/departments") || !is_of_department,
                // Whom it searched for it may read: that is the search before, in the order of the document.
                "front" => is_of_customers || !is_of_department,
                "stranger" => !is_of_department,
                other => unreachable!("there is no `{other}`"),
            };
            let is_theirs = is_theirs && !(key == "machine" && is_of_customers);
            let is_theirs = is_identitys(key, &route).unwrap_or(is_theirs);
            if key == "front" && is_of_customers && !is_search {
                let searched =
                    status(&world, Some(key), "POST", "/v1/customers/search", &body).await;
                assert!(searched == 200 || searched == 422);
            }
            if is_theirs {
                assert!(seen == 200 || seen == 202, "{key} {method} {route}: {seen}");
            } else {
                assert_eq!(seen, 403, "{key} {method} {route}");
            }
        }
    }
}

#[tokio::test]
async fn nothing_of_a_strangers_command_reaches_the_log() {
    let (world, places) = world().await;
    let path = format!("/v1/cases/{}/commands", places.case);
    for key in ["stranger", "front", "kamppi"] {
        let seen = status(&world, Some(key), "POST", &path, &body(&path, &places)).await;
        assert_eq!(seen, 403, "{key}");
    }
    assert!(world.records(&event::Topic::CaseInput).is_empty());
}

/// The routes of the desk, as `desk::routes` lists them: path, and whether forms are sent to it.
fn of_desk() -> BTreeSet<(String, bool)> {
    let source = include_str!("../desk/mod.rs");
    let routes = source.split(".route(").skip(1).map(|route| {
        let path = route.split('"').nth(1).unwrap().to_owned();
        let handlers = route.split('\n').take_while(|line| !line.starts_with(')'));
        let text: String = handlers.take(4).collect();
        (path, text.contains("post("))
    });
    routes.collect()
}

/// What anybody may ask for or send: the way in, its files, and how pages look.
const OPEN: [&str; 5] = [
    "/",
    "/sign-in",
    "/sign-out",
    "/preferences",
    "/static/{file}",
];

#[tokio::test]
async fn nobody_gets_to_the_desk_but_by_the_sign_in_and_no_form_is_taken_without_its_token() {
    let (world, places) = world().await;
    let routes = of_desk();
    assert!(routes.len() >= 15, "{routes:?}");
    for (route, takes_forms) in routes {
        if OPEN.contains(&route.as_str()) {
            continue;
        }
        let id = match route.split('/').nth(1) {
            Some("cases") => places.case.to_string(),
            Some("record") => format!("e_{}", "0".repeat(32)),
            _ => places.customer.to_string(),
        };
        let path = route
            .replace("{id}", &id)
            .replace("{department}", "delivery")
            .replace("{from}", "delivery")
            .replace("{to}", "billing");
        let is_only_form = route.ends_with("/commands");
        let mut nobody = Browser::new(&world);
        if !is_only_form {
            let page = nobody.get(&path).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{route}");
            assert!(page.location().starts_with("/sign-in?to="), "{route}");
        }
        if takes_forms {
            let page = nobody.send_form(&path, &[("identifier", "x")]).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{route}");
            let mut advisor = Browser::of(&world, "advisor").await;
            for token in ["", "00000000000000000000000000000000"] {
                let fields = [("csrf", token), ("identifier", "x"), ("reason", "x")];
                let page = advisor.send_form(&path, &fields).await;
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{route}");
            }
        }
    }
    assert!(world.accesses().is_empty());
    assert!(world.records(&event::Topic::CaseInput).is_empty());
}
