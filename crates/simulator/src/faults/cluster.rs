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
use super::outside::Outside;
use super::{Carrier, Cast, Invariant};

/// The running instances of one service; never none.
pub(crate) type Instances<C> = Vec<Arc<Service<C>>>;

/// A service, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Intake,
    Monitor,
    Dispatch,
    Notifier,
    Analytics,
}

/// The log and everybody who runs over it.
pub(crate) struct Cluster<C: Cast> {
    pub(crate) clock: Clock,
    pub(crate) memory: Arc<Memory>,
    pub(crate) faulty: Arc<Faulty>,
    pub(crate) outside: Arc<Outside>,
    pub(crate) log: Arc<Log>,
    pub(crate) intakes: Instances<C::Intake>,
    pub(crate) monitors: Instances<C::Monitor>,
    pub(crate) dispatchers: Instances<C::Dispatch>,
    pub(crate) notifiers: Instances<C::Notifier>,
    pub(crate) analytics: Instances<Analytics>,
    /// Beside each notifier, whoever carries out what it intends.
    carriers: Vec<Arc<C::Carrier>>,
}

/// The same for the instances of the service that plays a role.
macro_rules! whoever {
    ($role:expr, [$($borrow:tt)+], |$instances:ident| $body:expr) => {
        match $role {
            Role::Intake => whoever!($($borrow)+.intakes, $instances, $body),
            Role::Monitor => whoever!($($borrow)+.monitors, $instances, $body),
            Role::Dispatch => whoever!($($borrow)+.dispatchers, $instances, $body),
            Role::Notifier => whoever!($($borrow)+.notifiers, $instances, $body),
            Role::Analytics => whoever!($($borrow)+.analytics, $instances, $body),
        }
    };
    ($of:expr, $instances:ident, $body:expr) => {{
        let $instances = $of;
        $body
    }};
}

impl Role {
    /// Every service.
    pub(crate) const ALL: [Self; 5] = [Self::Intake, Self::Monitor, Self::Dispatch, Self::Notifier, Self::Analytics];
}

impl<C: Cast> Cluster<C> {
    /// An empty log, and one instance of each service.
    pub(crate) async fn begin(seed: u64, start: Micros) -> Result<Self, Broken> {
        let memory = Arc::new(Memory::new());
        let faulty = Arc::new(Faulty::new(Arc::clone(&memory), seed ^ 1, C::LOSES_APPENDS));
        let outside = Arc::new(Outside::new(Arc::clone(&memory), seed ^ 3));
        let log = Log::open(Arc::clone(&faulty) as Arc<dyn Store>, Keys::memory(seed));
        let clock = Clock::by_hand(start);
        let notifiers = vec![started(&log, &clock).await?];
        let carriers = vec![Arc::new(C::Carrier::begin(&notifiers[0], &outside))];
        Ok(Self {
            intakes: vec![started(&log, &clock).await?],
            monitors: vec![started(&log, &clock).await?],
            dispatchers: vec![started(&log, &clock).await?],
            analytics: vec![started(&log, &clock).await?],
            notifiers,
            carriers,
            clock,
            memory,
            faulty,
            outside,
            log,
        })
    }

    /// Starts one more instance, from the latest snapshot or, if that was forgotten, from the log alone.
    pub(crate) async fn start(&mut self, role: Role, forgotten: bool) -> Holds {
        self.faulty.set_forgetful(forgotten);
        self.faulty.set_calm(true);
        whoever!(role, [&mut self], |instances| instances.push(started(&self.log, &self.clock).await?));
        if let (Role::Notifier, Some(notifier)) = (role, self.notifiers.last()) {
            self.carriers.push(Arc::new(C::Carrier::begin(notifier, &self.outside)));
        }
        self.faulty.set_calm(false);
        self.faulty.set_forgetful(false);
        Ok(())
    }

    /// Ends the oldest instance where it stands.
    pub(crate) fn end(&mut self, role: Role) {
        whoever!(role, [&mut self], |instances| drop(instances.remove(0)));
        if role == Role::Notifier {
            self.carriers.remove(0);
            // Whoever is left takes the lease up, and with it what the other left in flight.
            (0..self.carriers.len()).for_each(|place| self.carry_anew(place));
        }
    }

