//! The door as its senders see it: HTTP in, records of the log out.

// `cfg(test)` tells clippy that here panics are how a test speaks, in helpers too.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod bounds;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod world;
