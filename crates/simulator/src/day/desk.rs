//! Customers, agents and supervisors: what each does next about a ticket, from the state it stands in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use decider::Micros;
use proto::intake::v1::{self as intake, Author, FieldValue, Ticket, TicketState, WaitReason};

use super::cast::customer_mail;
use super::person::Person;
use super::plan::{Fate, MINUTE_US, Order};
use super::stage::Stage;
use super::verb::{Verb, Wish, micros};

/// Changes that come within this time are looked at together.
const GATHER: Duration = Duration::from_millis(50);

/// Whose eyes look at the tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The nth customer.
    Customer(usize),
    /// The nth agent.
    Agent(usize),
    /// The nth supervisor.
    Supervisor(usize),
}

/// Lives through the day: does what is due, sleeps until something changes or falls due.
pub(crate) async fn live(stage: Arc<Stage>, person: Arc<Person>, part: Part) -> anyhow::Result<()> {
    let mine: Vec<_> = stage.orders.iter().filter(|order| is_theirs(&stage, order, part)).collect();
    let mut changes = stage.board.changes();
    // What is wished of each order in the state it was last seen in.
    let mut wishes: BTreeMap<usize, (u64, Option<Wish>)> = BTreeMap::new();
    loop {
        changes.mark_unchanged();
        for order in &mine {
            let version = stage.board.version(order.number);
            if wishes.get(&order.number).is_none_or(|(seen, _)| *seen != version) {
                wishes.insert(order.number, (version, wish(&stage, &person, order, part)));
            }
        }
        let open = wishes.iter().filter_map(|(number, (_, wish))| Some((*number, wish.as_ref()?)));
        let first = open.min_by_key(|(_, wish)| wish.due).map(|(number, wish)| (number, wish.clone()));
        match first {
            Some((number, wish)) if wish.due <= stage.clock().now() => {
                let answered = stage.perform(&person, &wish).await?;
                if let Some(ticket) = answered.and_then(|answered| answered.ticket) {
                    stage.board.opened(ticket);
                }
                wishes.remove(&number);
            }
            first => {
                let next = first.map_or(Micros::MAX, |(_, wish)| wish.due);
                tokio::select! {
                    _ = changes.changed() => tokio::time::sleep(GATHER).await,
                    () = stage.wait(next) => {}
                }
            }
        }
    }
}

fn is_theirs(stage: &Stage, order: &Order, part: Part) -> bool {
    match part {
        Part::Customer(number) => order.customer == number,
        Part::Agent(number) => order.agent % stage.people.agents.len() == number,
        Part::Supervisor(number) => order.number % stage.people.supervisors.len() == number,
    }
}

fn wish(stage: &Stage, person: &Person, order: &Order, part: Part) -> Option<Wish> {
    let ticket = stage.board.ticket(order.number);
    let done = |step: &str| {
        let target = ticket.as_ref().map_or("", |ticket| &ticket.name);
        stage.is_done(&person.subject, target, step)
    };
    next(order, ticket.as_ref(), part, &done)
}

/// What this part does next about an order; nothing if it is not their turn.
///
/// A step that may come again carries the instant at which the ticket came into its state: after an interruption the same
/// state yields the same request.
fn next(order: &Order, ticket: Option<&Ticket>, part: Part, done: &dyn Fn(&str) -> bool) -> Option<Wish> {
    let Some(ticket) = ticket else {
        let step = format!("open/{}", order.number);
        let due = order.at;
        let opens = matches!(part, Part::Customer(_)) && !done(&step);
        let verb = Verb::Open(Box::new(described(order)));
        // The call came at its minute, however long the line was.
        return opens.then(|| Wish { due, step, target: String::new(), occurred_at: Some(due), verb });
    };
    let scene = Scene { order, ticket, moved_at: micros(ticket.move_time.as_ref()), done };
    match part {
        Part::Customer(_) => scene.customer(),
        Part::Agent(_) => scene.agent(),
        Part::Supervisor(_) => scene.supervisor(),
    }
}

struct Scene<'a> {
    order: &'a Order,
    ticket: &'a Ticket,
    moved_at: Micros,
    done: &'a dyn Fn(&str) -> bool,
}

