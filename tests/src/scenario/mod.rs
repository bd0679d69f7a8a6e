//! Scenario scripts: what happens, line by line, and what people then see. A script under `tests/scenarios` and the golden file
//! beside it can be read by whoever answers the phone.
//!
//! ```text
//! 2026-03-02 09:31 web-shop: complaint delivery.late
//!     email aino@example.fi, order A-77
//!     "Missä pakettini on?"
//! 2026-03-02 10:00 desk delivery: acknowledge case of order A-77
//! 2026-03-02 10:05 desk aino: claim case of order A-77
//! 2026-03-02 10:10 desk auditor: decide apart email aino@example.fi from phone 040 111
//!     "Two sisters share the phone"
//! 2026-03-03 18:00 time passes
//! show timeline of email aino@example.fi
//! ```
//!
//! Times are Helsinki's. A script in which time has to pass runs on the virtual clock only; every other one also runs on the
//! separate processes over Kafka, and both show the same.

mod play;
mod script;
mod show;

pub use self::{
    play::{Answer, Stage, play, play_towards},
    script::{Script, ScriptError},
};
