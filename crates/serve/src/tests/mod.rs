//! The API over a quiet log in memory: records are written as machines write them, and read over HTTP.

mod commands;
mod counts;
mod customers;
mod decider;
mod desk_case;
mod desk_command;
mod desk_customer;
mod desk_hand_offs;
mod desk_identity;
mod desk_inbox;
mod desk_path;
mod desk_promises;
mod desk_record;
mod desk_sign_in;
mod document;
mod identity;
mod live;
mod matrix;
pub(crate) mod pages;
mod permission;
mod silos;
pub(crate) mod sse;
mod timeline;
mod trouble;
mod world;
