//! The roles: which parts of Polku a process holds.

mod alert;
mod dev;
mod ingest;
mod place;
mod serve;
mod unify;

pub use self::{
    alert::run as alert, dev::run as dev, ingest::run as ingest, place::Place, serve::run as serve,
    unify::run as unify,
};