impl Scene<'_> {
    fn customer(&self) -> Option<Wish> {
        let opened_at = self.order.at;
        match self.ticket.state() {
            TicketState::Received | TicketState::Triaged if matches!(self.order.fate, Fate::Urged | Fate::Beyond) => {
                self.once("urge", opened_at, (60, 100), Verb::Write(Author::Customer, "When does somebody come?"))
            }
            TicketState::Waiting if self.ticket.wait_reasons().any(|reason| reason == WaitReason::Customer) => {
                let verb = Verb::Write(Author::Customer, "Here is what you asked for.");
                self.each("write", self.moved_at, (20, 90), verb)
            }
            TicketState::WorkDone => match self.order.fate {
                Fate::Silence => None,
                // Rejected before, it was worked on again: then it is well.
                Fate::Rejected if self.ticket.reopen_count == 0 => {
                    self.once("reject", self.moved_at, (5, 40), Verb::Reject)
                }
                _ => self.each("confirm", self.moved_at, (5, 40), Verb::Confirm),
            },
            TicketState::Closed if self.order.fate == Fate::ComesBack && self.ticket.reopen_count == 0 => {
                self.once("reopen", self.moved_at, (10, 60), Verb::Reopen)
            }
            _ => None,
        }
    }

    fn agent(&self) -> Option<Wish> {
        let opened_at = self.order.at;
        match self.ticket.state() {
            TicketState::Waiting => {
                let theirs = [WaitReason::Parts, WaitReason::ThirdParty];
                let waits = self.ticket.wait_reasons().any(|reason| theirs.contains(&reason));
                waits.then(|| self.each("resume", self.moved_at, (20, 60), Verb::Resume)).flatten()
            }
            // The field is dispatch's.
            _ if self.order.site.is_some() => None,
            TicketState::Received | TicketState::Triaged => match self.order.fate {
                Fate::CalledOff => self.once("cancel", opened_at, (10, 60), Verb::Cancel),
                Fate::TakenTooLate => self.once("take", opened_at, (255, 300), Verb::Take),
                Fate::RecordedLate => {
                    let wish = self.once("take", opened_at, (245, 260), Verb::Take)?;
                    Some(Wish { occurred_at: Some(opened_at + 12 * MINUTE_US), ..wish })
                }
                _ => self.each("take", self.moved_at, (4, 20), Verb::Take),
            },
            TicketState::InProgress => self.work(),
            _ => None,
        }
    }

    /// An agent at work on a ticket of the desk.
    fn work(&self) -> Option<Wish> {
        let reply = self.once("reply", self.moved_at, (1, 8), Verb::Write(Author::Agent, "We are on it."));
        let reason = match self.order.fate {
            Fate::WaitsForCustomer => Some(WaitReason::Customer),
            Fate::WaitsForOthers => Some(WaitReason::ThirdParty),
            _ => None,
        };
        let hold = || self.once("hold", self.moved_at, (5, 20), Verb::Hold(reason?));
        let raises = self.order.fate == Fate::Raised && self.ticket.priority() != intake::Priority::Critical;
        let raise = || raises.then(|| self.once("raise", self.moved_at, (2, 10), Verb::Raise)).flatten();
        let resolve = || self.each("resolve", self.moved_at, (10, 60), Verb::Resolve);
        reply.or_else(raise).or_else(hold).or_else(resolve)
    }

    fn supervisor(&self) -> Option<Wish> {
        let confirmed = self.ticket.state() == TicketState::Confirmed;
        confirmed.then(|| self.each("close", self.moved_at, (5, 30), Verb::Close)).flatten()
    }

    /// Done once in the life of the ticket.
    fn once(&self, step: &str, from: Micros, (least, most): (i64, i64), verb: Verb) -> Option<Wish> {
        let due = from + self.order.minutes(step, least, most);
        let (step, target) = (step.to_owned(), self.ticket.name.clone());
        (!(self.done)(&step)).then_some(Wish { due, step, target, occurred_at: None, verb })
    }

    /// Done each time the ticket comes into this state.
    fn each(&self, step: &str, from: Micros, minutes: (i64, i64), verb: Verb) -> Option<Wish> {
        self.once(&format!("{step}/{}", self.moved_at), from, minutes, verb)
    }
}

