//! Tests of sla-monitor: its clocks against answers of others, its decisions in given/when/then, and as a service.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod api_calls;
mod api_whatif;
mod attention;
mod calls;
mod course;
mod documents;
mod due;
mod field;
mod jumps;
mod memory;
mod nminus;
mod page;
mod property;
mod rounds;
mod whatif;
mod working_days;
mod world;
