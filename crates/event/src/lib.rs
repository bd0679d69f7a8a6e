#![doc = include_str!("../README.md")]

pub mod access;
pub mod assignment;
pub mod case;
pub mod case_input;
pub mod command_outcome;
pub mod config;
pub mod event;
pub mod id;
pub mod link;
pub mod name;
pub mod notice;
pub mod record;
pub mod reject;
pub mod rules;
pub mod sent;
pub mod time;
pub mod timeline;
pub mod timeline_input;
pub mod topic;
pub mod value;

pub use self::{
    event::{Channel, Event, Kind, Perspective, Score, Standing},
    id::{CaseId, CommandId, DecisionId, EventId, MatterId, NoticeId, ProfileId, Token},
    name::{DepartmentId, Name, SourceId},
    record::Record,
    rules::Company,
    time::{Millis, Time, Version},
    topic::{Partition, Topic},
    value::{Class, Value},
};
