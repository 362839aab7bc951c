//! Logs: JSON, a line each, filtered as configured.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogTo {
    /// A service: its output is its log.
    Stdout,
    /// A command: its output is its answer.
    Stderr,
}

/// The filter could not be parsed, or logging was started already.
pub type LogError = Box<dyn std::error::Error + Send + Sync>;

/// Starts logging for the whole process; `filter` is a list of directives such as `info,sqlx=warn`.
pub fn start(to: LogTo, filter: &str) -> Result<(), LogError> {
    let writer = match to {
        LogTo::Stdout => BoxMakeWriter::new(io::stdout),
        LogTo::Stderr => BoxMakeWriter::new(io::stderr),
    };
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(EnvFilter::try_new(filter)?)
        .with_writer(writer)
        .try_init()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_checked_and_logging_starts_once() {
        assert!(start(LogTo::Stderr, "info,=").is_err());
        assert!(start(LogTo::Stderr, "error,sqlx=warn").is_ok());
        assert!(start(LogTo::Stdout, "error").is_err());
    }
}
