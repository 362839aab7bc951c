//! What may be typed about the effect of reminders.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Reminders {
    /// Say how many were acted on, and why the others were not, by rule, medium and hour.
    Effect {
        #[command(flatten)]
        period: Period,
    },
    /// Estimate what share would be acted on under a policy from the choices on record, beside the hold-out's.
    Evaluate {
        /// Reminder rules to evaluate; those in force at the log's end if not given.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        #[command(flatten)]
        period: Period,
    },
    /// Run other reminder rules over a period of the log: messages spared and added, tickets that would be at risk.
    Replay {
        /// The reminder rules, all of them.
        #[arg(long, value_name = "FILE")]
        policy: PathBuf,
        #[command(flatten)]
        period: Period,
    },
}

/// A period of the log; all of it if nothing is said.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Period {
    /// From this instant on, such as 2026-03-01T00:00:00Z.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    from: Option<i64>,
    /// To this instant, exclusive.
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    to: Option<i64>,
}

impl Period {
    /// Both ends, microseconds.
    pub(crate) fn ends(self) -> (i64, i64) {
        (self.from.unwrap_or(i64::MIN), self.to.unwrap_or(i64::MAX))
    }

    /// Both ends, as far as they were given.
    pub(crate) fn given(self) -> (Option<i64>, Option<i64>) {
        (self.from, self.to)
    }
}

fn instant(text: &str) -> Result<i64, String> {
    let at = text.parse::<jiff::Timestamp>();
    at.map(jiff::Timestamp::as_microsecond).map_err(|error| error.to_string())
}
