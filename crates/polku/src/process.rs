//! What every role of the binary is made of: the log, the pepper, the loops, the routes, and the listener they answer on.

use std::{path::Path, pin::Pin, sync::Arc, thread::JoinHandle, time::Duration};

use anyhow::{Context as _, bail};
use axum::Router;
use identifier::Pepper;
use machine::Machine;
use prometheus::{Registry, process_collector::ProcessCollector};
use service::{
    clock::{self, Clock},
    health::{Condition, Health},
    secret,
    shutdown::Shutdown,
};
use stream::{
    embedded::{self, Embedded},
    kafka::Kafka,
    log::SharedLog,
    run::{self, Binding, Runner},
};
use utoipa_axum::router::OpenApiRouter;

use crate::{
    beat::{self, Loop},
    company,
    config::{Config, LogKind},
    demo,
    exit::Invalid,
    formats, registry, tick,
};

/// A process while it is put together: roles add their loops and routes, then it runs until it is told to stop.
pub struct Process {
    pub config: Config,
    pub log: SharedLog,
    pub pepper: Pepper,
    registry: Registry,
    health: Health,
    shutdown: Shutdown,
    metrics: stream::metrics::Metrics,
    /// Those of the doors, once there is one.
    doors: Option<ingest::Metrics>,
    clock: Clock,
    /// Taken in by the door, once the process runs.
    folders: Vec<(ingest_store::Folder, ingest::Door)>,
    loops: Vec<Loop>,
    /// Threads that end when the process stops.
    threads: Vec<JoinHandle<()>>,
    serve: Option<serve::Service>,
    notify: Option<notify::Service>,
    /// Flies once the process runs.
    canary: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    routes: OpenApiRouter,
}

impl Process {
    /// A role of a cluster: reads what exists, makes nothing.
    ///
    /// # Errors
    /// `Invalid` for a configuration that names the embedded log, which one process holds whole.
    pub fn role(config: Config) -> anyhow::Result<Process> {
        if config.log.kind == LogKind::Embedded {
            let fault = "`log.kind` is `embedded`, which one process holds whole: use `polku dev`, or set it to `kafka`";
            return Err(Invalid {
                path: "the configuration".to_owned(),
                faults: vec![fault.to_owned()],
            }
            .into());
        }
        let pepper = read_pepper(&config.pepper_file())?;
        let log = open_log(&config)?;
        Process::over(config, log, pepper, clock::wall())
    }

    /// All of Polku over one log; makes the pepper on the first start.
    ///
    /// # Errors
    /// `Invalid` when data exists and its pepper does not: a new one would make strangers of all customers.
    pub fn whole(config: Config) -> anyhow::Result<Process> {
        let path = config.pepper_file();
        if !path.exists()
            && config.log.kind == LogKind::Embedded
            && !config.data.join("log.redb").exists()
        {
            if let Some(directory) = path.parent() {
                demo::make_directory(directory)?;
            }
            demo::write(&path, &demo::random_hex::<32>())?;
        }
        let pepper = read_pepper(&path)?;
        let log = open_log(&config)?;
        Process::over(config, log, pepper, clock::wall())
    }

    /// A process over a log that is open already.
    ///
    /// # Errors
    /// When its metrics cannot be registered.
    pub fn over(
        config: Config,
        log: SharedLog,
        pepper: Pepper,
        clock: Clock,
    ) -> anyhow::Result<Process> {
        // Before any part makes a client of HTTP.
        service::tls::install();
        let registry = Registry::new();
        registry
            .register(Box::new(ProcessCollector::for_self()))
            .context("registering the metrics of the process")?;
        let metrics = stream::metrics::Metrics::new(&registry)
            .context("registering the metrics of the loops")?;
        Ok(Process {
            config,
            log,
            pepper,
            registry,
            health: Health::new(),
            shutdown: Shutdown::new(),
            metrics,
            doors: None,
            clock,
            folders: Vec::new(),
            loops: Vec::new(),
            threads: Vec::new(),
            serve: None,
            notify: None,
            canary: None,
            routes: OpenApiRouter::new(),
        })
    }

