//! The API over a quiet log in memory: records are written as machines write them, and read over HTTP.

mod commands;
mod counts;
mod customers;
mod document;
mod live;
mod permission;
mod trouble;
mod world;
