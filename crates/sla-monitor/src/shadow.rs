//! A policy in the shadow of the one of its name: looked at beside what is in force, moving nobody's clock and reminding
//! nobody. Its document is all that is recorded of it; what it would have come to follows from what happened.

use decider::{At, Core, Decided, Micros, Read, Tenant};
use ticket::house::HouseEvent;
use ticket::{Event, stream};

use crate::command::{Refusal, SlaMonitor};
use crate::documents::{Edition, SHADOW_POLICY};
use crate::policy::Policy;
use crate::state::{Desk, State};

/// How long a policy runs in the shadow of the one of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// Since when.
    pub start: Micros,
    /// Until when, if it was withdrawn or made live.
    pub end: Option<Micros>,
}

/// The shadow of this name: the one that runs, or the last that did.
pub fn shadow(state: &State, tenant: &Tenant, name: &str) -> Option<Shadow> {
    find(state.desk(tenant)?, name).map(|(_, shadow)| shadow)
}

/// As [`shadow`], with its document. It is made live when a policy of its name says the same.
pub(crate) fn find<'a>(desk: &'a Desk, name: &str) -> Option<(&'a Edition<Policy>, Shadow)> {
    let editions = desk.shadows.get(name)?;
    let place = editions.iter().rposition(|edition| edition.kept.is_some())?;
    let edition = &editions[place];
    let withdrawn = editions.get(place + 1).map(|next| next.at);
    let since = |live: &&Edition<Policy>| live.position > edition.position && live.says(edition);
    let live = desk.policies.get(name).into_iter().flatten().find(since).map(|live| live.at);
    Some((edition, Shadow { start: edition.at, end: withdrawn.into_iter().chain(live).min() }))
}

/// A person ends one.
pub(crate) fn withdraw(name: &str, read: &Read<'_, State>, at: &At) -> Result<Decided<Event>, Refusal> {
    let stream = stream::config(SlaMonitor::NAME, SHADOW_POLICY, name);
    let editions = read.guard(&stream).desk(&at.tenant).and_then(|desk| desk.shadows.get(name));
    let last = editions.and_then(|editions| editions.last()).ok_or_else(|| Refusal::ShadowUnknown(name.to_owned()))?;
    if last.kept.is_none() {
        return Ok(Vec::new());
    }
    let (kind, name) = (SHADOW_POLICY.to_owned(), name.to_owned());
    Ok(vec![(stream, Event::House(HouseEvent::ConfigRetired { kind, name }))])
}
