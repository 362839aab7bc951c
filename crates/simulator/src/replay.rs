//! Replay of a work-order log: its facts are appended at their own times, the services' own cores run over them under a
//! clock moved by hand, and every deadline between two facts fires before the second.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use analytics::{Definition, Report, Window};
use decider::Micros;
use eventlog::keys::Keys;
use eventlog::store::StoreError;
use eventlog::{Log, Memory};
use uuid::Uuid;

mod course;
mod documents;
mod due;
pub mod rows;

use course::Course;
pub(crate) use documents::Documents;
pub use rows::{Refused, Rows};

/// The secrets of a log that is replayed derive from this: it holds no personal data, and every run is the same.
const SEED: u64 = 0;

/// What to replay, and by what to measure it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The log: JSON lines, gzip or plain.
    pub file: PathBuf,
    /// The SLA policy: one of the pack's by name, or a file. The pack's own if nothing is said.
    pub policy: Option<String>,
    /// Calendars likewise: the first is the base, of each later one figures are added under `_NAME`, its document's name.
    pub calendars: Vec<String>,
    /// Activities that are a reaction, as patterns; the policy's if none are given.
    pub reactions: Vec<String>,
    /// Agents that are none; the pack's if none are given.
    pub robots: Vec<String>,
    /// A SQLite file that must not hold a log yet, to keep the events in.
    pub log: Option<PathBuf>,
}

/// What a replay came to. The same rows give the same bytes, in whatever order they lay in the file.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The log's name.
    pub log: String,
    /// The figures.
    pub report: Report,
    /// The figures as JSON.
    pub json: String,
    /// The backlog of every day as JSON.
    pub backlog_json: String,
    /// The figures of every ticket as CSV.
    pub tickets_csv: Vec<u8>,
    /// When each threshold of every ticket fired, as CSV.
    pub due_csv: Vec<u8>,
    /// Thresholds that fired.
    pub fired: usize,
    /// Events in the log at the end, the services' own included.
    pub events: u64,
    /// Rows taken in.
    pub rows: usize,
    /// Rows that repeat an earlier one word for word.
    pub duplicates: usize,
    /// Line numbers, from 1, and why each was refused.
    pub refused: Vec<(usize, Refused)>,
}

impl Outcome {
    /// How many rows were refused for which reason.
    pub fn refused_by_reason(&self) -> BTreeMap<Refused, usize> {
        let mut counts = BTreeMap::new();
        for (_, reason) in &self.refused {
            *counts.entry(*reason).or_default() += 1;
        }
        counts
    }
}

/// Why a log could not be replayed at all; a bad row is no such reason.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file could not be read.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// The policy or a calendar cannot be used.
    #[error("{}", .0.join("\n"))]
    Documents(Vec<String>),
    /// The log kept in memory or copied to a file failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An output could not be written.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// An output could not be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Something that cannot be refused was.
    #[error("{0}")]
    Unexpected(String),
}

/// Replays a log; `progress` hears of rows done and rows in all.
///
/// Runs on the calling thread alone, which must not be one that drives other tasks: from async code, call it in
/// `spawn_blocking`.
pub fn run(options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Result<Outcome, ReplayError> {
    alone(async { outcome(options, play(options, progress).await?).await })
}

/// Runs something on this thread alone.
pub(crate) fn alone<T>(what: impl Future<Output = Result<T, ReplayError>>) -> Result<T, ReplayError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| ReplayError::Unexpected(error.to_string()))?.block_on(what)
}

/// A log that was played to its end.
pub(crate) struct Played {
    pub(crate) rows: Rows,
    pub(crate) documents: Documents,
    log: Arc<Log>,
    course: Course,
}

impl Played {
    /// When each threshold of a ticket fired, by clock and share.
    pub(crate) async fn fired(&self) -> Result<BTreeMap<(Uuid, (String, u32)), Micros>, StoreError> {
        due::fired(&self.log).await
    }

    /// The id of a ticket by its name.
    pub(crate) fn ticket(&self, name: &str) -> Uuid {
        self.course.ticket(name)
    }
}

/// Plays a log under the clocks of a policy.
pub(crate) async fn play(options: &Options, progress: &mut dyn FnMut(u64, u64)) -> Result<Played, ReplayError> {
    let documents = Documents::of(options)?;
    let rows = rows::read(&options.file).map_err(|error| ReplayError::File(options.file.clone(), error))?;
    let log = Log::open(Arc::new(Memory::new()), Keys::memory(SEED));
    let course = Course::begin(&log, &documents, &rows).await?;
    course.run(&rows, progress).await?;
    Ok(Played { rows, documents, log, course })
}

async fn outcome(options: &Options, played: Played) -> Result<Outcome, ReplayError> {
    let Played { rows, documents, log, course } = played;
    let position = course.analytics.catch_up().await?;
    if let Some(file) = &options.log {
        let kept = eventlog::sqlite::Sqlite::create_or_open(file).await?;
        eventlog::copy::copy(log.store().as_ref(), &kept).await?;
        kept.close().await;
    }
    let fired = due::fired(&log).await?;
    let tickets: BTreeMap<_, _> =
        rows.rows.iter().map(|row| (row.ticket.as_str(), course.ticket(&row.ticket))).collect();
    let due_csv = due::csv(tickets.into_iter(), &documents.policy.1, &fired)?;
    let tenant = course::tenant();
    let (report, tickets_csv) = course.analytics.view(|state| -> Result<_, ReplayError> {
        let definition = state.ledger(&tenant).and_then(|ledger| Definition::of(ledger, &documents.report.0));
        let (definition, _) = definition.ok_or_else(|| ReplayError::Unexpected("the report is not in force".into()))?;
        let everything = Window::default();
        let figures = analytics::tickets(state, &tenant, (&definition, &everything), None, usize::MAX);
        let report = analytics::report(state, &tenant, &definition, &everything);
        Ok((report, analytics::csv::pieces(&figures, &definition)?.concat()))
    })?;
    Ok(Outcome {
        json: analytics::json(&report, &rows.log)?,
        backlog_json: analytics::report::backlog_json(&report)?,
        report,
        tickets_csv,
        due_csv,
        fired: fired.len(),
        events: position,
        rows: rows.rows.len(),
        duplicates: rows.duplicates,
        refused: rows.refused,
        log: rows.log,
    })
}
