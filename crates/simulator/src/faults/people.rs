//! The users of two tenants: what they ask, mostly with an eye to where a ticket stands, sometimes blindly.

use decider::{Micros, Tenant};
use eventlog::service::Ask;
use intake::command::{Move, Reach};
use ticket::lifecycle::Phase;
use uuid::Uuid;

use super::book::{Asked, Request};
use super::config::{AGENTS, ENGINEERS};
use super::dice::Dice;
use super::truth::{Known, Truth};
use super::{fieldwork, inbox, wishes};

/// A word that stands in all personal data and nowhere else.
pub(crate) const CANARY: &str = "canary-bird";
/// Both tenants.
pub(crate) const TENANTS: [&str; 2] = ["north", "south"];

const MINUTE_US: Micros = 60_000_000;

/// All users.
#[derive(Debug)]
pub(crate) struct People {
    dice: Dice,
    /// Tickets they still bring.
    to_bring: usize,
    customers: usize,
    imports: usize,
    /// The ticket somebody turned to last: others do so at the same time.
    last: Option<Uuid>,
}

impl People {
    /// Users who bring so many tickets.
    pub(crate) fn new(seed: u64, tickets: usize) -> Self {
        Self { dice: Dice::new(seed), to_bring: tickets, customers: tickets / 4 + 2, imports: 0, last: None }
    }

    /// What one of them asks next.
    pub(crate) fn wish(&mut self, truth: &Truth, now: Micros) -> Request {
        let tenant = Tenant::new(self.dice.pick(&TENANTS));
        let roll = self.dice.below(100);
        if self.to_bring > 0 && roll < 32 {
            self.to_bring -= 1;
            return if roll < 5 { self.import(&tenant, now) } else { self.open(&tenant, now) };
        }
        match roll {
            32..37 => {
                let (name, asked) = wishes::change(&mut self.dice);
                self.request(name, &tenant, asked)
            }
            37 => {
                let (customer, _) = self.customer(&tenant);
                let reason = "asked for it".to_owned();
                let erase = intake::Command::EraseCustomer { customer, reason };
                self.request("EraseCustomer", &tenant, Asked::Intake(erase))
            }
            38..40 => self.explain(truth).unwrap_or_else(|| self.open(&tenant, now)),
            40..66 => self.visit(truth, now).unwrap_or_else(|| self.open(&tenant, now)),
            66..71 => {
                let (name, asked) = fieldwork::duty(&mut self.dice, truth, &tenant, now);
                self.request(name, &tenant, asked)
            }
            71..77 => self.answer(truth, now).unwrap_or_else(|| self.say(&tenant, now)),
            77..79 => self.say(&tenant, now),
            _ => self.act(truth, now).unwrap_or_else(|| self.open(&tenant, now)),
        }
    }

    /// A command as anybody's request.
    pub(crate) fn request(&mut self, name: &'static str, tenant: &Tenant, asked: Asked) -> Request {
        let content = format!("{asked:?}").into_bytes();
        let ask = Ask {
            tenant: tenant.clone(),
            actor: format!("user/{}", self.dice.pick(&AGENTS)),
            request: self.dice.id(),
            content,
            occurred_at: None,
            causation: None,
            trace: String::new(),
        };
        Request { name, ask, asked, foreign: false, then: Vec::new() }
    }

    /// How everybody wants to be told.
    pub(crate) fn recipients(&mut self, tenant: &Tenant) -> Vec<Request> {
        let mut requests = Vec::new();
        for who in AGENTS.into_iter().chain(ENGINEERS) {
            let asked = inbox::recipient(&mut self.dice, tenant, who);
            requests.push(self.request("SetRecipient", tenant, asked));
        }
        requests
    }

    /// A verb on a visit.
    fn visit(&mut self, truth: &Truth, now: Micros) -> Option<Request> {
        let wish = fieldwork::visit(&mut self.dice, truth, self.last, now)?;
        self.last = Some(wish.ticket);
        let fieldwork::Wish { tenant, name, asked, occurred_at, .. } = wish;
        let abroad = self.dice.chance(2);
        let mut request = self.request(name, &if abroad { other(&tenant) } else { tenant }, asked);
        request.ask.occurred_at = occurred_at;
        request.foreign = abroad;
        Some(request)
    }

    /// What somebody does with a reminder.
    fn answer(&mut self, truth: &Truth, now: Micros) -> Option<Request> {
        let (tenant, who, name, asked) = inbox::answer(&mut self.dice, truth, now)?;
        let abroad = self.dice.chance(2);
        let mut request = self.request(name, &if abroad { other(&tenant) } else { tenant }, asked);
        request.ask.actor = format!("user/{who}");
        request.foreign = abroad;
        Some(request)
    }

    /// What somebody says of themselves.
    fn say(&mut self, tenant: &Tenant, now: Micros) -> Request {
        let (who, name, asked) = inbox::said(&mut self.dice, tenant, now);
        let mut request = self.request(name, tenant, asked);
        request.ask.actor = format!("user/{who}");
        request
    }

    fn open(&mut self, tenant: &Tenant, now: Micros) -> Request {
        let customer = self.dice.chance(70).then(|| self.customer(tenant));
        let opening = wishes::opening(&mut self.dice, customer);
        let mut request = self.request("Open", tenant, Asked::Intake(intake::Command::Open(Box::new(opening))));
        if self.dice.chance(10) {
            request.ask.occurred_at = Some(now - self.dice.between(0, 600) * MINUTE_US);
        }
        request
    }

