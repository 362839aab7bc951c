//! The chassis as a client meets it: a real server on a free port, and a service that misbehaves on request.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what a test did not foresee fails the test")]

mod admin;
mod codes;
mod drain;
mod probe;
mod tokens;
