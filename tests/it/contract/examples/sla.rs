//! Of sla-monitor: one of each kind, and with everything unset that may be.

use ticket::intake::Accountable;
use ticket::sla::{Audience, Backlog, Because, BreachCause, Clause, Mark, SlaEvent, Terms};

use super::{HOUR, MONDAY, pinned};

/// One of each kind.
pub(super) fn full() -> impl Iterator<Item = SlaEvent> {
    clocks().into_iter().chain(lateness()).chain(calls())
}

/// The event with everything unset that may be; none where nothing may.
pub(super) fn minimal(event: &SlaEvent) -> Option<SlaEvent> {
    use SlaEvent as E;
    match event.clone() {
        E::Breached { clock, generation, at, .. } => {
            let (accountable, began, escalates_at, major) = (None, None, None, None);
            Some(E::Breached { clock, generation, at, accountable, began, escalates_at, major })
        }
        E::ClockStarted { clock, generation, terms, since, elapsed_us, marks, .. } => {
            let terms = Terms { working_days: None, zone: None, escalation: None, major: None, ..terms };
            let (began, because) = (None, None);
            Some(E::ClockStarted { clock, generation, terms, since, elapsed_us, marks, began, because })
        }
        E::ClockPaused { clock, generation, since, elapsed_us, .. } => {
            Some(E::ClockPaused { clock, generation, since, elapsed_us, because: None })
        }
        E::ClockResumed { clock, generation, since, elapsed_us, marks, .. } => {
            Some(E::ClockResumed { clock, generation, since, elapsed_us, marks, because: None })
        }
        E::ClockStopped { clock, generation, since, elapsed_us, met, .. } => {
            Some(E::ClockStopped { clock, generation, since, elapsed_us, met, because: None })
        }
        E::ClockCancelled { clock, generation, since, elapsed_us, .. } => {
            Some(E::ClockCancelled { clock, generation, since, elapsed_us, because: None })
        }
        E::BreachRevoked { clock, generation, at, fact_at, .. } => {
            Some(E::BreachRevoked { clock, generation, at, fact_at, began: None })
        }
        E::EscalationRaised { clock, generation, step, due_at, audience, wakes, .. } => {
            let (shift, next_at, major) = (None, None, None);
            Some(E::EscalationRaised { clock, generation, step, due_at, audience, wakes, shift, next_at, major })
        }
        E::WarningRaised { .. }
        | E::BreachExplained { .. }
        | E::AttentionMissed { .. }
        | E::EscalationAcknowledged { .. }
        | E::BacklogRaised { .. }
        | E::BacklogCleared { .. }
        | E::MajorEventDeclared { .. }
        | E::MajorEventEnded { .. } => None,
    }
}

fn clocks() -> [SlaEvent; 5] {
    use SlaEvent as E;
    let (clock, since, elapsed_us) = ("resolution".to_owned(), MONDAY, HOUR);
    let because = |clause, activity: &str| Some(Because { clause, activity: activity.into() });
    [
        E::ClockStarted {
            clock: clock.clone(),
            generation: 1,
            terms: terms(),
            since,
            elapsed_us,
            marks: marks(),
            began: Some(since),
            because: because(Clause::Start, "CustomerReply"),
        },
        E::ClockPaused {
            clock: clock.clone(),
            generation: 1,
            since,
            elapsed_us,
            because: because(Clause::Pause, "WaitStarted"),
        },
        E::ClockResumed {
            clock: clock.clone(),
            generation: 2,
            since,
            elapsed_us,
            marks: marks(),
            because: because(Clause::Resume, "WaitEnded"),
        },
        E::ClockStopped {
            clock: clock.clone(),
            generation: 2,
            since,
            elapsed_us,
            met: true,
            because: because(Clause::Stop, "PublicReply"),
        },
        E::ClockCancelled { clock, generation: 2, since, elapsed_us, because: because(Clause::Cancel, "Cancelled") },
    ]
}

fn lateness() -> [SlaEvent; 5] {
    use SlaEvent as E;
    let (clock, generation, at) = ("resolution".to_owned(), 2, MONDAY + 6 * HOUR);
    let (owed, wakes) = (Accountable::Queue("desk".into()), Accountable::Queue("supervisors".into()));
    [
        E::WarningRaised { clock: clock.clone(), generation, share_bp: 7_500, at },
        E::Breached {
            clock: clock.clone(),
            generation,
            at,
            accountable: Some(Accountable::Person("ann".into())),
            began: Some(MONDAY),
            escalates_at: Some(at + HOUR),
            major: Some("storm".into()),
        },
        E::BreachRevoked { clock: clock.clone(), generation, at, fact_at: at - HOUR, began: Some(MONDAY) },
        E::BreachExplained { clock, cause: BreachCause::Capacity, note: "Two were ill.".into() },
        E::AttentionMissed { step: 1, due_at: at, owed, wakes, next_at: at + HOUR },
    ]
}

fn calls() -> [SlaEvent; 6] {
    use SlaEvent as E;
    let (clock, generation, at) = ("resolution".to_owned(), 2, MONDAY + 6 * HOUR);
    let (alert, queue, measure) = (|| pinned("desk-full"), || "desk".to_owned(), Backlog::Count);
    [
        E::EscalationRaised {
            clock: clock.clone(),
            generation,
            step: 2,
            due_at: at,
            audience: Audience::Rota("on-call".into()),
            wakes: vec!["ann".into()],
            shift: Some("week".into()),
            next_at: Some(at + HOUR),
            major: Some("storm".into()),
        },
        E::EscalationAcknowledged { clock, generation, step: 2, by: "ann".into(), rearms_at: at + 2 * HOUR },
        E::BacklogRaised {
            alert: alert(),
            queue: queue(),
            alarm: 1,
            measure,
            waiting: 51,
            oldest_at: MONDAY,
            limit: 50,
        },
        E::BacklogCleared { alert: alert(), queue: queue(), alarm: 1, measure, waiting: 40 },
        E::MajorEventDeclared {
            name: "storm".into(),
            reason: "The north is without power.".into(),
            scope: "ticket.queue == \"north\"".into(),
            policy: pinned("emergency"),
        },
        E::MajorEventEnded { name: "storm".into(), reason: "The power is back.".into() },
    ]
}

fn terms() -> Terms {
    Terms {
        policy: pinned("standard"),
        calendar: pinned("desk"),
        tzdb: "2026a".into(),
        budget_secs: 21_600,
        working_days: Some(1),
        zone: Some("Asia/Shanghai".into()),
        escalation: Some(pinned("escalation")),
        major: Some("storm".into()),
    }
}

fn marks() -> Vec<Mark> {
    vec![Mark { share_bp: 7_500, at: MONDAY + 5 * HOUR }, Mark { share_bp: 10_000, at: MONDAY + 6 * HOUR }]
}
