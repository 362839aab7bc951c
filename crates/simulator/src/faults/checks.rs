//! What must hold of the services' own states: in every moment of calm, and once more thoroughly at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use analytics::Analytics;
use decider::{Core, Tenant};
use eventlog::Service;
use eventlog::store::{Select, Store};
use serde_json::Value;
use ticket::Event;
use uuid::Uuid;

use super::cluster::{Instances, started};
use super::law::{Broken, Holds};
use super::people::{CANARY, TENANTS};
use super::world::World;
use super::{Cast, Invariant};

/// What holds once everybody has reacted to the head. Gives how many tickets' next call nobody would hear.
pub(crate) fn in_calm<C: Cast>(world: &World<C>) -> Result<usize, Broken> {
    let now = world.cluster.clock.now();
    world.book.check(&world.truth)?;
    let unheard = world.truth.check_no_drop(now)?;
    for monitor in &world.cluster.monitors {
        let holes = monitor.view(|state| sla_monitor::check::holes(state, now));
        let named: Vec<_> = holes.iter().map(|hole| hole.ticket).collect::<BTreeSet<_>>().into_iter().collect();
        Invariant::NoDrop
            .holds(named == unheard, || format!("nobody hears {unheard:?}, sla-monitor finds {holes:?}"))?;
        monitor.view(|state| deadlines(world, state))?;
    }
    for intake in &world.cluster.intakes {
        intake.view(|state| tickets(world, state))?;
    }
    world.truth.check_clocks(now)?;
    world.truth.check_field(now)?;
    world.truth.check_reminders(now)?;
    Ok(unheard.len())
}

/// sla-monitor watches exactly the next steps that the log names, and nothing of tickets that have ended.
fn deadlines<C: Cast>(world: &World<C>, state: &sla_monitor::State) -> Holds {
    for tenant in TENANTS.map(Tenant::new) {
        let (listed, _) = sla_monitor::view::deadlines(state, &tenant, None, None, usize::MAX - 1);
        let mut attended = BTreeMap::new();
        for deadline in listed {
            let known = world.truth.tickets.get(&deadline.ticket).filter(|known| known.tenant == tenant);
            let known = known.ok_or_else(|| Invariant::Tenants.broken(format!("{deadline:?} is not of {tenant}")))?;
            Invariant::NoDrop
                .holds(!known.course.phase.ended(), || format!("{deadline:?}, but the ticket has ended"))?;
            if deadline.clock == "attention" {
                attended.insert(deadline.ticket, deadline.at);
            }
        }
        let owed = world.truth.tickets.iter().filter(|(_, known)| known.tenant == tenant);
        let owed: BTreeMap<_, _> = owed.filter_map(|(id, known)| Some((*id, known.due_at()?))).collect();
        let differs = owed.iter().find(|(id, due_at)| attended.get(id) != Some(due_at));
        Invariant::NoDrop.holds(attended == owed, || {
            format!("the log names {differs:?}, sla-monitor {:?}", differs.and_then(|(id, _)| attended.get(id)))
        })?;
    }
    Ok(())
}

/// Intake knows of every ticket where it stands, and whose it is.
fn tickets<C: Cast>(world: &World<C>, state: &intake::State) -> Holds {
    for tenant in TENANTS.map(Tenant::new) {
        let Some(house) = state.house(&tenant) else { continue };
        for (id, ticket) in &house.tickets {
            let known = world.truth.tickets.get(id).filter(|known| known.tenant == tenant);
            let known = known.ok_or_else(|| Invariant::Tenants.broken(format!("{id} is not of {tenant}")))?;
            Invariant::Lifecycle.holds(ticket.course == known.course, || {
                format!("intake has {id} as {:?}, the log as {:?}", ticket.course, known.course)
            })?;
        }
        let theirs = world.truth.tickets.values().filter(|known| known.tenant == tenant).count();
        Invariant::Lifecycle.holds(house.tickets.len() == theirs, || {
            format!("intake knows {} of {theirs} tickets of {tenant}", house.tickets.len())
        })?;
    }
    Ok(())
}

