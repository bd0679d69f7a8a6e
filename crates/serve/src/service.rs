//! Starts the read model and gives the routes over it.

use std::{io, sync::Arc, thread};

use ::service::{
    clock::Clock,
    health::{Condition, Health},
    shutdown::Shutdown,
};
use event::{Millis, Name, Topic};
use identifier::Pepper;
use prometheus::Registry;
use stream::log::SharedLog;
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    Config, Doors,
    access::Grants,
    api::{Api, Parties, rate::Rates},
    canary::{self, Canary},
    credential::{self, Credentials},
    desk::Sessions,
    metrics::{Metrics, silos::Silos},
    model::{self, Model, follow::Follower},
};

/// What `serve` needs of the process.
pub struct Parts {
    pub log: SharedLog,
    /// P of the deployment.
    pub partitions: u32,
    pub config: Config,
    /// `[credentials]` of the configuration.
    pub credentials: std::collections::BTreeMap<Name, credential::Config>,
    pub doors: Doors,
    /// Takes in what people record: the door of source `desk`.
    pub desk: ingest::Door,
    pub pepper: Pepper,
    pub registry: Registry,
    pub health: Health,
    pub shutdown: Shutdown,
    /// When commands are given and pages are read.
    pub clock: Clock,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("in the credentials")]
    Credentials(#[from] credential::Error),
    #[error("registering the metrics of serve")]
    Metrics(#[from] prometheus::Error),
    #[error("starting the thread of the read model")]
    Thread(#[source] io::Error),
}

/// The running read model and its API.
pub struct Service {
    pub(crate) api: Api,
    health: Health,
    pub(crate) follower: thread::JoinHandle<()>,
}

/// Starts to follow the log. The routes answer at once, from what was read so far; `ready` says when that is all.
///
/// # Errors
/// When the configuration or the process does not allow it; the log is not touched.
pub fn start(parts: Parts) -> Result<Service, Error> {
    let credentials = Credentials::new(&parts.credentials)?;
    let metrics = Metrics::new(&parts.registry)?;
    let model = Arc::new(Model::new(parts.config.notices_kept_max));
    Silos::register(
        &parts.registry,
        Arc::clone(&model),
        parts.health.clone(),
        Arc::clone(&parts.clock),
    )?;
    // Said before the thread runs, so that the process is not ready by not knowing of this part yet.
    parts.health.set(
        PART,
        Condition::Starting {
            what: "reading the log from its start".to_owned(),
        },
    );
    let follower = Follower::new(
        Arc::clone(&parts.log),
        Arc::clone(&model),
        metrics.clone(),
        parts.health.clone(),
        parts.shutdown.clone(),
    );
    let follower = thread::Builder::new()
        .name("serve-follow".to_owned())
        .spawn(move || follower.run())
        .map_err(Error::Thread)?;
    let by_tls = parts.config.public_url.as_deref();
    let by_tls = by_tls.is_some_and(|url| url.starts_with("https://"));
    let length = Millis::from_hours(parts.config.session_hours.into());
    let api = Api::new(Parties {
        sessions: Sessions::new(parts.pepper.clone(), length, by_tls),
        model,
        log: parts.log,
        partitions: parts.partitions,
        credentials,
        grants: Grants::default(),
        rates: Rates::new(parts.config.requests_per_second),
        doors: parts.doors,
        desk: parts.desk,
        pepper: parts.pepper,
        streams: Arc::new(Semaphore::new(parts.config.streams_max)),
        config: parts.config,
        metrics,
        shutdown: parts.shutdown,
        clock: parts.clock,
    });
    Ok(Service {
        api,
        health: parts.health,
        follower,
    })
}

impl Service {
    /// The routes with their descriptions, to be merged with those of other parts and given to `documented`.
    pub fn routes(&self) -> OpenApiRouter {
        self.api.clone().routes()
    }

    /// A canary that flies until the process stops; whoever runs the process spawns it. `key` is that of its source, and
    /// `own_url` where the doors answer if the configuration does not say it.
    ///
    /// # Errors
    /// When its metrics or its client cannot be made.
    pub fn canary(
        &self,
        config: canary::Config,
        key: String,
        own_url: &str,
        registry: &Registry,
    ) -> Result<impl Future<Output = ()> + Send + use<>, canary::Error> {
        let canary = Canary::new(self.api.clone(), config, key, own_url, registry)?;
        Ok(canary.fly())
    }

    /// Whether the read model has reached the ends that the log had at the start.
    pub fn ready(&self) -> bool {
        self.health.parts().get(PART) == Some(&Condition::Ready)
    }

    /// A link that signs a person in to the desk, once and within an hour; `None` when there is no such person.
    pub fn sign_in_link(&self, credential: &Name) -> Option<String> {
        let api = &self.api;
        let code = api.sessions.code(&api.credentials, credential, api.now())?;
        let url = api.config.public_url.as_deref().unwrap_or_default();
        Some(format!("{}/sign-in?once={code}", url.trim_end_matches('/')))
    }

    /// How many records of the topics it `follows` the pages show.
    pub fn records_applied(&self) -> u64 {
        *self.api.model.applied().borrow()
    }

    /// Whether the pages are made of this topic, among others.
    pub fn follows(topic: &Topic) -> bool {
        model::is_followed(topic)
    }

    /// Waits for the thread of the read model, which ends when the process stops.
    pub fn join(self) {
        if self.follower.join().is_err() {
            tracing::error!("the thread of the read model panicked");
        }
    }
}

/// The part of the process's health.
pub(crate) const PART: &str = "serve";