    /// Runs a machine on a thread of its own from now on.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn add_machine<M: Machine>(
        &mut self,
        machine: M,
        binding: Binding<M>,
    ) -> anyhow::Result<()> {
        let name = binding.machine.as_str();
        let mut options = run::Options::new(self.config.log.partitions);
        options.session = Duration::from_millis(self.config.log.session_ms.into());
        let runner = Runner::new(
            machine,
            binding,
            Arc::clone(&self.log),
            options,
            &self.metrics,
        );
        let (ready, turns) = (runner.ready(), runner.turns());
        self.health.set(name, beat::restoring());
        let thread = run::spawn(runner, self.shutdown.flag())
            .with_context(|| format!("starting the loop of {name}"))?;
        self.loops.push(Loop {
            name,
            thread,
            ready,
            turns,
        });
        Ok(())
    }

    /// Tells the decider the time from now on.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn add_ticks(&mut self) -> anyhow::Result<()> {
        let (log, clock, shutdown) = (
            Arc::clone(&self.log),
            Arc::clone(&self.clock),
            self.shutdown.clone(),
        );
        let partitions = self.config.log.partitions;
        let thread = std::thread::Builder::new()
            .name("ticks".to_owned())
            .spawn(move || tick::run(&log, partitions, &clock, &shutdown))
            .context("starting the thread that tells the time")?;
        self.threads.push(thread);
        Ok(())
    }

    /// Takes events in by the doors of the configured sources.
    ///
    /// # Errors
    /// When the company in force cannot be read.
    pub fn add_doors(&mut self) -> anyhow::Result<()> {
        let secrets = self.config.secrets()?;
        let door = self.door(self.config.sources.clone(), secrets)?;
        let follower = company::Follower::new(&self.log)?;
        let (told, shutdown) = (door.clone(), self.shutdown.clone());
        let thread = std::thread::Builder::new()
            .name("company".to_owned())
            .spawn(move || follower.run(&shutdown, |company| told.set_company(company)))
            .context("starting the thread that follows the company")?;
        self.threads.push(thread);
        self.health.set("doors", Condition::Ready);
        self.add_folders(&door)?;
        let forms = ingest_web::routes(door.clone(), self.config.limits.proxies);
        self.add_routes(forms.into());
        self.add_routes(ingest::routes(door));
        Ok(())
    }

    fn add_folders(&mut self, door: &ingest::Door) -> anyhow::Result<()> {
        let metrics = ingest_store::folder::Metrics::new(&self.registry)
            .context("registering the metrics of the folders")?;
        for (id, source) in &self.config.sources {
            if source.folder.is_some() {
                let folder = ingest_store::Folder::open(id.clone(), source, metrics.clone())?;
                self.folders.push((folder, door.clone()));
            }
        }
        Ok(())
    }

    fn door(
        &mut self,
        sources: ingest::Sources,
        secrets: ingest::Secrets,
    ) -> anyhow::Result<ingest::Door> {
        let metrics = match &self.doors {
            Some(metrics) => metrics.clone(),
            None => ingest::Metrics::new(&self.registry)
                .context("registering the metrics of the doors")?,
        };
        self.doors = Some(metrics.clone());
        Ok(ingest::Door::new(ingest::Options {
            sources,
            formats: formats::all(),
            secrets,
            public_url: self.config.serve.public_url.clone(),
            pepper: self.pepper.clone(),
            region: self.config.identity.region,
            spaces: self.config.spaces(),
            company: company::in_force(self.log.as_ref())?,
            log: Arc::clone(&self.log),
            partitions: self.config.log.partitions,
            metrics,
            limits: ingest::Limits {
                events_per_second: self.config.limits.events_per_second,
                ..ingest::Limits::default()
            },
            clock: Arc::clone(&self.clock),
        }))
    }

    /// Answers questions from what the log says, and takes in what people record at the desk.
    ///
    /// # Errors
    /// When the credentials contradict each other.
    pub fn add_serve(&mut self) -> anyhow::Result<()> {
        let mut config = self.config.serve.clone();
        if config.public_url.is_none() {
            config.public_url = Some(format!("http://{}", self.config.listen));
        }
        config.counts_public |= self.config.listen.ip().is_loopback();
        let mut desk = self.config.sources.clone();
        desk.retain(|id, _| id.as_str() == ingest::config::DESK);
        let door = self.door(desk, ingest::Secrets::default())?;
        let serve = serve::start(serve::Parts {
            log: Arc::clone(&self.log),
            partitions: self.config.log.partitions,
            config,
            credentials: self.config.credentials.clone(),
            doors: serve::Doors {
                spaces: self.config.spaces(),
                regions: self.config.regions(),
            },
            desk: door,
            pepper: self.pepper.clone(),
            registry: self.registry.clone(),
            health: self.health.clone(),
            shutdown: self.shutdown.clone(),
            clock: Arc::clone(&self.clock),
        })?;
        self.add_routes(serve.routes());
        if let Some(config) = self.config.canary.clone() {
            let invalid = |fault| Invalid {
                path: "the configuration".to_owned(),
                faults: vec![format!("`canary.key_file`: {fault}")],
            };
            let key = service::secret::read_text(&config.key_file)
                .map_err(|error| invalid(format!("{} {error}", config.key_file.display())))?;
            let key = key.trim().to_owned();
            let own_url = format!("http://{}", self.config.listen);
            let canary = serve.canary(config, key, &own_url, &self.registry)?;
            self.canary = Some(Box::pin(canary));
        }
        self.serve = Some(serve);
        Ok(())
    }

    /// Tells departments by webhook.
    ///
    /// # Errors
    /// `Invalid` when a secret cannot be read, or nobody says where the desk is that links lead to.
    pub fn add_notify(&mut self) -> anyhow::Result<()> {
        let invalid = |fault: String| Invalid {
            path: "the configuration".to_owned(),
            faults: vec![fault],
        };
        let public_url = match (&self.config.serve.public_url, &self.serve) {
            (Some(url), _) => url.clone(),
            (None, Some(_)) => format!("http://{}", self.config.listen),
            (None, None) if self.config.subscriptions.is_empty() => String::new(),
            (None, None) => {
                let fault = "`serve.public_url` is not set; name the address of the desk, which links in webhooks lead to";
                return Err(invalid(fault.to_owned()).into());
            }
        };
        let service = notify::start(notify::Parts {
            log: Arc::clone(&self.log),
            partitions: self.config.log.partitions,
            subscriptions: self.config.subscriptions.clone(),
            public_url,
            registry: self.registry.clone(),
            health: self.health.clone(),
            shutdown: self.shutdown.clone(),
            clock: Arc::clone(&self.clock),
        });
        self.notify = Some(service.map_err(|error| {
            if error.is_configuration() {
                invalid(format!("{:#}", anyhow::Error::from(error))).into()
            } else {
                anyhow::Error::from(error)
            }
        })?);
        Ok(())
    }

    fn add_routes(&mut self, routes: OpenApiRouter) {
        self.routes = std::mem::take(&mut self.routes).merge(routes);
    }

    /// Everything the roles added answer, and what every process answers.
    pub fn router(&mut self) -> Router {
        let own = service::http::routes(self.registry.clone(), self.health.clone());
        self.add_routes(own.into());
        serve::documented(std::mem::take(&mut self.routes))
    }

    /// The read model, where the process has one.
    pub fn read_model(&self) -> Option<&serve::Service> {
        self.serve.as_ref()
    }

    /// Listens, and runs until a signal or the end of a loop.
    ///
    /// # Errors
    /// When the port is taken, or why a loop ended.
    pub fn run(mut self) -> anyhow::Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("starting the runtime")?;
        let routes = self.router();
        let answered = runtime.block_on(async {
            self.shutdown
                .on_signals()
                .context("listening for signals")?;
            let listener = service::http::listen(self.config.listen).await?;
            tracing::info!(listen = %self.config.listen, "answering");
            for (folder, door) in self.folders {
                let shutdown = self.shutdown.clone();
                tokio::spawn(folder.watch(door, async move { shutdown.stopping().await }));
            }
            if let Some(canary) = self.canary {
                tokio::spawn(canary);
            }
            let watched = beat::watch(&self.loops, &self.health, &self.shutdown);
            let served = async {
                service::http::serve(listener, routes, self.shutdown.clone()).await;
                self.shutdown.stop();
            };
            tokio::join!(served, watched);
            Ok(())
        });
        self.shutdown.stop();
        let mut ended = answered;
        for one in self.loops {
            let result = match one.thread.join() {
                Ok(result) => result
                    .map(drop)
                    .with_context(|| format!("the loop of {}", one.name)),
                Err(_) => Err(anyhow::anyhow!("the loop of {} panicked", one.name)),
            };
            // The first failure is the one to tell; the others are its consequences.
            ended = ended.and(result);
        }
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the process panicked");
            }
        }
        if let Some(serve) = self.serve {
            serve.join();
        }
        if let Some(notify) = self.notify {
            notify.join();
        }
        ended
    }
}

