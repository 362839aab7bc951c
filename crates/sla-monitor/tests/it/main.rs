//! Tests of sla-monitor: its clocks against answers of others, its decisions in given/when/then, and as a service.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod attention;
mod course;
mod documents;
mod due;
mod field;
mod property;
mod working_days;
mod world;
