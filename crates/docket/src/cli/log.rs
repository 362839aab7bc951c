//! What is asked of the log itself, and of its events for other systems.

use std::path::PathBuf;

use clap::Subcommand;

use crate::log::rebuild::SERVICES;

#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Make the log of --postgres, or bring it to this program's form: once, before the processes start.
    Migrate,
    /// Copy a log and its keys as they are; effects are held for the copy.
    Copy {
        /// A data directory, or a file whose one line is the address of a PostgreSQL database.
        #[arg(long)]
        from: PathBuf,
        /// The same; nothing may lie there yet.
        #[arg(long)]
        to: PathBuf,
    },
    /// Fold services from nothing and keep their snapshots: those of a new version before it starts, for one.
    Rebuild {
        /// Which; all of them if not given.
        #[arg(value_parser = SERVICES)]
        service: Option<String>,
        /// Keep nothing, but compare with the snapshots kept. Exits 1 if one is not what the log says.
        #[arg(long)]
        check: bool,
    },
    /// Prove order, versions and the hash chain.
    Verify,
    /// Say that the log was restored from a backup: positions seen before mean nothing any more, effects are held.
    Restored,
    /// Let effects be carried out for the log as it is: people are mailed, webhooks called.
    Release,
    /// Print the last events.
    Tail {
        /// How many.
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: i64,
    },
    /// Count events by kind.
    Stat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Events {
    /// Print the accounts of the broker's configuration from the file that names the outsiders.
    Accounts {
        /// Such as `deploy/events/outsiders.yaml`.
        file: PathBuf,
    },
    /// Print the outsiders' stream as an `AsyncAPI` document.
    Asyncapi,
    /// Print the form of every public event as JSON Schema.
    Schemas,
    /// Print the page with every public event.
    Doc {
        /// The directory of the golden events.
        #[arg(long, default_value = "tests/golden/events")]
        examples: PathBuf,
    },
}
