use std::path::{Path, PathBuf};

use crate::{config::Config, demo::Home};

/// Where a command finds its configuration and data.
#[derive(Clone, Debug, clap::Args)]
pub struct Place {
    /// The configuration; by default `polku.toml` here, else the one in the data directory.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    /// The directory of the embedded log; goes over `data` of the configuration.
    #[arg(long, global = true)]
    data: Option<PathBuf>,
}

const HERE: &str = "polku.toml";
const DATA: &str = "./data";

impl Place {
    /// The data directory as far as it is known before the configuration is read.
    pub fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| PathBuf::from(DATA))
    }

    /// The configuration's file, if there is one.
    pub fn file(&self) -> Option<PathBuf> {
        let beside_data = Home::new(&self.data()).config();
        self.config
            .clone()
            .or_else(|| Path::new(HERE).exists().then(|| PathBuf::from(HERE)))
            .or_else(|| beside_data.exists().then_some(beside_data))
    }

    /// # Errors
    /// Every fault of the configuration.
    pub fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config::read(self.file().as_deref())?;
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        Ok(config)
    }
}
