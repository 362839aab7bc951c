//! The log: one total order of events without gaps, on PostgreSQL, on a SQLite file or in memory, and the one loop
//! in which every service is run over it.

pub mod append;
mod ask;
mod batch;
pub mod bus;
pub mod chain;
pub mod clock;
mod columns;
pub mod configured;
pub mod copy;
mod fold;
mod follow;
mod gather;
pub mod keys;
pub mod lease;
mod life;
pub mod log;
pub mod memory;
pub mod outside;
pub mod position;
pub mod postgres;
pub mod rebuild;
pub mod release;
pub mod scan;
pub mod seal;
pub mod service;
pub mod snapshot;
pub mod sqlite;
pub mod store;
mod together;
pub mod verify;
pub mod watch;
mod writer;

pub use append::{Append, Committed, NewEvent, Rejected};
pub use clock::Clock;
pub use keys::Keys;
pub use log::{Log, NOT_COMPARED};
pub use memory::Memory;
pub use postgres::Postgres;
pub use service::Service;
pub use sqlite::Sqlite;
pub use store::{Head, Row, Store, StoreError};