/// The log that the configuration names. Records bear the ids of the schema registry from here on, where there is one.
///
/// # Errors
/// When log or registry cannot be reached, or another process holds the log.
pub fn open_log(config: &Config) -> anyhow::Result<SharedLog> {
    if let Some(registry) = &config.schema_registry {
        registry::agree(registry)?;
    }
    match (config.log.kind, &config.kafka) {
        (LogKind::Embedded, _) => Ok(Embedded::open(&config.data, embedded::Options::default())?),
        (LogKind::Kafka, Some(kafka)) => Ok(Kafka::connect(kafka.clone())?),
        (LogKind::Kafka, None) => bail!("`log.kind` is `kafka` and there is no table `kafka`"),
    }
}

/// The secret behind all tokens.
///
/// # Errors
/// `Invalid` when it is missing or no pepper.
pub fn read_pepper(path: &Path) -> anyhow::Result<Pepper> {
    let invalid = |fault: String| Invalid {
        path: path.display().to_string(),
        faults: vec![fault],
    };
    let text = service::secret::read_text(path).map_err(|error| {
        invalid(match error {
            secret::Error::Read(error) => format!(
                "the pepper cannot be read ({error}); every token is made with it, so restore it from its backup: a new one would \
                 make strangers of all customers"
            ),
            secret::Error::Open { .. } | secret::Error::Empty | secret::Error::NoText => {
                format!("the pepper {error}")
            }
        })
    })?;
    Pepper::from_hex(text.trim()).map_err(|error| invalid(error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    /// The configuration of the example: everything lies in a directory that is not there yet.
    #[test]
    fn a_first_start_makes_the_directories_it_names() {
        for pepper in ["data/pepper", "secrets/of/polku/pepper"] {
            let directory = tempfile::tempdir().unwrap();
            let pepper = directory.path().join(pepper);
            let mut config = Config::read(None).unwrap();
            config.data = directory.path().join("data");
            config.privacy.pepper_file = Some(pepper.clone());
            Process::whole(config.clone()).unwrap();
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&pepper), 0o600);
            assert_eq!(mode(pepper.parent().unwrap()), 0o700);
            let text = fs::read_to_string(&pepper).unwrap();
            Process::whole(config.clone()).unwrap();
            assert_eq!(fs::read_to_string(&pepper).unwrap(), text, "it is kept");

            fs::set_permissions(&pepper, fs::Permissions::from_mode(0o644)).unwrap();
            let open = Process::whole(config.clone()).err().unwrap().to_string();
            assert!(open.contains("the pepper is open to everybody"), "{open}");
            fs::remove_file(&pepper).unwrap();
            let gone = Process::whole(config).err().unwrap().to_string();
            assert!(gone.contains("restore it from its backup"), "{gone}");
        }
    }
}
