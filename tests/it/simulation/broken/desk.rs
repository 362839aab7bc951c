//! A broken intake, a broken sla-monitor, a broken database.

use decider::{At, Core, Decided, Micros, Reaction, Read, Tenant, Versions};
use dispatch::Dispatch;
use intake::Intake;
use notifier::Notifier;
use notifier::sender::Sender;
use simulator::faults::{Cast, Invariant};
use sla_monitor::SlaMonitor;
use ticket::dispatch::DispatchEvent;
use ticket::intake::IntakeEvent;
use ticket::sla::SlaEvent;
use ticket::{Event, Recorded};

use super::{Twist, WithIntake, WithMonitor, found_out};

struct DropsReactions;

impl Twist for DropsReactions {
    type Of = SlaMonitor;

    fn react(_: &sla_monitor::State, _: &Recorded) -> Vec<Reaction<sla_monitor::Command>> {
        Vec::new()
    }
}

#[test]
fn a_monitor_that_drops_reactions() {
    found_out::<WithMonitor<DropsReactions>>(&[Invariant::Clocks]);
}

struct NeverWakes;

impl Twist for NeverWakes {
    type Of = SlaMonitor;

    fn due(_: &sla_monitor::State, _: Micros, _: usize) -> Vec<Reaction<sla_monitor::Command>> {
        Vec::new()
    }
}

#[test]
fn a_monitor_that_wakes_nobody() {
    found_out::<WithMonitor<NeverWakes>>(&[Invariant::NoDrop]);
}

struct FiresEarly;

impl Twist for FiresEarly {
    type Of = SlaMonitor;

    fn decide(
        command: &sla_monitor::Command,
        read: &Read<'_, sla_monitor::State>,
        at: &At,
    ) -> Result<Decided<Event>, sla_monitor::Refusal> {
        SlaMonitor::decide(command, read, &At { now: at.now + 1, ..at.clone() })
    }

    fn due(state: &sla_monitor::State, now: Micros, limit: usize) -> Vec<Reaction<sla_monitor::Command>> {
        SlaMonitor::due(state, now + 1, limit)
    }
}

#[test]
fn a_monitor_that_fires_at_the_deadline_instead_of_past_it() {
    found_out::<WithMonitor<FiresEarly>>(&[Invariant::Clocks, Invariant::NoDrop]);
}

struct NeverRevokes;

impl Twist for NeverRevokes {
    type Of = SlaMonitor;

    fn decide(
        command: &sla_monitor::Command,
        read: &Read<'_, sla_monitor::State>,
        at: &At,
    ) -> Result<Decided<Event>, sla_monitor::Refusal> {
        let mut decided = SlaMonitor::decide(command, read, at)?;
        decided.retain(|(_, event)| !matches!(event, Event::Sla(SlaEvent::BreachRevoked { .. })));
        Ok(decided)
    }
}

#[test]
fn a_monitor_that_takes_no_breach_back() {
    found_out::<WithMonitor<NeverRevokes>>(&[Invariant::Clocks]);
}

struct OverlooksResuming;

impl Twist for OverlooksResuming {
    type Of = Intake;

    fn evolve(state: &mut intake::State, event: &Recorded) {
        if !matches!(event.event, Event::Intake(IntakeEvent::WaitEnded { .. })) {
            Intake::evolve(state, event);
        }
    }
}

#[test]
fn a_fold_that_ignores_a_kind_of_event() {
    found_out::<WithIntake<OverlooksResuming>>(&[Invariant::Lifecycle]);
}

struct Unguarded;

impl Twist for Unguarded {
    type Of = Intake;

    fn decide(
        command: &intake::Command,
        read: &Read<'_, intake::State>,
        at: &At,
    ) -> Result<Decided<Event>, intake::Refusal> {
        Intake::decide(command, &Read::new(read.look(), &Versions::default(), &at.tenant), at)
    }
}

#[test]
fn an_intake_that_guards_nothing() {
    // What is said of a ticket that has ended may be told before it is found that it was said.
    found_out::<WithIntake<Unguarded>>(&[Invariant::Lifecycle, Invariant::Effects]);
}

struct MixesTenants;

impl Twist for MixesTenants {
    type Of = Intake;

    fn decide(
        command: &intake::Command,
        read: &Read<'_, intake::State>,
        at: &At,
    ) -> Result<Decided<Event>, intake::Refusal> {
        let north = At { tenant: Tenant::new("north"), ..at.clone() };
        Intake::decide(command, read, if matches!(command, intake::Command::Move(_)) { &north } else { at })
    }
}

#[test]
fn an_intake_that_looks_into_another_tenant_s_tickets() {
    found_out::<WithIntake<MixesTenants>>(&[Invariant::Tenants]);
}

struct IgnoresCompletion;

impl Twist for IgnoresCompletion {
    type Of = Intake;

    fn react(state: &intake::State, cause: &Recorded) -> Vec<Reaction<intake::Command>> {
        if matches!(cause.event, Event::Dispatch(DispatchEvent::VisitCompleted { .. })) {
            return Vec::new();
        }
        Intake::react(state, cause)
    }
}

#[test]
fn an_intake_that_ignores_a_completed_visit() {
    found_out::<WithIntake<IgnoresCompletion>>(&[Invariant::Lifecycle]);
}

struct Forgetful;

impl Cast for Forgetful {
    type Intake = Intake;
    type Monitor = SlaMonitor;
    type Dispatch = Dispatch;
    type Notifier = Notifier;
    type Carrier = Sender;
    const LOSES_APPENDS: bool = true;
}

#[test]
fn a_database_that_loses_what_it_acknowledged() {
    // What is lost may be missed anywhere first.
    let anywhere = [
        Invariant::Requests,
        Invariant::NoDrop,
        Invariant::Booking,
        Invariant::DispatchNoDrop,
        Invariant::Effects,
        Invariant::Progress,
    ];
    found_out::<Forgetful>(&anywhere);
}
