//! What callers see of a visit: dispatch writes into the log, intake follows, the report is there to be read.

use decider::Guards;
use eventlog::{Append, NewEvent};
use proto::intake::v1::{CancelTicketRequest, EraseCustomerRequest, Ticket, TicketState, accountable::Party};
use ticket::dispatch::{DispatchEvent, Slot};
use ticket::{Event, Personal, codec, stream};
use tonic::Code;
use uuid::Uuid;

use crate::api::{Cluster, by, cluster, reason};
use crate::desk::{HOUR, MONDAY};

const VISIT: Uuid = Uuid::from_u128(71);

impl Cluster {
    /// Dispatch writes this about a ticket, and intake follows.
    async fn told(&mut self, ticket: &Ticket, event: DispatchEvent) -> Ticket {
        let (kind, body) = codec::encode(&Event::Dispatch(event)).unwrap();
        let request = Uuid::new_v5(&VISIT, kind.as_bytes());
        let append = Append {
            tenant: decider::Tenant::new("acme"),
            actor: "service/dispatch".into(),
            request,
            content: Vec::new(),
            causation: None,
            trace: String::new(),
            now: MONDAY,
            occurred_at: MONDAY,
            holds_until: None,
            guards: Guards::new(),
            events: vec![NewEvent { stream: stream::work(id(ticket)), kind, body }],
        };
        self.service.log().append(append).await.unwrap();
        self.service.step().await.unwrap();
        self.get(&ticket.name).await
    }
}

fn id(ticket: &Ticket) -> Uuid {
    ticket.name.rsplit('/').next().unwrap().parse().unwrap()
}

fn eve() -> String {
    "eve".into()
}

/// Proves part of: D8, X6
#[tokio::test]
async fn a_visit_is_seen_by_its_engineer_and_its_report_until_the_customer_is_erased() {
    let mut it = cluster().await;
    let ticket = it.opened().await;
    let slot = Slot { from: MONDAY, arrive: MONDAY + HOUR, to: MONDAY + 2 * HOUR };
    let accepted = DispatchEvent::OfferAccepted { visit: VISIT, engineer: eve(), slot, depart_by: slot.from };
    let scheduled = it.told(&ticket, accepted).await;
    assert_eq!((scheduled.agent.as_str(), scheduled.state()), ("eve", TicketState::Received));
    assert_eq!(scheduled.accountable.unwrap().party, Some(Party::Person(eve())));
    let begun = it.told(&ticket, DispatchEvent::Departed { visit: VISIT, engineer: eve() }).await;
    assert_eq!(begun.state(), TicketState::InProgress);
    let report = Personal::new(ticket.customer_id.parse().unwrap(), "Fuser exchanged.".to_owned());
    let evidence = vec!["photo:after".to_owned()];
    let done =
        it.told(&ticket, DispatchEvent::VisitCompleted { visit: VISIT, engineer: eve(), report, evidence }).await;
    assert_eq!((done.state(), done.solution.as_str()), (TicketState::WorkDone, "Fuser exchanged."));
    assert_eq!((done.agent.as_str(), done.evidence), ("eve", vec!["photo:after".to_owned()]));
    let erase = EraseCustomerRequest { customer: "C-7".into(), reason: "asked".into(), ..Default::default() };
    it.client.erase_customer(by("sue", erase)).await.unwrap();
    assert_eq!(it.get(&ticket.name).await.solution, "(erased)", "the copy falls with the report");
}

#[tokio::test]
async fn a_ticket_is_called_off_under_an_engineer_on_site_by_force_alone() {
    let mut it = cluster().await;
    let ticket = it.opened().await;
    it.told(&ticket, DispatchEvent::Arrived { visit: VISIT, engineer: eve(), place: None }).await;
    let cancel = |force| CancelTicketRequest {
        name: ticket.name.clone(),
        reason: "opened twice".into(),
        force,
        ..Default::default()
    };
    let refused = it.client.cancel_ticket(by("ann", cancel(false))).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::FailedPrecondition, "VISIT_ON_SITE".into()));
    let cancelled = it.client.cancel_ticket(by("ann", cancel(true))).await.unwrap().into_inner();
    assert_eq!(cancelled.ticket.unwrap().state(), TicketState::Cancelled);
}
