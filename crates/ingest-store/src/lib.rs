#![doc = include_str!("../README.md")]

pub mod folder;
mod panel;
mod payload;
mod till;

use ingest::format::Format;

pub use self::{folder::Folder, panel::Panel, till::Till};

/// The formats of this channel, by the names that the configuration knows them by.
pub fn formats() -> Vec<Box<dyn Format>> {
    vec![Box::new(Till), Box::new(Panel)]
}

#[cfg(test)]
mod tests;
