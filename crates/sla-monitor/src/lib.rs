//! sla-monitor: clocks, deadlines and the promise that no ticket is dropped.
//!
//! A clock is a pure function of its ticket's facts (`clock.rs`); everything recorded of it follows from comparing that
//! with the record (`drift.rs`).

mod as_json;
mod attention;
pub mod backlog;
pub mod check;
pub mod clock;
pub mod command;
pub mod documents;
mod drift;
pub mod escalation;
pub mod figures;
pub mod grpc;
mod in_force;
mod lens;
pub mod major;
mod moment;
pub mod nminus;
pub mod policy;
mod react;
mod record;
mod rerun;
pub mod rota;
pub mod scene;
pub mod shadow;
mod staff;
pub mod state;
pub mod target;
mod tickets;
pub mod view;
pub mod whatif;
pub mod wheel;
pub mod when;

pub use command::{Command, Refusal, SlaMonitor};
pub use grpc::{ACCESS, REASONS, service};
pub use state::State;
