//! Every route with every role: generated from the OpenAPI document and from the desk's own list of routes, so that none is
//! forgotten.

use std::collections::BTreeSet;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use event::{CaseId, ProfileId, Record};
use serde_json::{Value as Json, json};

use super::{
    pages::Browser,
    world::{TILL, Told, World, assigned, case, case_id, profile, stands},
};
use crate::Config;

/// What answers without a key; the counts only where the configuration says so.
const PUBLIC: [&str; 0] = [];

/// What is asked of, in place of the variables of a path.
struct Places {
    case: CaseId,
    customer: ProfileId,
}

/// Aino's case is delivery's.
async fn world() -> (World, Places) {
    let config = Config {
        command_wait_ms_max: 50,
        ..Config::default()
    };
    let world = World::with(config).await;
    let aino = world.event(Told {
        identifiers: &[("email", "aino@example.fi")],
        ..TILL
    });
    let value = aino.values[0].clone();
    let places = Places {
        case: case_id("delivery"),
        customer: profile(&value),
    };
    let case = stands(case(places.case, &[places.customer]));
    world
        .write([
            Record::Event(aino),
            assigned(&value, places.customer, 1),
            case,
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
    } else {
        places.customer.to_string()
    };
    let command = format!("k_{}", "0".repeat(32));
    path.replace("{id}", &id).replace("{command}", &command)
}

fn body(path: &str) -> Json {
    if path.ends_with("/commands") {
        json!({ "command": "acknowledge" })
    } else {
        json!({ "identifier": "email:aino@example.fi", "reason": "she calls" })
    }
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
    assert_eq!(routes.len(), 10, "{routes:?}");
    for (method, route) in routes {
        let path = filled(&route, &places);
        let body = body(&route);
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
        let seen = status(&world, Some(key), "POST", &path, &body(&path)).await;
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