    fn import(&mut self, tenant: &Tenant, now: Micros) -> Request {
        self.imports += 1;
        let (import, lines) = wishes::import(&mut self.dice, tenant, format!("T-{}", self.imports), now);
        let started_at = import.lines.first().map(|(at, _)| *at);
        let mut request = self.request("Import", tenant, Asked::Intake(intake::Command::Import(Box::new(import))));
        request.ask.occurred_at = started_at;
        for (at, line) in lines {
            let line = Asked::Intake(intake::Command::ImportLine(Box::new(line)));
            let mut next = self.request("ImportLine", tenant, line);
            next.ask.occurred_at = Some(at);
            request.then.push(next);
        }
        request
    }

    fn explain(&mut self, truth: &Truth) -> Option<Request> {
        let mut late = Vec::new();
        for (id, known) in &truth.tickets {
            let breached = known.clocks.iter().filter(|(_, clock)| clock.breach.is_some());
            late.extend(breached.map(|(name, _)| (*id, &known.tenant, name)));
        }
        if late.is_empty() {
            return None;
        }
        let (id, tenant, clock) = self.dice.pick(&late);
        let (clock, tenant) = (if self.dice.chance(95) { clock.as_str() } else { "sundial" }, tenant.clone());
        let asked = wishes::explanation(&mut self.dice, id, clock);
        Some(self.request("Explain", &tenant, asked))
    }

    /// A verb on a ticket.
    fn act(&mut self, truth: &Truth, now: Micros) -> Option<Request> {
        let all: Vec<_> = truth.tickets.iter().collect();
        if all.is_empty() {
            return None;
        }
        let mut chosen = self.dice.pick(&all);
        for _ in 0..3 {
            if !chosen.1.in_care() {
                chosen = self.dice.pick(&all);
            }
        }
        if self.dice.chance(5) {
            // Those that were closed a short while ago come back most of all.
            let closed =
                |known: &Known| matches!(known.course.phase, Phase::Closed { at } if at > now - 48 * 60 * MINUTE_US);
            chosen = all.iter().copied().find(|(_, known)| closed(known)).unwrap_or(chosen);
        }
        if let Some(last) = self.last.filter(|_| self.dice.chance(40)) {
            chosen = all.iter().copied().find(|(id, _)| **id == last).unwrap_or(chosen);
        }
        let (id, known) = chosen;
        self.last = Some(*id);
        let (mut name, occurred_at) = self.intent(known, now);
        if truth.field.open_visit(*id) && self.dice.chance(12) {
            // Customers call off whom they have waited for, while others are about to set out.
            name = "Cancel";
        }
        let verb = wishes::verb(&mut self.dice, name, now);
        let etag = match self.dice.below(100) {
            0..8 => Some(known.version),
            8..11 => Some(known.version.saturating_sub(1)),
            _ => None,
        };
        let own = self.dice.chance(6);
        let reach = if own { Reach::Own } else { Reach::All };
        let abroad = self.dice.chance(4);
        let tenant = if abroad { other(&known.tenant) } else { known.tenant.clone() };
        let asked = Asked::Intake(intake::Command::Move(Move { ticket: *id, etag, reach, verb }));
        let mut request = self.request(name, &tenant, asked);
        request.ask.occurred_at = occurred_at;
        request.foreign = abroad || (own && request.ask.actor != known.opened_by);
        Some(request)
    }

    /// Which verb, and when it is said to have happened.
    fn intent(&mut self, known: &Known, now: Micros) -> (&'static str, Option<Micros>) {
        let breach = known.clocks.iter().find_map(|(name, clock)| Some((name.as_str(), clock.breach?)));
        if let Some((clock, breached_at)) = breach
            && self.dice.chance(30)
        {
            // What undoes a breach is a fact that became known late.
            let name = match clock {
                "acceptance" => "Take",
                "first_response" => "Comment",
                _ => self.dice.pick(&["Hold", "Resolve"]),
            };
            let earlier = if self.dice.chance(30) { 0 } else { self.dice.between(1, 20) * MINUTE_US };
            return (name, Some((breached_at - earlier).max(known.course.opened_at)));
        }
        let sensible = self.dice.chance(85);
        let name = if sensible {
            wishes::sensible(&mut self.dice, &known.course.phase)
        } else {
            wishes::blind(&mut self.dice)
        };
        let occurred_at = match self.dice.below(100) {
            0..12 => Some((now - self.dice.between(0, 240) * MINUTE_US).max(known.course.opened_at)),
            12 => Some(now + MINUTE_US),
            13 => Some(now - self.dice.between(70, 74) * 60 * MINUTE_US),
            _ => None,
        };
        (name, occurred_at)
    }

    /// A customer of this tenant: the pseudonym and the reference.
    fn customer(&mut self, tenant: &Tenant) -> (Uuid, String) {
        let reference = format!("{CANARY} {}", self.dice.below(self.customers));
        (Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{tenant} {reference}").as_bytes()), reference)
    }
}

fn other(tenant: &Tenant) -> Tenant {
    Tenant::new(if tenant.as_str() == TENANTS[0] { TENANTS[1] } else { TENANTS[0] })
}