    /// How many instances run.
    pub(crate) fn count(&self, role: Role) -> usize {
        whoever!(role, [&self], |instances| instances.len())
    }

    /// A request, sent to any instance.
    pub(crate) fn send(&self, dice: &mut Dice, request: &Request) -> Course<Answer> {
        let ask = &request.ask;
        match request.asked.clone() {
            Asked::Intake(command) => asked(dice.one(&self.intakes), ask, command),
            Asked::Monitor(command) => asked(dice.one(&self.monitors), ask, command),
            Asked::Dispatch(command) => asked(dice.one(&self.dispatchers), ask, command),
            Asked::Notifier(command) => asked(dice.one(&self.notifiers), ask, command),
            Asked::Analytics(command) => asked(dice.one(&self.analytics), ask, command),
        }
    }

    /// Any instance reacts and fires what is due, whether it is the only one to do so or not.
    pub(crate) fn work(&self, dice: &mut Dice, role: Role) -> Course<()> {
        whoever!(role, [&self], |instances| work(dice.one(instances)))
    }

    /// Any of those who may does in the world what is owed; says which.
    pub(crate) fn carry(&self, dice: &mut Dice) -> (usize, Course<()>) {
        let place = dice.below(self.carriers.len());
        let carrier = Arc::clone(&self.carriers[place]);
        (place, Box::pin(async move { drop(carrier.step().await) }))
    }

    /// Whoever was at this place died; somebody new begins there.
    pub(crate) fn carry_anew(&mut self, place: usize) {
        if let (Some(carrier), Some(notifier)) = (self.carriers.get_mut(place), self.notifiers.get(place)) {
            *carrier = Arc::new(C::Carrier::begin(notifier, &self.outside));
        }
    }

    /// Any instance keeps a snapshot.
    pub(crate) fn keep(&self, dice: &mut Dice, role: Role) -> Course<()> {
        whoever!(role, [&self], |instances| keep(dice.one(instances)))
    }

    /// Every instance follows the log, without end.
    pub(crate) fn followers(&self) -> Vec<Course<()>> {
        let of =
            |role| -> Vec<Course<()>> { whoever!(role, [&self], |instances| instances.iter().map(follow).collect()) };
        Role::ALL.into_iter().flat_map(of).collect()
    }

    /// Every instance reacts and fires, one after the other; then what is owed to the world is done.
    pub(crate) async fn work_all(&self) -> Holds {
        for role in Role::ALL {
            whoever!(role, [&self], |instances| for service in instances {
                service.step().await.map_err(|error| Invariant::Progress.broken(error))?;
            });
        }
        for carrier in &self.carriers {
            carrier.step().await.map_err(|error| Invariant::Progress.broken(error))?;
        }
        Ok(())
    }

    /// Every instance folds to the head.
    pub(crate) async fn catch_up_all(&self) -> Holds {
        for role in Role::ALL {
            whoever!(role, [&self], |instances| for service in instances {
                service.catch_up().await.map_err(|error| Invariant::Progress.broken(error))?;
            });
        }
        Ok(())
    }

    /// When something falls due next with the oldest instance.
    pub(crate) fn next_due(&self, role: Role) -> Option<Micros> {
        whoever!(role, [&self], |instances| next_due(&instances[0]))
    }
}

/// A service that starts from the latest snapshot, or from the log.
pub(crate) async fn started<C: Core<Event = Event>>(log: &Arc<Log>, clock: &Clock) -> Result<Arc<Service<C>>, Broken> {
    Service::start(Arc::clone(log), clock.clone()).await.map_err(|error| Invariant::Progress.broken(error))
}

fn asked<C: Core<Event = Event>>(
    service: &Arc<Service<C>>,
    ask: &eventlog::service::Ask,
    command: C::Command,
) -> Course<Answer> {
    let (service, ask) = (Arc::clone(service), ask.clone());
    Box::pin(async move { Answer::of(service.ask(&ask, &command).await) })
}

fn next_due<C: Core<Event = Event>>(service: &Arc<Service<C>>) -> Option<Micros> {
    service.view(C::next_due)
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