/// What holds once it is all over.
pub(crate) async fn at_the_end<C: Cast>(world: &mut World<C>) -> Holds {
    eventlog::verify::verify(&world.cluster.log).await.map_err(|error| Invariant::Log.broken(error))?;
    rebuilt(world, &world.cluster.intakes).await?;
    rebuilt(world, &world.cluster.monitors).await?;
    rebuilt(world, &world.cluster.dispatchers).await?;
    rebuilt(world, &world.cluster.notifiers).await?;
    rebuilt::<C, Analytics>(world, &world.cluster.analytics).await?;
    let before = world.truth.position;
    world.look().await?;
    Invariant::Rebuild.holds(world.truth.position == before, || "services built anew wrote events".into())?;
    privacy(world).await
}

/// A service from the log alone, and one from the snapshot of one that ran, are the ones that ran.
async fn rebuilt<C: Cast, S: Core<Event = Event>>(world: &World<C>, ran: &Instances<S>) -> Holds {
    let mut kept = Vec::new();
    for service in ran {
        kept.push(bytes(world, service).await?);
    }
    let from_snapshot = started::<S>(&world.cluster.log, &world.cluster.clock).await?;
    kept.push(bytes(world, &from_snapshot).await?);
    world.cluster.faulty.set_forgetful(true);
    let from_log = started::<S>(&world.cluster.log, &world.cluster.clock).await?;
    world.cluster.faulty.set_forgetful(false);
    kept.push(bytes(world, &from_log).await?);
    let alike = kept.windows(2).all(|pair| pair[0] == pair[1]);
    Invariant::Rebuild.holds(alike, || {
        let lengths: Vec<_> = kept.iter().map(Vec::len).collect();
        format!("{} differs by how it was built: {lengths:?} bytes", S::NAME)
    })?;
    let plain = kept[0].windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
    Invariant::Privacy.holds(!plain, || format!("the snapshot of {} holds personal data in plain", S::NAME))?;
    for service in [from_snapshot, from_log] {
        service.step().await.map_err(|error| Invariant::Progress.broken(error))?;
    }
    Ok(())
}

/// All that a service has folded: the bytes of its snapshot.
async fn bytes<C: Cast, S: Core<Event = Event>>(
    world: &World<C>,
    service: &Arc<Service<S>>,
) -> Result<Vec<u8>, Broken> {
    let failed = |error| Invariant::Rebuild.broken(error);
    service.snapshot().await.map_err(failed)?;
    let name = format!("{}/{}", S::NAME, S::FOLD);
    let row = world.cluster.memory.snapshot(&name).await.map_err(failed)?;
    row.map(|row| row.bytes).ok_or_else(|| Invariant::Rebuild.broken(format!("{} keeps no snapshot", S::NAME)))
}

/// What was erased does not open, what was not erased does.
async fn privacy<C: Cast>(world: &World<C>) -> Holds {
    let failed = |error| Invariant::Privacy.broken(error);
    for (id, known) in &world.truth.tickets {
        let select = Select::Correlation { tenant: known.tenant.as_str().to_owned(), ticket: *id };
        let rows = world.cluster.memory.read(&select, None, 0, 1_000).await.map_err(failed)?;
        let bodies = rows.iter().map(|row| serde_json::from_slice(&row.body)).collect::<Result<Vec<Value>, _>>();
        let mut bodies = Value::Array(bodies.map_err(|error| Invariant::Log.broken(error))?);
        world.cluster.log.reveal(&known.tenant, &mut bodies).await.map_err(failed)?;
        let reads = bodies.to_string().contains(CANARY);
        let erased = known.customer.is_some_and(|customer| is_erased(world, &known.tenant, customer));
        Invariant::Privacy.holds(reads != erased, || {
            format!(
                "ticket {id}: its customer {} erased, and it {}",
                word(erased),
                if reads { "reads" } else { "does not" }
            )
        })?;
    }
    Ok(())
}

fn is_erased<C: Cast>(world: &World<C>, tenant: &Tenant, customer: Uuid) -> bool {
    world.erased.contains(&(tenant.clone(), customer))
}

fn word(erased: bool) -> &'static str {
    if erased { "was" } else { "was not" }
}
