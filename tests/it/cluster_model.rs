//! The cluster's three promises as small machines, every order of their steps tried: the relay and its fence, reactions
//! and their claims, effects and the attempt that comes before them. Without its rule each promise must be found broken.

use stateright::{Checker, Model};

mod reaction;
mod relay;

use reaction::Sending;
use relay::Relays;

/// Every reachable state of a machine; the promises that hold in all of them are asserted by the caller.
fn every_state<M>(machine: M) -> impl Checker<M>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Send + Sync + std::fmt::Debug + std::hash::Hash + PartialEq + 'static,
    M::Action: Clone + Send + Sync + std::fmt::Debug + PartialEq,
{
    let checked = machine.checker().threads(2).spawn_bfs().join();
    assert!(checked.is_done(), "not every state was reached");
    checked
}

#[test]
fn two_relays_never_write_anything_but_the_log() {
    every_state(Relays { fenced: true }).assert_properties();
}

#[test]
fn without_the_fence_two_relays_are_found_to_repeat() {
    let checked = every_state(Relays { fenced: false });
    checked.assert_any_discovery("the stream mirrors the log");
}

#[test]
fn two_replicas_react_once_and_send_what_they_meant_to() {
    let promise = Sending { causes: 1, attempts: 2, deaths: 2, intent_first: true };
    every_state(promise).assert_properties();
}

#[test]
fn replicas_that_take_over_leave_no_cause_behind() {
    let checked = every_state(Sending { causes: 2, attempts: 0, deaths: 2, intent_first: true });
    for promise in ["a claim is written once", "what is marked as settled is", "nothing is left behind"] {
        checked.assert_no_discovery(promise);
    }
}

#[test]
fn an_effect_before_its_attempt_is_found() {
    let checked = every_state(Sending { causes: 1, attempts: 2, deaths: 2, intent_first: false });
    checked.assert_any_discovery("every effect was an attempt in the log before");
    checked.assert_any_discovery("no attempt is carried out twice");
}
