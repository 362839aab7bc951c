//! Tests of notifier: its decisions in given/when/then, its API, and letters that really leave over SMTP and HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod api;
mod cluster;
mod documents;
mod outside;
mod property;
mod recalls;
mod rules;
mod sending;
mod servers;
mod told;
mod world;
