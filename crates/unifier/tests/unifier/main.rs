//! Tables, properties against slow batch programs, and the machines together over simulated pipes.

mod identify;
mod oracle;
mod pipes;
mod queue;
mod resolve;
mod sample;
mod timeline;
