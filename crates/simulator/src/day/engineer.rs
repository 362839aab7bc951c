//! An engineer with a phone: looks at the list of their own work now and then, or hears of changes; does what is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use decider::Micros;
use proto::dispatch::v1::{ListMyWorkRequest, Visit, VisitState, WatchMyWorkRequest, WatchMyWorkResponse};
use tonic::{Response, Streaming};

use super::field::{self, Knows, PAUSE};
use super::person::Person;
use super::plan::MINUTE_US;
use super::stage::{Stage, asks_again, explain};
use super::verb::{Wish, ticket_of};

/// How often the list is looked at,
const POLL_US: Micros = 4 * MINUTE_US;
/// but not more often than that, however fast the day goes by.
const POLL_LEAST: Duration = Duration::from_millis(400);
/// Every so many phones one keeps a stream open, to hear of changes at once.
const LISTENS: usize = 10;

/// Lives through the day.
pub(crate) async fn live(stage: Arc<Stage>, person: Arc<Person>, number: usize) -> anyhow::Result<()> {
    let mut heard = None;
    // When the last step of a visit happened, by its name.
    let mut since = BTreeMap::new();
    let mut min_position = String::new();
    loop {
        if heard.is_none() && number.is_multiple_of(LISTENS) {
            heard = person.dispatch().watch_my_work(WatchMyWorkRequest::default()).await.ok().map(Response::into_inner);
        }
        let Some(visits) = work(&person, &min_position).await? else {
            stage.wait(stage.clock().now() + MINUTE_US).await;
            continue;
        };
        let now = stage.clock().now();
        let mut wishes = wishes(&stage, &person, &visits, &since);
        wishes.sort_by_key(|wish| wish.due);
        let Some(wish) = wishes.first().filter(|wish| wish.due <= now) else {
            let next = wishes.first().map_or(Micros::MAX, |wish| wish.due).min(now + POLL_US);
            tokio::select! {
                () = changed(&mut heard) => {}
                () = async { tokio::join!(stage.wait(next), tokio::time::sleep(POLL_LEAST)); } => {}
            }
            continue;
        };
        if let Some(answered) = stage.perform(&person, wish).await? {
            min_position = answered.log_position;
            since.insert(wish.target.clone(), wish.occurred_at.unwrap_or_else(|| stage.clock().now()));
        }
    }
}

/// The list of the engineer's own work; none if the server asks to come again.
pub(crate) async fn work(person: &Person, min_position: &str) -> anyhow::Result<Option<Vec<Visit>>> {
    let asked = ListMyWorkRequest { min_position: min_position.to_owned() };
    match person.dispatch().list_my_work(asked).await {
        Ok(answer) => Ok(Some(answer.into_inner().visits)),
        Err(status) if asks_again(&status) => Ok(None),
        Err(status) => Err(explain(&status).context("the list of one's own work")),
    }
}

/// What is wished for: one visit is ended before the next is begun, offers are answered all the same.
fn wishes(stage: &Stage, person: &Person, visits: &[Visit], since: &BTreeMap<String, Micros>) -> Vec<Wish> {
    let busy = visits.iter().any(field::is_under_way);
    let possible = |visit: &&Visit| !busy || field::is_under_way(visit) || visit.state() == VisitState::Offered;
    let wish = |visit: &Visit| {
        let order = stage.board.order(ticket_of(&visit.name)).and_then(|number| stage.orders.get(number));
        let paused = stage.is_done(&person.subject, &visit.name, PAUSE);
        let wish = field::next(visit, Knows { order, since: since.get(&visit.name).copied(), paused })?;
        (!stage.is_done(&person.subject, &wish.target, &wish.step)).then_some(wish)
    };
    visits.iter().filter(possible).filter_map(wish).collect()
}

/// Waits for the phone to say that something changed; for ever if nothing is heard at all.
async fn changed(heard: &mut Option<Streaming<WatchMyWorkResponse>>) {
    match heard {
        Some(stream) => {
            if !matches!(stream.message().await, Ok(Some(_))) {
                *heard = None;
            }
        }
        None => std::future::pending().await,
    }
}
