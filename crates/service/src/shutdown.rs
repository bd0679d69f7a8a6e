//! SIGINT and SIGTERM end a process cleanly; a second one ends it at once.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Told to every part of the process; cheap to clone.
#[derive(Clone, Debug)]
pub struct Shutdown {
    flag: Arc<AtomicBool>,
    told: watch::Sender<bool>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self {
            flag: Arc::new(AtomicBool::new(false)),
            told: watch::Sender::new(false),
        }
    }
}

impl Shutdown {
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every part to finish what it has begun and stop.
    pub fn stop(&self) {
        self.flag.store(true, Ordering::Release);
        self.told.send_replace(true);
    }

    pub fn is_stopping(&self) -> bool {
        self.flag.load(Ordering::Acquire)
    }

    /// The same answer for threads that do not know this crate.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.flag)
    }

    /// Resolves once the process is stopping.
    pub async fn stopping(&self) {
        let mut told = self.told.subscribe();
        // The sender lives as long as `self`, so the wait ends only by the value.
        let _ended = told.wait_for(|stopping| *stopping).await.is_ok();
    }

    /// Stops on SIGINT or SIGTERM; a second signal ends the process with 130.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn on_signals(&self) -> io::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            tracing::info!("stopping");
            shutdown.stop();
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            std::process::exit(130);
        });
        Ok(())
    }
}
