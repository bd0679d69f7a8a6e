//! The roles: which parts of Polku a process holds.

mod alert;
mod dev;
mod ingest;
mod notify;
mod place;
mod serve;
mod unify;

pub use self::{
    alert::run as alert, dev::run as dev, ingest::run as ingest, notify::run as notify,
    place::Place, serve::run as serve, unify::run as unify,
};
