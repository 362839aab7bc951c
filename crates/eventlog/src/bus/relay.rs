//! The relay: publishes the log into a stream, each row at its own position, and makes the stream anew when it was lost.
//!
//! The stream is the only checkpoint and the fence: every message names the one it must follow, so that a relay that was
//! stopped and woke, or a second one beside it, can do no harm. A lease only spares work.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::envelope::{self, Source};
use super::stream::Shape;
use super::{Bus, BusError, Outgoing};
use crate::lease::{Lease, RENEW_EVERY};
use crate::log::Log;
use crate::release::Hold;
use crate::store::{Row, Select, StoreError};

mod opening;
mod publishing;

use opening::{Opened, Opening};

/// First and longest wait before the stream is opened again after a failure; each is twice the one before.
const REOPEN: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(2));
/// A halted relay looks again this often.
const HALTED: Duration = Duration::from_secs(2);
/// Rows read, and rendered, at once.
const PAGE: i64 = 200;
/// Pages read ahead of what is being published.
const AHEAD: usize = 2;

/// How rows are told: one message each, in their order.
pub trait Rendering: Send + Sync {
    /// The messages of these rows.
    fn render(&self, source: &Source, rows: &[Row]) -> impl Future<Output = Result<Vec<Outgoing>, StoreError>> + Send;

    /// Whether the message with these headers was made from this row; `None` if it is no message of ours at all.
    fn made_from(&self, headers: &HeaderMap, row: &Row) -> Option<bool>;
}

/// Rows told as they are, for our own services.
#[derive(Clone, Copy, Debug)]
pub struct Whole;

impl Rendering for Whole {
    async fn render(&self, source: &Source, rows: &[Row]) -> Result<Vec<Outgoing>, StoreError> {
        Ok(rows.iter().map(|row| envelope::message(source, row)).collect())
    }

    fn made_from(&self, headers: &HeaderMap, row: &Row) -> Option<bool> {
        envelope::hash(headers).ok().filter(|hash| !hash.is_empty()).map(|hash| hash == row.hash)
    }
}

/// How a relay is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The last position the stream acknowledged.
    pub position: i64,
    /// When the oldest row was recorded that is known not to be in the stream, microseconds; `None` if all are.
    pub oldest_us: Option<i64>,
    /// Why it stands still until a human acts, if it does.
    pub halted: Option<String>,
    /// Whether it publishes; another holds the lease if not, or the bus is away.
    pub publishes: bool,
    /// How often it opened the stream.
    pub openings: u64,
    /// How often it made the stream.
    pub fillings: u64,
}

/// A relay of one log into one stream.
#[derive(Debug)]
pub struct Relay<R> {
    log: Arc<Log>,
    bus: Bus,
    shape: Shape,
    rendering: R,
    leased: bool,
    report: watch::Sender<Report>,
}

impl<R: Rendering> Relay<R> {
    /// A relay that does nothing yet.
    pub fn new(log: Arc<Log>, bus: Bus, shape: Shape, rendering: R) -> Self {
        Self { log, bus, shape, rendering, leased: true, report: watch::Sender::default() }
    }

    /// The same relay, whoever holds the lease.
    #[must_use]
    pub fn without_lease(self) -> Self {
        Self { leased: false, ..self }
    }

    /// How it is doing, from now on.
    pub fn report(&self) -> watch::Receiver<Report> {
        self.report.subscribe()
    }

    /// Relays until told to stop, whatever fails meanwhile.
    pub async fn run(&self, stop: CancellationToken) {
        let lease = match Lease::new(&self.log, &format!("relay/{}", self.shape.name)) {
            Ok(lease) => lease,
            Err(error) => return tracing::error!(%error, "the relay cannot name itself and does not begin"),
        };
        tokio::select! {
            () = stop.cancelled() => {}
            _never = self.keep_relaying(&lease) => {}
        }
        if self.leased
            && let Err(error) = lease.give_back().await
        {
            tracing::warn!(%error, "the relay's lease was not given back; it ends by itself");
        }
    }

