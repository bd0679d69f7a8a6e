//! Who is who, over HTTP.

mod decision;
mod explanation;
mod review;
mod right;

use axum::http::StatusCode;
use event::{Event, ProfileId, Record, Topic, link::Link};
use serde_json::Value as Json;

use super::{
    decider::{Decider, value},
    world::{TILL, Told, WEB, World, profile},
};
use crate::Config;

/// Aino's card and phone at the till, her phone and e-mail on the web; Bea by her number alone, and a call from Aino's phone that
/// names Bea's number.
struct Story {
    world: World,
    decider: Decider,
    bought: Event,
    wrote: Event,
    bea: Event,
}

impl Story {
    async fn new() -> Story {
        Story::with(Config::default()).await
    }

    async fn with(config: Config) -> Story {
        let world = World::with(config).await;
        let mut decider = Decider::default();
        let bought = world.event(Told {
            id: "1",
            identifiers: &[("customer_number", "100234"), ("phone", "040 705 5810")],
            references: &[("order", "A-77")],
            ..TILL
        });
        let wrote = world.event(Told {
            id: "2",
            at: 10,
            identifiers: &[("phone", "040 705 5810"), ("email", "aino@example.fi")],
            ..WEB
        });
        let bea = world.event(Told {
            id: "3",
            at: 20,
            identifiers: &[("customer_number", "100777"), ("email", "bea@example.fi")],
            ..TILL
        });
        let events = [bought.clone(), wrote.clone(), bea.clone()];
        decider.tell(&world, &events).await;
        Story {
            world,
            decider,
            bought,
            wrote,
            bea,
        }
    }

    fn aino(&self) -> ProfileId {
        profile(value(&self.bought, "customer_number"))
    }

    fn bea(&self) -> ProfileId {
        profile(value(&self.bea, "customer_number"))
    }

    async fn events_of(&self, customer: ProfileId) -> usize {
        let path = format!("/v1/customers/{customer}/timeline");
        let (_, page) = self.world.follow("admin", &path).await;
        page["entries"].as_array().map_or(0, Vec::len)
    }

    async fn decide(&mut self, path: &str, body: Json) -> (StatusCode, Json) {
        self.decide_as("admin", path, body).await
    }

    async fn decide_as(&mut self, key: &str, path: &str, body: Json) -> (StatusCode, Json) {
        let answer = self.world.post(key, path, body).await;
        // The answer has waited for the model to have the record; the assignments follow.
        self.world.note_written(self.decisions());
        self.decider.follow(&self.world).await;
        answer
    }

    fn decisions(&self) -> usize {
        let links = self.world.records(&Topic::IdentityLink).into_iter();
        links
            .filter(|record| matches!(record, Record::Link(Link::Decision(_))))
            .count()
    }
}
