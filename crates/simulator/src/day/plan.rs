//! What comes in on a day, drawn from the seed: who calls when about what, and what the order will go through.

use decider::Micros;
use proto::dispatch::v1::Place;
use proto::intake::v1::{Impact, Urgency};
use uuid::Uuid;

/// Microseconds in a minute.
pub const MINUTE_US: Micros = 60_000_000;
/// Minutes from the day's start until everybody goes home.
pub const DAY_MINUTES: i64 = 10 * 60;

const SERVICES: [&str; 5] = ["mail", "network", "printing", "erp", "other"];
const TROUBLES: [&str; 6] = [
    "does not start",
    "is slow since this morning",
    "shows an error",
    "lost its settings",
    "makes a noise",
    "is offline",
];
const DEVICES: [&str; 5] = ["printers", "network", "terminals", "climate", "cabling"];
/// What is installed: a part of the devices.
const INSTALLED: [&str; 3] = ["network", "cabling", "climate"];
/// Regions with their middle, microdegrees.
const REGIONS: [(&str, i64, i64); 4] = [
    ("north", 52_600_000, 13_375_000),
    ("east", 52_505_000, 13_555_000),
    ("south", 52_420_000, 13_395_000),
    ("west", 52_525_000, 13_240_000),
];

/// Farther from every home than any engineer is sent by rule.
const FAR: (&str, i64, i64) = ("south", 51_560_000, 13_395_000);

/// What an order will go through, if the world lets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    /// Nothing odd.
    Well,
    /// Desk: the agent waits for the customer's answer.
    WaitsForCustomer,
    /// Desk: the agent waits for somebody outside.
    WaitsForOthers,
    /// Desk: it lies unseen until its clocks have run out.
    TakenTooLate,
    /// Desk: taken in time, but the phone synchronised hours later.
    RecordedLate,
    /// The customer does not agree that it is done; for the field, somebody comes again.
    Rejected,
    /// Desk: closed, and it comes back.
    ComesBack,
    /// Desk: opened by mistake.
    CalledOff,
    /// Nobody says that it is well: silence will do.
    Silence,
    /// Desk: more urgent than it looked.
    Raised,
    /// Field: the customer asks when somebody comes.
    Urged,
    /// Field: whoever is asked first declines.
    Declined,
    /// Field: whoever is asked first does not answer.
    Ignored,
    /// Field: whoever takes it on first never sets out.
    NoShow,
    /// Field: parts are missing at the first visit.
    Parts,
    /// Field: the customer is not there at the first visit.
    Absent,
    /// Field: the phone is offline at the customer's and synchronises an hour later.
    Offline,
    /// Field: too far away for anybody by the rules; a dispatcher must send somebody.
    Beyond,
}

const DESK: [Fate; 16] = [
    Fate::WaitsForCustomer,
    Fate::WaitsForOthers,
    Fate::TakenTooLate,
    Fate::RecordedLate,
    Fate::Rejected,
    Fate::ComesBack,
    Fate::CalledOff,
    Fate::Well,
    Fate::WaitsForCustomer,
    Fate::Silence,
    Fate::Raised,
    Fate::Well,
    Fate::Well,
    Fate::Well,
    Fate::Well,
    Fate::Raised,
];
const FIELD: [Fate; 16] = [
    Fate::Parts,
    Fate::Declined,
    Fate::Ignored,
    Fate::NoShow,
    Fate::Beyond,
    Fate::Well,
    Fate::Offline,
    Fate::Absent,
    Fate::Rejected,
    Fate::Well,
    Fate::Urged,
    Fate::Well,
    Fate::Declined,
    Fate::Well,
    Fate::Silence,
    Fate::Well,
];

impl Fate {
    /// Minutes of the day in which an order of this fate comes in, so that the day is long enough for it.
    fn latest_minute(self) -> i64 {
        match self {
            Self::Parts | Self::Beyond | Self::NoShow | Self::Absent | Self::Offline => 180,
            Self::TakenTooLate | Self::RecordedLate => 280,
            Self::Rejected | Self::ComesBack | Self::Declined | Self::Ignored => 360,
            Self::Urged | Self::WaitsForOthers => 420,
            _ => DAY_MINUTES - 25,
        }
    }
}

/// Where and what an engineer is needed for.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) installation: bool,
    pub(crate) device: &'static str,
    pub(crate) region: &'static str,
    pub(crate) place: Place,
    pub(crate) asset: String,
}

