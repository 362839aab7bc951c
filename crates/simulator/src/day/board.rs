//! The tickets as they stand, kept current by one stream: what the desk, the customers and the supervisors look at.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::intake::v1::{ListTicketsRequest, Ticket, TicketState, WatchTicketsRequest};
use tokio::sync::watch;
use tonic::Code;

use super::plan::Order;
use super::stage::{Stage, explain, patiently};

/// How long a broken stream is waited for before it is opened again.
const AGAIN: Duration = Duration::from_millis(100);

/// Tickets by order.
pub(crate) struct Board {
    /// The number of the order with a title.
    numbers: BTreeMap<String, usize>,
    known: Mutex<Known>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Known {
    /// By name.
    tickets: BTreeMap<String, Ticket>,
    /// The ticket of an order, by the order's number.
    names: BTreeMap<usize, String>,
    /// The order of a ticket.
    orders: BTreeMap<String, usize>,
    /// Counts the changes of an order's ticket.
    versions: BTreeMap<usize, u64>,
}

impl Board {
    /// An empty board for these orders, which are told apart by their titles.
    pub(crate) fn new(orders: &[Order]) -> Self {
        let numbers = orders.iter().map(|order| (order.title.clone(), order.number)).collect();
        Self { numbers, known: Mutex::default(), changed: watch::Sender::default() }
    }

    /// A ticket was opened; what the stream said of it since is newer.
    pub(crate) fn opened(&self, ticket: Ticket) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).tickets.contains_key(&ticket.name);
        if !known {
            self.put(ticket);
        }
    }

    /// The ticket of an order, if it was opened.
    pub(crate) fn ticket(&self, order: usize) -> Option<Ticket> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tickets.get(known.names.get(&order)?).cloned()
    }

    /// Counts the changes of an order's ticket; 0 if it was not opened.
    pub(crate) fn version(&self, order: usize) -> u64 {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.versions.get(&order).copied().unwrap_or_default()
    }

    /// The name of the ticket of an order, if it was opened.
    pub(crate) fn name(&self, order: usize) -> Option<String> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).names.get(&order).cloned()
    }

    /// Every ticket there is.
    pub(crate) fn names(&self) -> Vec<String> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).tickets.keys().cloned().collect()
    }

    /// The order a ticket belongs to.
    pub(crate) fn order(&self, ticket: &str) -> Option<usize> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).orders.get(ticket).copied()
    }

    /// Tells of changes.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// How many were opened, and how many of them ended.
    pub(crate) fn count(&self) -> (usize, usize) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = |ticket: &&Ticket| matches!(ticket.state(), TicketState::Closed | TicketState::Cancelled);
        (known.tickets.len(), known.tickets.values().filter(ended).count())
    }

    fn put(&self, ticket: Ticket) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = self.numbers.get(&ticket.title) {
            known.names.insert(*number, ticket.name.clone());
            known.orders.insert(ticket.name.clone(), *number);
            *known.versions.entry(*number).or_default() += 1;
        }
        known.tickets.insert(ticket.name.clone(), ticket);
        drop(known);
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Reads every ticket as it stands; the position from which on changes follow.
pub(crate) async fn load(stage: &Stage) -> anyhow::Result<String> {
    let reader = stage.people.reader()?;
    let (mut first, mut page_token) = (String::new(), String::new());
    loop {
        let asked = ListTicketsRequest { page_size: 200, page_token, ..ListTicketsRequest::default() };
        let listed = patiently(|| async { reader.intake().list_tickets(asked.clone()).await }).await;
        let answer = listed.map_err(|status| explain(&status))?.into_inner();
        answer.tickets.into_iter().for_each(|ticket| stage.board.put(ticket));
        if first.is_empty() {
            first = answer.log_position;
        }
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            return Ok(first);
        }
    }
}

/// Keeps the board current from a position on.
pub(crate) async fn watch(stage: Arc<Stage>, mut from_position: String) -> anyhow::Result<()> {
    let mut client = stage.people.reader()?.intake();
    loop {
        let asked = WatchTicketsRequest { filter: String::new(), from_position: from_position.clone() };
        let broken = match client.watch_tickets(asked).await {
            Ok(stream) => {
                let mut stream = stream.into_inner();
                loop {
                    match stream.message().await {
                        Ok(Some(change)) => {
                            from_position = change.log_position;
                            change.ticket.into_iter().for_each(|ticket| stage.board.put(ticket));
                        }
                        Ok(None) => break None,
                        Err(status) => break Some(status),
                    }
                }
            }
            Err(status) => Some(status),
        };
        match broken {
            Some(status) if status.code() == Code::InvalidArgument => return Err(explain(&status)),
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}
