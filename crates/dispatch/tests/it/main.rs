//! Tests of dispatch: its choice against an independent check, its decisions in given/when/then, and as a service.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod boards;
mod documents;
mod flow;
mod hand;
mod random;
mod repeated;
mod world;
