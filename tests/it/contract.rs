//! What outsiders and old logs rely on: the stored form of events and logs, the reasons of refusals, who may call what,
//! where personal data is.

mod access;
mod events;
mod examples;
mod log;
mod personal;
mod reasons;