    async fn keep_relaying(&self, lease: &Lease<'_>) -> Infallible {
        let mut halt = None;
        let mut attempts = 0;
        loop {
            let reached = self.report.borrow().position;
            let Err(why) = self.relay(lease, &mut halt).await;
            attempts = if self.report.borrow().position > reached { 0 } else { attempts + 1 };
            self.report.send_modify(|report| report.publishes = false);
            let wait = match why {
                Pause::Failed(error) => {
                    tracing::warn!(stream = self.shape.name, %error, "the relay opens the stream again");
                    self.note_oldest().await;
                    super::doubling(REOPEN, attempts)
                }
                Pause::Standby => RENEW_EVERY,
                Pause::Halted => HALTED,
            };
            sleep(wait).await;
        }
    }

    /// Opens the stream and publishes from there on, until something is not as it must be.
    async fn relay(&self, lease: &Lease<'_>, halt: &mut Option<Hold>) -> Result<Infallible, Pause> {
        let mut link = self.bus.link().await?;
        if self.leased && !lease.hold().await.map_err(BusError::Store)? {
            // Whether something is wrong, and how late it is, is now for the other one to judge.
            *halt = None;
            self.report.send_modify(|report| (report.halted, report.oldest_us) = (None, None));
            return Err(Pause::Standby);
        }
        let opened = match self.open().await? {
            Opening::At(opened) => opened,
            Opening::Halted(reason) => {
                self.halt(halt, reason);
                return Err(Pause::Halted);
            }
        };
        *halt = None;
        self.report.send_modify(|report| {
            (report.position, report.halted, report.publishes) = (opened.position, None, true);
            report.openings += 1;
        });
        let (pages, ready) = mpsc::channel(AHEAD);
        let why = tokio::select! {
            error = link.broken() => error,
            Err(error) = self.read_ahead(&opened, pages) => error,
            Err(error) = self.publish(ready) => error,
            Err(error) = self.keep_watch(&opened, lease) => error,
        };
        Err(why.into())
    }

    /// Raises the alarm and holds effects; once a reason.
    fn halt(&self, halt: &mut Option<Hold>, reason: String) {
        if halt.is_none() || self.report.borrow().halted.as_ref() != Some(&reason) {
            tracing::error!(stream = self.shape.name, reason, "THE RELAY HALTED; effects are held until it is settled");
            *halt = Some(self.log.hold(reason.as_str()));
        }
        self.report.send_modify(|report| report.halted = Some(reason));
    }

    /// Reads and renders what follows, as long as it is the history the stream holds the beginning of.
    async fn read_ahead(&self, opened: &Opened, pages: mpsc::Sender<Page>) -> Result<Infallible, BusError> {
        let (mut after, mut hash) = (opened.position, opened.hash.clone());
        loop {
            let rows = self.log.store().read(&Select::All, None, after, PAGE).await?;
            for row in &rows {
                opening::follows(after, &hash, row)?;
                (after, hash) = (row.position, row.hash.clone());
            }
            if rows.is_empty() {
                self.log.moved(after).await?;
                continue;
            }
            let messages = self.rendering.render(&opened.source, &rows).await?;
            if pages.send(Page { rows, messages }).await.is_err() {
                return Err(BusError::Unavailable("nobody publishes".into()));
            }
        }
    }

    /// Sees to it that the log is still the same, not restored meanwhile, and that the lease is kept.
    async fn keep_watch(&self, opened: &Opened, lease: &Lease<'_>) -> Result<Infallible, BusError> {
        loop {
            sleep(RENEW_EVERY).await;
            let acknowledged = self.report.borrow().position;
            let head = self.log.head().await?;
            if Source::of(&head) != opened.source || head.position < acknowledged {
                return Err(BusError::Refused("the log is not the one that was opened".into()));
            }
            if self.leased && !lease.hold().await? {
                return Err(BusError::Refused("another relay took the lease".into()));
            }
        }
    }

    /// While nothing can be published: since when something ought to be.
    async fn note_oldest(&self) {
        let position = self.report.borrow().position;
        if let Ok(rows) = self.log.store().read(&Select::All, Some(&[]), position, 1).await {
            self.report.send_modify(|report| report.oldest_us = rows.first().map(|row| row.recorded_us));
        }
    }
}

/// Rows and their messages, on their way from the reader to the publisher.
struct Page {
    rows: Vec<Row>,
    messages: Vec<Outgoing>,
}

/// Why a relay does not publish for a while.
enum Pause {
    Failed(BusError),
    Standby,
    Halted,
}

impl From<BusError> for Pause {
    fn from(error: BusError) -> Self {
        Self::Failed(error)
    }
}
