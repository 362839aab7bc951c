//! Services broken on purpose, each in one way: the simulation must find out every one, and say what does not hold.

use std::marker::PhantomData;

use decider::{At, Core, Decided, Micros, Reaction, Read, Tenant, Versions};
use intake::Intake;
use simulator::faults::{Cast, Invariant, Ours, run_cast};
use sla_monitor::SlaMonitor;
use ticket::intake::IntakeEvent;
use ticket::sla::SlaEvent;
use ticket::{Event, Recorded};

use super::{SEEDS, story};

/// What one breaks of a core; the rest stays as it is.
trait Twist: Send + Sync + 'static {
    type Of: Core<Event = Event>;

    fn evolve(state: &mut <Self::Of as Core>::State, event: &Recorded) {
        Self::Of::evolve(state, event);
    }

    fn decide(
        command: &<Self::Of as Core>::Command,
        read: &Read<'_, <Self::Of as Core>::State>,
        at: &At,
    ) -> Result<Decided<Event>, <Self::Of as Core>::Refusal> {
        Self::Of::decide(command, read, at)
    }

    fn react(state: &<Self::Of as Core>::State, cause: &Recorded) -> Vec<Reaction<<Self::Of as Core>::Command>> {
        Self::Of::react(state, cause)
    }

    fn due(state: &<Self::Of as Core>::State, now: Micros, limit: usize) -> Vec<Reaction<<Self::Of as Core>::Command>> {
        Self::Of::due(state, now, limit)
    }
}

/// A core with a twist.
struct Twisted<T>(PhantomData<T>);

impl<T: Twist> Core for Twisted<T> {
    const NAME: &'static str = T::Of::NAME;
    const FOLD: u32 = T::Of::FOLD;
    type Event = Event;
    type State = <T::Of as Core>::State;
    type Command = <T::Of as Core>::Command;
    type Refusal = <T::Of as Core>::Refusal;

    fn wants(kind: &str) -> bool {
        T::Of::wants(kind)
    }

    fn evolve(state: &mut Self::State, event: &Recorded) {
        T::evolve(state, event);
    }

    fn decide(command: &Self::Command, read: &Read<'_, Self::State>, at: &At) -> Result<Decided<Event>, Self::Refusal> {
        T::decide(command, read, at)
    }

    fn react(state: &Self::State, cause: &Recorded) -> Vec<Reaction<Self::Command>> {
        T::react(state, cause)
    }

    fn due(state: &Self::State, now: Micros, limit: usize) -> Vec<Reaction<Self::Command>> {
        T::due(state, now, limit)
    }

    fn next_due(state: &Self::State) -> Option<Micros> {
        T::Of::next_due(state)
    }
}

struct WithIntake<T>(PhantomData<T>);

impl<T: Twist<Of = Intake>> Cast for WithIntake<T> {
    type Intake = Twisted<T>;
    type Monitor = SlaMonitor;
}

struct WithMonitor<T>(PhantomData<T>);

impl<T: Twist<Of = SlaMonitor>> Cast for WithMonitor<T> {
    type Intake = Intake;
    type Monitor = Twisted<T>;
}

/// Some story must come to grief, and the first that does over one of these.
fn found_out<C: Cast>(expected: &[Invariant]) {
    let violation = (0..SEEDS).find_map(|seed| run_cast::<C>(story(seed)).err()).expect("nobody noticed");
    assert!(expected.contains(&violation.invariant), "found out by another invariant: {violation}");
}

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
    found_out::<WithIntake<Unguarded>>(&[Invariant::Lifecycle]);
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

struct Forgetful;

impl Cast for Forgetful {
    type Intake = <Ours as Cast>::Intake;
    type Monitor = <Ours as Cast>::Monitor;
    const LOSES_APPENDS: bool = true;
}

#[test]
fn a_database_that_loses_what_it_acknowledged() {
    found_out::<Forgetful>(&[Invariant::Requests, Invariant::NoDrop]);
}
