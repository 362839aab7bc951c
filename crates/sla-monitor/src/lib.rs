//! sla-monitor: clocks, deadlines and the promise that no ticket is dropped.
//!
//! A clock is a pure function of its ticket's facts (`clock.rs`); everything recorded of it follows from comparing that
//! with the record (`drift.rs`).

mod attention;
pub mod check;
pub mod clock;
pub mod command;
pub mod documents;
mod drift;
pub mod grpc;
pub mod policy;
mod react;
mod record;
mod staff;
pub mod state;
pub mod view;

pub use command::{Command, Refusal, SlaMonitor};
pub use grpc::{ACCESS, REASONS, service};
pub use state::State;
