//! Rebuilding: each service's state from nothing and from its snapshot, beside reading the same rows without decoding.

mod alone;
mod few;
pub(crate) mod made;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use analytics::Analytics;
use decider::Core;
use dispatch::Dispatch;
use eventlog::{Clock, Keys, Log, Service, Sqlite};
use few::Few;
use intake::Intake;
use notifier::Notifier;
use sla_monitor::SlaMonitor;
use tempfile::TempDir;
use ticket::Event;
use tokio::time::Instant;

use crate::append::docket;
use crate::figure::{Book, Case, Figure, Measure, OURS};
use crate::server::{Server, own_cpu_us};
use crate::target::Target;

/// A fold that decodes at least so many of ten events is one that decodes all.
const DECODES_ALL: usize = 6;

/// A long log in both databases.
#[derive(Debug)]
pub(crate) struct Replay {
    events: u32,
    places: [Place; 2],
    _files: TempDir,
}

#[derive(Debug)]
enum Place {
    Postgres(String),
    Sqlite(PathBuf),
}

impl Replay {
    /// Makes the logs.
    pub(crate) async fn made(server: &mut Server, dir: &Path, events: u32) -> anyhow::Result<Self> {
        let files = tempfile::tempdir_in(dir)?;
        let url = server.database().await?;
        docket::prepare(&url).await?;
        let places = [Place::Postgres(url), Place::Sqlite(files.path().to_owned())];
        for place in &places {
            made::make(&place.open().await?, u64::from(events), made::START_US).await?;
        }
        server.checkpoint().await?;
        Ok(Self { events, places, _files: files })
    }

    /// One round of every service on both.
    pub(crate) async fn round(&self, server: &Server, book: &mut Book) -> anyhow::Result<()> {
        for place in &self.places {
            let at = At { server, place, events: self.events };
            at.service::<Few>(book).await?;
            at.service::<Intake>(book).await?;
            at.service::<Dispatch>(book).await?;
            at.service::<SlaMonitor>(book).await?;
            at.service::<Notifier>(book).await?;
            at.service::<Analytics>(book).await?;
        }
        Ok(())
    }
}

impl Place {
    async fn open(&self) -> anyhow::Result<Arc<Log>> {
        match self {
            Self::Postgres(url) => docket::open(url).await,
            Self::Sqlite(dir) => {
                let store = Sqlite::create_or_open(&dir.join("log.db")).await?;
                Ok(Log::open(Arc::new(store), Keys::sqlite(&dir.join("keys.db")).await?))
            }
        }
    }

    /// Its name, and who reads its rows without decoding them.
    fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Postgres(_) => ("PostgreSQL", COPY_OUT),
            Self::Sqlite(_) => ("SQLite", READ_ALONE),
        }
    }
}

const COPY_OUT: &str = "COPY OUT, not decoded";
const READ_ALONE: &str = "rows read, not decoded";

fn what<C: Core<Event = Event>>(place: &str) -> String {
    format!("rebuild {} on {place}, {}0 % decoded", C::NAME, wanted::<C>())
}

/// How many of a ticket's ten events this fold wants.
fn wanted<C: Core<Event = Event>>() -> usize {
    made::KINDS.iter().filter(|kind| C::wants(kind)).count()
}

/// Where it is measured.
struct At<'a> {
    server: &'a Server,
    place: &'a Place,
    events: u32,
}

impl At<'_> {
    async fn service<C: Core<Event = Event>>(&self, book: &mut Book) -> anyhow::Result<()> {
        let (name, alone) = self.place.names();
        let read = self
            .timed(async || {
                let began = Instant::now();
                let rows = match self.place {
                    Place::Postgres(url) => alone::copy_out(url).await?,
                    Place::Sqlite(dir) => alone::read(&dir.join("log.db")).await?,
                };
                Ok((rows, began.elapsed()))
            })
            .await?;
        match self.place {
            Place::Postgres(url) => alone::forget_in_postgres(url).await?,
            Place::Sqlite(dir) => alone::forget_in_sqlite(&dir.join("log.db")).await?,
        }
        let rebuilt = self
            .timed(async || {
                let log = self.place.open().await?;
                let began = Instant::now();
                let service = Service::<C>::start(log, Clock::by_hand(0)).await?;
                let took = began.elapsed();
                service.snapshot().await?;
                Ok((u32::try_from(service.position())?, took))
            })
            .await?;
        let began = Instant::now();
        let service = Service::<C>::start(self.place.open().await?, Clock::by_hand(0)).await?;
        let ready = began.elapsed().as_secs_f64() * 1_000.0;
        anyhow::ensure!(service.position() >= u64::from(self.events), "the snapshot was not used whole");
        book.note(Case::new(what::<C>(name), OURS), rebuilt);
        book.note(Case::new(what::<C>(name), alone), read);
        let from_snapshot = Case::new(format!("start {} on {name} from its snapshot", C::NAME), OURS);
        book.note(from_snapshot, Measure::from([(Figure::P50Ms, ready)]));
        Ok(())
    }

    /// Rate and cost of what reads the whole log and says how many rows it was, and how long that took.
    async fn timed(&self, read: impl AsyncFnOnce() -> anyhow::Result<(u32, Duration)>) -> anyhow::Result<Measure> {
        let before = match self.place {
            Place::Postgres(_) => Some(self.server.spent().await?),
            Place::Sqlite(_) => None,
        };
        let cpu = own_cpu_us()?;
        let (rows, took) = read().await?;
        anyhow::ensure!(rows >= self.events, "{rows} rows read of {}", self.events);
        let rate = f64::from(rows) / took.as_secs_f64();
        let mut measure = Measure::from([(Figure::ClientUs, (own_cpu_us()? - cpu) / f64::from(rows))]);
        if let Some(before) = before {
            measure.extend(self.server.spent().await?.since(&before, rows));
            measure.remove(&Figure::Fsyncs);
        }
        measure.insert(Figure::PerSec, rate);
        Ok(measure)
    }
}

/// What rebuilding is to reach.
pub(crate) fn targets() -> Vec<Target> {
    let both = |of: fn(&str) -> String, wanted: usize| {
        let times = if wanted >= DECODES_ALL { 0.35 } else { 0.6 };
        [("PostgreSQL", COPY_OUT), ("SQLite", READ_ALONE)].map(|(place, alone)| {
            let rate = |who| (Case::new(of(place), who), Figure::PerSec);
            Target::at_least(times, rate(OURS), rate(alone))
        })
    };
    [
        both(what::<Few>, wanted::<Few>()),
        both(what::<Intake>, wanted::<Intake>()),
        both(what::<Dispatch>, wanted::<Dispatch>()),
        both(what::<SlaMonitor>, wanted::<SlaMonitor>()),
        both(what::<Notifier>, wanted::<Notifier>()),
        both(what::<Analytics>, wanted::<Analytics>()),
    ]
    .into_iter()
    .flatten()
    .collect()
}
