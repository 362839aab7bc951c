//! Tests of notifier: its decisions in given/when/then, its API, and letters that really leave over SMTP and HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod api;
mod channels;
mod cluster;
mod digested;
mod digests;
mod documents;
mod effects;
mod estimates;
mod insist;
mod lately;
mod learning;
mod links;
mod moments;
mod outside;
mod peer;
mod phone;
mod property;
mod recalls;
mod replays;
mod rules;
mod sending;
mod servers;
mod told;
mod world;
