//! A broken dispatch, a broken notifier, broken senders.

use decider::{At, Core, Decided, Micros, Reaction, Read, Versions};
use dispatch::Dispatch;
use notifier::Notifier;
use simulator::faults::Invariant;
use ticket::dispatch::DispatchEvent;
use ticket::notifier::{NotifierEvent, Then};
use ticket::{Event, Recorded};

use super::courier::{Courier, Hasty, Rash};
use super::{Twist, WithCarrier, WithDispatch, WithNotifier, found_out};

/// Decides without the guards of one family of streams: what it read there may have moved.
fn decided_blindly(
    family: &str,
    command: &dispatch::Command,
    read: &Read<'_, dispatch::State>,
    at: &At,
) -> Result<Decided<Event>, dispatch::Refusal> {
    let nothing = Versions::default();
    let aside = Read::new(read.look(), &nothing, &at.tenant);
    let decided = Dispatch::decide(command, &aside, at);
    for stream in aside.into_guards().keys().filter(|stream| stream.family() != family) {
        read.guard(stream);
    }
    decided
}

struct BooksBlindly;

impl Twist for BooksBlindly {
    type Of = Dispatch;

    fn decide(
        command: &dispatch::Command,
        read: &Read<'_, dispatch::State>,
        at: &At,
    ) -> Result<Decided<Event>, dispatch::Refusal> {
        decided_blindly("engineer", command, read, at)
    }
}

#[test]
fn a_dispatch_that_does_not_guard_the_engineer() {
    found_out::<WithDispatch<BooksBlindly>>(&[Invariant::Booking]);
}

struct OffersBlindly;

impl Twist for OffersBlindly {
    type Of = Dispatch;

    fn decide(
        command: &dispatch::Command,
        read: &Read<'_, dispatch::State>,
        at: &At,
    ) -> Result<Decided<Event>, dispatch::Refusal> {
        decided_blindly("ticket", command, read, at)
    }
}

#[test]
fn a_dispatch_that_does_not_guard_the_ticket() {
    found_out::<WithDispatch<OffersBlindly>>(&[Invariant::Booking, Invariant::DispatchNoDrop]);
}

struct ForgetsOffers;

impl Twist for ForgetsOffers {
    type Of = Dispatch;

    fn due(state: &dispatch::State, now: Micros, limit: usize) -> Vec<Reaction<dispatch::Command>> {
        let mut due = Dispatch::due(state, now, limit);
        due.retain(|reaction| !matches!(reaction.command, dispatch::Command::Expire(_)));
        due
    }
}

#[test]
fn a_dispatch_that_forgets_when_an_offer_ends() {
    found_out::<WithDispatch<ForgetsOffers>>(&[Invariant::DispatchNoDrop]);
}

struct IgnoresSkills;

impl Twist for IgnoresSkills {
    type Of = Dispatch;

    fn decide(
        command: &dispatch::Command,
        read: &Read<'_, dispatch::State>,
        at: &At,
    ) -> Result<Decided<Event>, dispatch::Refusal> {
        let mut decided = Dispatch::decide(command, read, at)?;
        for (_, event) in &mut decided {
            if let Event::Dispatch(DispatchEvent::VisitPlanned { job, .. }) = event {
                job.skills.insert("diving".to_owned(), 1);
            }
        }
        Ok(decided)
    }

    fn evolve(state: &mut dispatch::State, event: &Recorded) {
        let mut event = event.clone();
        if let Event::Dispatch(DispatchEvent::VisitPlanned { job, .. }) = &mut event.event {
            job.skills.clear();
        }
        Dispatch::evolve(state, &event);
    }
}

#[test]
fn a_dispatch_that_sends_whom_the_rules_forbid() {
    found_out::<WithDispatch<IgnoresSkills>>(&[Invariant::Booking]);
}

struct ForgetsRetries;

impl Twist for ForgetsRetries {
    type Of = Notifier;

    fn evolve(state: &mut notifier::State, event: &Recorded) {
        let mut event = event.clone();
        if let Event::Notifier(NotifierEvent::AttemptFailed { then: then @ Then::Retry { .. }, .. }) = &mut event.event
        {
            *then = Then::Retry { at: Micros::MAX };
        }
        Notifier::evolve(state, &event);
    }
}

#[test]
fn a_notifier_that_forgets_to_try_again() {
    found_out::<WithNotifier<ForgetsRetries>>(&[Invariant::Effects]);
}

#[test]
fn a_sender_that_sends_what_another_has_begun() {
    found_out::<WithCarrier<Courier<Rash>>>(&[Invariant::Effects]);
}

#[test]
fn a_sender_that_sends_before_the_log_says_so() {
    found_out::<WithCarrier<Courier<Hasty>>>(&[Invariant::Effects]);
}