/// An order of the day.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Counts from 0.
    pub(crate) number: usize,
    /// When the customer calls.
    pub(crate) at: Micros,
    /// Which customer, by number.
    pub(crate) customer: usize,
    /// Which agent of the desk, by number; taken modulo how many there are.
    pub(crate) agent: usize,
    pub(crate) fate: Fate,
    /// What an engineer must come for; none for the desk.
    pub(crate) site: Option<Site>,
    /// What it is about, for the desk.
    pub(crate) service: &'static str,
    pub(crate) title: String,
    pub(crate) impact: Impact,
    pub(crate) urgency: Urgency,
    seed: u64,
}

impl Order {
    /// Minutes somebody takes for a step, always the same for the same step of the same order.
    pub(crate) fn minutes(&self, step: &str, from: i64, to: i64) -> Micros {
        chance(self.seed, &format!("{}/{step}", self.number)).i64(from..to) * MINUTE_US
    }
}

/// The orders of this seed from `start` on, in order of number.
pub(crate) fn day(seed: u64, start: Micros, orders: usize, customers: usize) -> Vec<Order> {
    let mut counts = (0, 0);
    let order = |number| {
        // Three of five for the desk, two for the field.
        let nth = if number % 5 % 2 == 0 { &mut counts.0 } else { &mut counts.1 };
        *nth += 1;
        draw(seed, start, number, (*nth - 1, customers))
    };
    (0..orders).map(order).collect()
}

fn draw(seed: u64, start: Micros, number: usize, (nth, customers): (usize, usize)) -> Order {
    let mut chance = chance(seed, &format!("order/{number}"));
    let on_site = number % 5 % 2 == 1;
    let fate = if on_site { FIELD[nth % FIELD.len()] } else { DESK[nth % DESK.len()] };
    let site = on_site.then(|| site(&mut chance, nth, fate));
    let service = SERVICES[chance.usize(0..SERVICES.len())];
    let trouble = TROUBLES[chance.usize(0..TROUBLES.len())];
    let what = site.as_ref().map_or(service, |site| site.device);
    let (impact, urgency) = match (fate, chance.u32(0..20)) {
        (Fate::Beyond, _) => (Impact::Department, Urgency::Critical),
        // Late by its fate, or urgent only later: nothing that would be late before anybody could have come.
        (Fate::RecordedLate | Fate::Raised, _) | (_, 0..=9) => (Impact::Person, Urgency::Medium),
        (_, 10) => (Impact::Service, Urgency::Critical),
        (_, 11..=14) => (Impact::Service, Urgency::High),
        _ => (Impact::Person, Urgency::Low),
    };
    Order {
        number,
        at: start + chance.i64(0..fate.latest_minute()) * MINUTE_US,
        customer: chance.usize(0..customers),
        agent: chance.usize(0..usize::from(u8::MAX)),
        fate,
        site,
        service,
        title: format!("{what} {trouble} (no. {number})"),
        impact,
        urgency,
        seed,
    }
}

fn site(chance: &mut fastrand::Rng, nth: usize, fate: Fate) -> Site {
    let installation = nth % 8 == 5;
    let beyond = fate == Fate::Beyond;
    let device = if installation {
        INSTALLED[chance.usize(0..INSTALLED.len())]
    } else {
        DEVICES[chance.usize(0..DEVICES.len())]
    };
    let (region, lat, lon) = if beyond { FAR } else { REGIONS[chance.usize(0..REGIONS.len())] };
    let mut near = |middle| middle + chance.i64(-30_000..30_000);
    let place = Place { lat_udeg: near(lat), lon_udeg: near(lon) };
    let asset = format!("{}-{nth}", device.to_uppercase());
    Site { installation, device, region, place, asset }
}

/// A die for one purpose: what is drawn elsewhere does not move it.
pub(crate) fn chance(seed: u64, purpose: &str) -> fastrand::Rng {
    let (drawn, _) = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("day/{seed}/{purpose}").as_bytes()).as_u64_pair();
    fastrand::Rng::with_seed(drawn)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_day() {
        let drawn = |seed| format!("{:?}", day(seed, 0, 64, 24));
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    fn more_orders_leave_those_before_as_they_were() {
        let (few, many) = (day(7, 0, 40, 24), day(7, 0, 300, 24));
        assert_eq!(format!("{few:?}"), format!("{:?}", &many[..40]));
        assert_eq!(few[3].minutes("take", 5, 500), many[3].minutes("take", 5, 500));
    }

    #[test]
    fn forty_orders_are_enough_for_every_fate_and_three_of_five_are_the_desks() {
        let orders = day(3, 0, 40, 24);
        let fates: BTreeSet<_> = orders.iter().map(|order| order.fate).collect();
        assert!(DESK.iter().chain(&FIELD).all(|fate| fates.contains(fate)), "{fates:?}");
        assert_eq!(orders.iter().filter(|order| order.site.is_none()).count(), 24);
        assert!(orders.iter().all(|order| order.at < order.fate.latest_minute() * MINUTE_US));
    }
}