/// What the customer tells.
fn described(order: &Order) -> Ticket {
    use intake::field_value::Value;
    let field = |name: &str, value: Value| (name.to_owned(), FieldValue { value: Some(value) });
    let text = |name: &str, text: &str| field(name, Value::Text(text.to_owned()));
    let (ticket_type, fields) = match &order.site {
        None => ("incident", [text("service", order.service)].into()),
        Some(site) => (
            if site.installation { "installation" } else { "repair" },
            [
                text("asset", &site.asset),
                text("device", site.device),
                text("region", site.region),
                text("address", "12 Harbour Street"),
                field("lat_udeg", Value::Number(site.place.lat_udeg)),
                field("lon_udeg", Value::Number(site.place.lon_udeg)),
            ]
            .into(),
        ),
    };
    let email = customer_mail(order.customer);
    Ticket {
        ticket_type: ticket_type.into(),
        channel: intake::Channel::Web.into(),
        title: order.title.clone(),
        description: "As written into the form.".into(),
        customer: format!("C-{:04}", 1_000 + order.customer),
        contact: Some(intake::Contact { name: "Reception".into(), phone: "+49 30 0000000".into(), email }),
        fields,
        impact: order.impact.into(),
        urgency: order.urgency.into(),
        ..Ticket::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::day;
    use super::super::verb::timestamp;
    use super::*;

    fn order(fate: Fate, on_site: bool) -> Order {
        let drawn = day(7, 0, 200, 24).into_iter();
        drawn.into_iter().find(|order| order.fate == fate && order.site.is_some() == on_site).unwrap()
    }

    fn ticket(state: TicketState, moved_at: Micros) -> Ticket {
        Ticket {
            name: "tenants/t/tickets/1".into(),
            state: state.into(),
            move_time: Some(timestamp(moved_at)),
            ..Ticket::default()
        }
    }

    #[test]
    fn the_customer_opens_and_nobody_else() {
        let order = order(Fate::Well, false);
        let opens = next(&order, None, Part::Customer(0), &|_| false).unwrap();
        assert!(matches!(opens.verb, Verb::Open(_)) && opens.due == order.at && opens.occurred_at == Some(order.at));
        assert!(next(&order, None, Part::Customer(0), &|_| true).is_none(), "once");
        assert!(next(&order, None, Part::Agent(0), &|_| false).is_none());
    }

    #[test]
    fn the_same_state_yields_the_same_step_and_another_one_another() {
        let order = order(Fate::Well, false);
        let step = |moved_at| {
            let done = |step: &str| step == "reply";
            next(&order, Some(&ticket(TicketState::InProgress, moved_at)), Part::Agent(0), &done).unwrap().step
        };
        assert_eq!(step(5), step(5));
        assert_ne!(step(5), step(6));
    }

    #[test]
    fn an_agent_leaves_the_field_to_dispatch_but_for_its_parts() {
        let order = order(Fate::Parts, true);
        let wish = |ticket: &Ticket| next(&order, Some(ticket), Part::Agent(0), &|_| false);
        assert!(wish(&ticket(TicketState::Received, 0)).is_none());
        assert!(wish(&ticket(TicketState::InProgress, 0)).is_none());
        let mut waiting = ticket(TicketState::Waiting, 0);
        assert!(wish(&waiting).is_none(), "not for parts");
        waiting.wait_reasons = vec![WaitReason::Parts.into()];
        assert!(matches!(wish(&waiting).unwrap().verb, Verb::Resume));
    }

    #[test]
    fn who_rejects_once_confirms_what_was_done_again() {
        let order = order(Fate::Rejected, false);
        let mut done = ticket(TicketState::WorkDone, 0);
        let wish = |ticket: &Ticket| next(&order, Some(ticket), Part::Customer(0), &|_| false).unwrap().verb;
        assert!(matches!(wish(&done), Verb::Reject));
        done.reopen_count = 1;
        assert!(matches!(wish(&done), Verb::Confirm));
    }
}
