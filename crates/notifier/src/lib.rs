//! notifier: people are told what they must know, and it is proved that they were.
//!
//! Rules (`rule.rs`) turn events into reminders: whom (`audience.rs`), by which media, when (`defer.rs`), in which words
//! (`text.rs`). What happens next takes them back (`topic.rs`). Attempts are decided like everything else; the one place
//! that touches the world is `sender.rs`.

pub mod alone;
mod answer;
mod attempt;
mod audience;
pub mod command;
mod defer;
mod digest;
pub mod document;
pub mod effect;
mod facts;
mod file;
pub mod group;
pub mod grpc;
mod known;
mod lately;
pub mod learn;
pub mod link;
mod linked;
pub mod outbox;
pub mod person;
mod plan;
mod react;
pub mod refusal;
mod reminder;
pub mod replay;
pub mod retry;
pub mod rule;
pub mod sender;
pub mod state;
mod subject;
pub mod text;
pub mod topic;
mod tries;
pub mod view;

pub use command::{Command, Notifier};
pub use grpc::{ACCESS, REASONS, service};
pub use refusal::Refusal;
pub use state::State;
