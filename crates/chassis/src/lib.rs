//! How any service starts, is configured, observed, secured and drained.
//!
//! A service brings its gRPC routes and its table of roles; [`serve::Server`] brings everything else. A call passes, from
//! the wire inwards: its measure and its bound, deadline and mended codes, the roles ([`access`]), the service.

pub mod access;
pub mod admin;
mod answer;
mod call;
pub mod caller;
mod deadline;
pub mod endpoints;
pub mod health;
pub mod lifecycle;
pub mod logs;
mod mend;
pub mod page;
pub mod refuse;
pub mod serve;
pub mod telemetry;
pub mod token;
pub mod wire;
