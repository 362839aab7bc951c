//! A service day: people as clients of a running cluster, each an actor who looks at what is and does what is theirs.
//!
//! Nobody follows a script. What an order will go through is drawn from the seed; when something is done follows from the
//! state it is found in. So a day that was broken off is played on by playing it again: what was acknowledged before is
//! answered the same, or found done.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chassis::endpoints::Endpoints;
use chassis::token::DevKey;
use decider::Micros;
use eventlog::Clock;
use tokio::task::JoinSet;

mod board;
mod cast;
mod desk;
mod engineer;
mod field;
mod office;
mod person;
mod plan;
mod stage;
mod verb;
mod weather;

pub use cast::Cast;
pub use plan::{DAY_MINUTES, MINUTE_US};
pub use stage::{Progress, Stage};

/// Longest wait between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a day is played with.
pub struct Setting {
    /// Where the cluster's services listen.
    pub endpoints: Endpoints,
    /// Signs the people's tokens.
    pub key: DevKey,
    /// Whose day it is.
    pub tenant: String,
    /// The cluster's business clock.
    pub clock: Clock,
    /// Business time at which the day begins.
    pub start_us: Micros,
    /// The same seed draws the same orders.
    pub seed: u64,
    /// How many orders come in.
    pub orders: usize,
    /// Takes a line for every acknowledged request, on the disk before the actor goes on.
    pub acks: Option<PathBuf>,
    /// Where the mail and webhook server keeps its files.
    pub sink: PathBuf,
}

/// Plays until the evening; the first call that is refused as wrong, and not as too late, ends the play.
pub async fn play(stage: &Arc<Stage>) -> anyhow::Result<()> {
    let evening = stage.evening_us();
    let from = board::load(stage).await?;
    if stage.clock().now() >= evening {
        return Ok(());
    }
    office::introduce(stage).await?;
    let mut actors = JoinSet::new();
    actors.spawn(board::watch(Arc::clone(stage), from));
    actors.spawn(weather::outage(Arc::clone(stage)));
    actors.spawn(weather::illness(Arc::clone(stage)));
    for (number, person) in stage.people.customers.iter().enumerate() {
        actors.spawn(desk::live(Arc::clone(stage), Arc::clone(person), desk::Part::Customer(number)));
    }
    for (number, person) in stage.people.agents.iter().enumerate() {
        actors.spawn(desk::live(Arc::clone(stage), Arc::clone(person), desk::Part::Agent(number)));
    }
    for (number, person) in stage.people.supervisors.iter().enumerate() {
        actors.spawn(desk::live(Arc::clone(stage), Arc::clone(person), desk::Part::Supervisor(number)));
        actors.spawn(office::explain(Arc::clone(stage), Arc::clone(person), number));
    }
    for (number, person) in stage.people.dispatchers.iter().enumerate() {
        actors.spawn(office::assign(Arc::clone(stage), Arc::clone(person), number));
    }
    for (number, person) in stage.people.engineers.iter().enumerate() {
        actors.spawn(engineer::live(Arc::clone(stage), Arc::clone(person), number));
    }
    for person in stage.people.office() {
        actors.spawn(office::answer(Arc::clone(stage), Arc::clone(person)));
    }
    loop {
        tokio::select! {
            ended = actors.join_next() => match ended {
                Some(ended) => ended??,
                None => return Ok(()),
            },
            () = tokio::time::sleep(stage.clock().wait(evening, LOOK_EVERY)) => {
                if stage.clock().now() >= evening {
                    return Ok(());
                }
            }
        }
    }
}
