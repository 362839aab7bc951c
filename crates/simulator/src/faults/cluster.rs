//! One log and the running instances of the services over it, each of which may end at any point and begin anew.

use std::sync::Arc;

use analytics::Analytics;
use decider::{Core, Micros};
use eventlog::store::Store;
use eventlog::{Clock, Keys, Log, Memory, Service};
use ticket::Event;

use super::book::{Answer, Asked, Request};
use super::dice::Dice;
use super::faulty::Faulty;
use super::interleave::{Course, turn};
use super::law::{Broken, Holds};
use super::{Cast, Invariant};

/// The running instances of one service; never none.
pub(crate) type Instances<C> = Vec<Arc<Service<C>>>;

/// A service, by what it does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Intake,
    Monitor,
    Analytics,
}

/// The log and everybody who runs over it.
pub(crate) struct Cluster<C: Cast> {
    pub(crate) clock: Clock,
    pub(crate) memory: Arc<Memory>,
    pub(crate) faulty: Arc<Faulty>,
    pub(crate) log: Arc<Log>,
    pub(crate) intakes: Instances<C::Intake>,
    pub(crate) monitors: Instances<C::Monitor>,
    pub(crate) analytics: Instances<Analytics>,
}

impl<C: Cast> Cluster<C> {
    /// An empty log, and one instance of each service.
    pub(crate) async fn begin(seed: u64, start: Micros) -> Result<Self, Broken> {
        let memory = Arc::new(Memory::new());
        let faulty = Arc::new(Faulty::new(Arc::clone(&memory), seed ^ 1, C::LOSES_APPENDS));
        let log = Log::open(Arc::clone(&faulty) as Arc<dyn Store>, Keys::memory(seed));
        let clock = Clock::by_hand(start);
        Ok(Self {
            intakes: vec![started(&log, &clock).await?],
            monitors: vec![started(&log, &clock).await?],
            analytics: vec![started(&log, &clock).await?],
            clock,
            memory,
            faulty,
            log,
        })
    }

    /// Starts one more instance, from the latest snapshot or, if that was forgotten, from the log alone.
    pub(crate) async fn start(&mut self, role: Role, forgotten: bool) -> Holds {
        self.faulty.set_forgetful(forgotten);
        self.faulty.set_calm(true);
        match role {
            Role::Intake => self.intakes.push(started(&self.log, &self.clock).await?),
            Role::Monitor => self.monitors.push(started(&self.log, &self.clock).await?),
            Role::Analytics => self.analytics.push(started(&self.log, &self.clock).await?),
        }
        self.faulty.set_calm(false);
        self.faulty.set_forgetful(false);
        Ok(())
    }

    /// Ends the oldest instance where it stands.
    pub(crate) fn end(&mut self, role: Role) {
        match role {
            Role::Intake => drop(self.intakes.remove(0)),
            Role::Monitor => drop(self.monitors.remove(0)),
            Role::Analytics => drop(self.analytics.remove(0)),
        }
    }

    /// How many instances run.
    pub(crate) fn count(&self, role: Role) -> usize {
        match role {
            Role::Intake => self.intakes.len(),
            Role::Monitor => self.monitors.len(),
            Role::Analytics => self.analytics.len(),
        }
    }

    /// A request, sent to any instance.
    pub(crate) fn send(&self, dice: &mut Dice, request: &Request) -> Course<Answer> {
        let ask = request.ask.clone();
        match request.asked.clone() {
            Asked::Intake(command) => {
                let service = Arc::clone(dice.one(&self.intakes));
                Box::pin(async move { Answer::of(service.ask(&ask, &command).await) })
            }
            Asked::Monitor(command) => {
                let service = Arc::clone(dice.one(&self.monitors));
                Box::pin(async move { Answer::of(service.ask(&ask, &command).await) })
            }
            Asked::Analytics(command) => {
                let service = Arc::clone(dice.one(&self.analytics));
                Box::pin(async move { Answer::of(service.ask(&ask, &command).await) })
            }
        }
    }

    /// Any instance reacts and fires what is due, whether it is the only one to do so or not.
    pub(crate) fn work(&self, dice: &mut Dice, role: Role) -> Course<()> {
        match role {
            Role::Intake => work(dice.one(&self.intakes)),
            Role::Monitor => work(dice.one(&self.monitors)),
            Role::Analytics => work(dice.one(&self.analytics)),
        }
    }

    /// Any instance keeps a snapshot.
    pub(crate) fn keep(&self, dice: &mut Dice, role: Role) -> Course<()> {
        match role {
            Role::Intake => keep(dice.one(&self.intakes)),
            Role::Monitor => keep(dice.one(&self.monitors)),
            Role::Analytics => keep(dice.one(&self.analytics)),
        }
    }

    /// Every instance follows the log, without end.
    pub(crate) fn followers(&self) -> Vec<Course<()>> {
        let mut followers: Vec<_> = self.intakes.iter().map(follow).collect();
        followers.extend(self.monitors.iter().map(follow));
        followers.extend(self.analytics.iter().map(follow));
        followers
    }

    /// Every instance reacts and fires, one after the other.
    pub(crate) async fn work_all(&self) -> Holds {
        let failed = |error| Invariant::Progress.broken(error);
        for service in &self.intakes {
            service.step().await.map_err(failed)?;
        }
        for service in &self.monitors {
            service.step().await.map_err(failed)?;
        }
        for service in &self.analytics {
            service.step().await.map_err(failed)?;
        }
        Ok(())
    }

    /// Every instance folds to the head.
    pub(crate) async fn catch_up_all(&self) -> Holds {
        let failed = |error| Invariant::Progress.broken(error);
        for service in &self.intakes {
            service.catch_up().await.map_err(failed)?;
        }
        for service in &self.monitors {
            service.catch_up().await.map_err(failed)?;
        }
        for service in &self.analytics {
            service.catch_up().await.map_err(failed)?;
        }
        Ok(())
    }

    /// When something falls due next with the oldest instance.
    pub(crate) fn next_due(&self, role: Role) -> Option<Micros> {
        match role {
            Role::Intake => self.intakes[0].view(<C::Intake as Core>::next_due),
            Role::Monitor => self.monitors[0].view(<C::Monitor as Core>::next_due),
            Role::Analytics => None,
        }
    }
}

/// A service that starts from the latest snapshot, or from the log.
pub(crate) async fn started<C: Core<Event = Event>>(log: &Arc<Log>, clock: &Clock) -> Result<Arc<Service<C>>, Broken> {
    Service::start(Arc::clone(log), clock.clone()).await.map_err(|error| Invariant::Progress.broken(error))
}

// What fails here is tried again another time, as the loop of a process would.

fn work<C: Core<Event = Event>>(service: &Arc<Service<C>>) -> Course<()> {
    let service = Arc::clone(service);
    Box::pin(async move { drop(service.step().await) })
}

fn keep<C: Core<Event = Event>>(service: &Arc<Service<C>>) -> Course<()> {
    let service = Arc::clone(service);
    Box::pin(async move { drop(service.snapshot().await) })
}

fn follow<C: Core<Event = Event>>(service: &Arc<Service<C>>) -> Course<()> {
    let service = Arc::clone(service);
    Box::pin(async move {
        loop {
            drop(service.catch_up().await);
            turn().await;
        }
    })
}
