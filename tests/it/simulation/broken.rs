//! Services broken on purpose, each in one way: the simulation must find out every one, and say what does not hold.

use std::marker::PhantomData;

use decider::{At, Core, Decided, Micros, Reaction, Read};
use dispatch::Dispatch;
use intake::Intake;
use notifier::Notifier;
use notifier::sender::Sender;
use simulator::faults::{Carrier, Cast, Invariant, Like, run_cast};
use sla_monitor::SlaMonitor;
use ticket::{Event, Recorded};

use super::{SEEDS, story};

mod courier;
mod crew;
mod desk;

use courier::{Careful, Courier};

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

/// Our cast, but for those who are named.
struct With<I = Intake, M = SlaMonitor, D = Dispatch, N = Notifier, S = Sender>(PhantomData<(I, M, D, N, S)>);

impl<I, M, D, N, S> Cast for With<I, M, D, N, S>
where
    I: Like<Intake>,
    M: Like<SlaMonitor>,
    D: Like<Dispatch>,
    N: Like<Notifier>,
    S: Carrier<N>,
{
    type Intake = I;
    type Monitor = M;
    type Dispatch = D;
    type Notifier = N;
    type Carrier = S;
}

type WithIntake<T> = With<Twisted<T>>;
type WithMonitor<T> = With<Intake, Twisted<T>>;
type WithDispatch<T> = With<Intake, SlaMonitor, Twisted<T>>;
type WithNotifier<T> = With<Intake, SlaMonitor, Dispatch, Twisted<T>, Courier<Careful, Twisted<T>>>;
type WithCarrier<S> = With<Intake, SlaMonitor, Dispatch, Notifier, S>;

/// Some story must come to grief, and the first that does over one of these.
fn found_out<C: Cast>(expected: &[Invariant]) {
    let violation = (0..SEEDS).find_map(|seed| run_cast::<C>(story(seed)).err()).expect("nobody noticed");
    assert!(expected.contains(&violation.invariant), "found out by another invariant: {violation}");
}
