//! What an engineer does next about a visit, from the state it stands in and what the order is to go through.

use decider::Micros;
use proto::dispatch::v1::{StopReason, Visit, VisitState};

use super::plan::{Fate, MINUTE_US, Order};
use super::verb::{Verb, Wish, micros};

/// How long a phone is offline at the customer's.
const OFFLINE_US: Micros = 60 * MINUTE_US;
/// Decisions about a visit up to which the first one asked, or two, let it go.
const EARLY_ATTEMPTS: u32 = 2;

/// Whether an engineer is busy with it: nothing else is begun meanwhile.
pub(crate) fn is_under_way(visit: &Visit) -> bool {
    matches!(visit.state(), VisitState::EnRoute | VisitState::OnSite | VisitState::Working | VisitState::Paused)
}

/// What an engineer knows of a visit besides what the API shows.
#[derive(Clone, Copy)]
pub(crate) struct Knows<'a> {
    /// What the order is to go through; none for one that nobody planned.
    pub(crate) order: Option<&'a Order>,
    /// When the last step happened, if it was made in this run.
    pub(crate) since: Option<Micros>,
    /// Whether the work was interrupted already.
    pub(crate) paused: bool,
}

/// The step of interrupting the work, once a visit.
pub(crate) const PAUSE: &str = "pause";

/// What the engineer does next; nothing if the fate of the order is that they do not.
pub(crate) fn next(visit: &Visit, knows: Knows<'_>) -> Option<Wish> {
    let fate = knows.order.filter(|_| visit.number <= 1).map_or(Fate::Well, |order| order.fate);
    let minutes = |step: &str, from, to| knows.order.map_or(from * MINUTE_US, |order| order.minutes(step, from, to));
    let (arrive, end) = (micros(visit.arrive_time.as_ref()), micros(visit.end_time.as_ref()));
    let early = visit.attempt <= EARLY_ATTEMPTS;
    let since = knows.since.unwrap_or(arrive);
    let (happens, verb) = match visit.state() {
        VisitState::Offered => match fate {
            Fate::Ignored if early => return None,
            Fate::Declined if early => (0, Verb::Decline),
            _ => (0, Verb::Accept),
        },
        VisitState::Accepted => match fate {
            Fate::NoShow if early => return None,
            _ => (micros(visit.depart_time.as_ref()) + minutes("depart", 0, 4), Verb::Depart),
        },
        VisitState::EnRoute => (arrive + minutes("arrive", -2, 6), Verb::Arrive(visit.site)),
        VisitState::OnSite if fate == Fate::Absent => {
            (arrive + minutes("absent", 10, 20), Verb::Stop(StopReason::CustomerAbsent))
        }
        VisitState::OnSite => (arrive + minutes("start", 1, 4), Verb::Start),
        VisitState::Working if fate == Fate::Parts => {
            (arrive + minutes("parts", 15, 25), Verb::Stop(StopReason::Parts))
        }
        VisitState::Working if interrupted(knows) => (arrive + minutes("pause", 10, 20), Verb::Pause),
        VisitState::Working => {
            let done = end.max(arrive + 20 * MINUTE_US) + minutes("complete", -10, 10);
            (done, Verb::Complete(visit.evidence_required))
        }
        VisitState::Paused => (since + minutes("continue", 5, 10), Verb::Continue),
        _ => return None,
    };
    let step = match verb {
        Verb::Pause => PAUSE.to_owned(),
        _ => format!("{:?}/{}", visit.state(), visit.attempt),
    };
    let mut wish = Wish { due: happens, step, target: visit.name.clone(), occurred_at: None, verb };
    let begun = matches!(visit.state(), VisitState::EnRoute | VisitState::OnSite | VisitState::Working);
    if fate == Fate::Offline && begun && knows.since.is_some() {
        // The phone wrote it down when it happened, and sends it when it is back.
        let happened = happens.max(since);
        let back = if visit.state() == VisitState::EnRoute { happened + OFFLINE_US } else { happened };
        wish = Wish { due: back, occurred_at: Some(happened), ..wish };
    }
    Some(wish)
}

/// Every third order is interrupted once for a while.
fn interrupted(knows: Knows<'_>) -> bool {
    !knows.paused && knows.order.is_some_and(|order| order.number % 3 == 0 && order.fate == Fate::Well)
}

#[cfg(test)]
mod tests {
    use super::super::plan::day;
    use super::super::verb::timestamp;
    use super::*;

    fn order(fate: Fate) -> Order {
        day(7, 0, 200, 24).into_iter().find(|order| order.fate == fate && order.site.is_some()).unwrap()
    }

    fn visit(state: VisitState, attempt: u32) -> Visit {
        let at = |minute: i64| Some(timestamp(minute * MINUTE_US));
        let (depart_time, arrive_time, end_time) = (at(30), at(60), at(120));
        let (name, number) = ("tenants/t/tickets/1/visits/2".into(), 1);
        let visit = Visit { name, number, attempt, depart_time, arrive_time, end_time, ..Visit::default() };
        Visit { state: state.into(), evidence_required: 1, ..visit }
    }

    fn wish(fate: Fate, visit: &Visit, since: Option<Micros>) -> Option<Wish> {
        next(visit, Knows { order: Some(&order(fate)), since, paused: false })
    }

    #[test]
    fn the_first_asked_lets_it_go_and_a_later_one_takes_it() {
        let verb = |fate, attempt| wish(fate, &visit(VisitState::Offered, attempt), None).map(|wish| wish.verb);
        assert!(matches!(verb(Fate::Declined, 1), Some(Verb::Decline)));
        assert!(verb(Fate::Ignored, 1).is_none());
        for fate in [Fate::Declined, Fate::Ignored, Fate::Well] {
            assert!(matches!(verb(fate, 3), Some(Verb::Accept)));
        }
    }

    #[test]
    fn who_does_not_show_up_never_sets_out_but_the_next_does() {
        let accepted = |attempt| wish(Fate::NoShow, &visit(VisitState::Accepted, attempt), None);
        assert!(accepted(1).is_none());
        assert!(accepted(3).unwrap().due >= 30 * MINUTE_US);
    }

    #[test]
    fn the_work_is_interrupted_at_most_once() {
        let order = day(7, 0, 200, 24).into_iter();
        let order = order.into_iter().find(|o| o.number % 3 == 0 && o.fate == Fate::Well && o.site.is_some()).unwrap();
        let verb = |paused| {
            next(&visit(VisitState::Working, 1), Knows { order: Some(&order), since: None, paused }).unwrap().verb
        };
        assert!(matches!(verb(false), Verb::Pause));
        assert!(matches!(verb(true), Verb::Complete(1)));
    }

    #[test]
    fn a_phone_that_was_offline_tells_later_when_it_was() {
        let since = 40 * MINUTE_US;
        let arrived = wish(Fate::Offline, &visit(VisitState::EnRoute, 1), Some(since)).unwrap();
        let happened = arrived.occurred_at.unwrap();
        assert!(happened >= since && arrived.due == happened + OFFLINE_US);
        let online = wish(Fate::Well, &visit(VisitState::EnRoute, 1), Some(since)).unwrap();
        assert_eq!(online.occurred_at, None);
    }

    #[test]
    fn the_second_visit_of_an_order_goes_well() {
        let mut again = visit(VisitState::Working, 1);
        assert!(matches!(wish(Fate::Parts, &again, None).unwrap().verb, Verb::Stop(StopReason::Parts)));
        again.number = 2;
        assert!(matches!(wish(Fate::Parts, &again, None).unwrap().verb, Verb::Complete(1)));
    }
}
