//! Users, services and time: a step is some things at once, in an order that the dice choose, and some of them break off.

use std::collections::{BTreeMap, BTreeSet};

use decider::{Micros, Tenant};
use eventlog::store::{Select, Store};
use uuid::Uuid;

use super::book::{Answer, Book, Request};
use super::cluster::{Cluster, Role};
use super::dice::Dice;
use super::interleave::{Task, interleave};
use super::law::{Broken, Holds};
use super::people::{People, TENANTS};
use super::truth::Truth;
use super::{Cast, Invariant, Options, Reached, Violation, checks, config, wishes};

mod tasks;

use tasks::Outcome;

const SECOND_US: Micros = 1_000_000;
/// 2026-03-23, a Monday before a change of clocks and two holidays, at 09:00 in Berlin.
const START: Micros = 1_774_252_800 * SECOND_US;
/// Time within which a service says how far it has reacted.
const SAID_WITHIN_US: Micros = 120 * SECOND_US;
/// Steps between two moments of calm, in which everything is checked.
const CALM_EVERY: usize = 60;
/// Requests asked again in one calm.
const MAX_ASKS: usize = 2_000;
/// Rounds in which everybody must have come to rest.
const MAX_ROUNDS: usize = 200;

/// Everything there is.
pub(crate) struct World<C: Cast> {
    dice: Dice,
    pub(crate) cluster: Cluster<C>,
    pub(crate) truth: Truth,
    pub(crate) book: Book,
    pub(crate) erased: BTreeSet<(Tenant, Uuid)>,
    people: People,
    counted: BTreeSet<Uuid>,
    reached: Reached,
}

impl<C: Cast> World<C> {
    /// Runs from the first document to the last check.
    pub(crate) async fn run(options: Options) -> Result<Reached, Violation> {
        let mut step = 0;
        let outcome = async {
            let mut world = Self::begin(options).await?;
            while step < options.steps {
                step += 1;
                world.step().await?;
                if step.is_multiple_of(CALM_EVERY) {
                    world.calm().await?;
                    world.set_calm(false);
                }
            }
            world.calm().await?;
            world.settle().await?;
            checks::at_the_end(&mut world).await?;
            Ok(world.reached())
        }
        .await;
        outcome.map_err(|Broken { invariant, what }| Violation { options, step, invariant, what })
    }

    async fn begin(options: Options) -> Result<Self, Broken> {
        let mut world = Self {
            dice: Dice::new(options.seed),
            cluster: Cluster::begin(options.seed, START).await?,
            truth: Truth::default(),
            book: Book::default(),
            erased: BTreeSet::new(),
            people: People::new(options.seed ^ 2, options.tickets),
            counted: BTreeSet::new(),
            reached: Reached::default(),
        };
        for tenant in TENANTS.map(Tenant::new) {
            for document in config::first() {
                let (name, asked) = wishes::apply(document);
                let request = world.people.request(name, &tenant, asked);
                world.ask(request).await?;
            }
            for request in world.people.recipients(&tenant) {
                world.ask(request).await?;
            }
        }
        world.look().await?;
        world.set_calm(false);
        Ok(world)
    }

    /// Whether the line and the world outside work as they should.
    fn set_calm(&self, calm: bool) {
        self.cluster.faulty.set_calm(calm);
        self.cluster.outside.set_calm(calm);
    }

    async fn step(&mut self) -> Holds {
        if self.dice.chance(3) {
            self.join().await?;
        }
        let mut crashing = Vec::new();
        if self.dice.chance(1) {
            crashing.push(self.role());
        }
        let (mut tasks, mut sending) = (Vec::new(), BTreeMap::new());
        for _ in 0..=self.dice.below(4) {
            tasks.push(match self.dice.below(100) {
                0..50 => self.using(),
                50..80 => self.working(&mut crashing),
                80..88 => self.carrying(&mut sending),
                88..90 => self.keeping(),
                _ => self.ticking(),
            });
        }
        let outcomes = interleave(&mut self.dice, tasks, self.cluster.followers()).await;
        let outcomes = outcomes.ok_or_else(|| Invariant::Progress.broken("somebody waits for ever"))?;
        for outcome in outcomes.into_iter().flatten() {
            if let Outcome::Answered { request, answer, tampered } = outcome {
                self.answered(*request, &answer, tampered)?;
            }
        }
        for place in sending.into_iter().filter_map(|(place, dies)| dies.then_some(place)) {
            self.reached.struck("sender died");
            self.cluster.carry_anew(place);
        }
        for role in crashing {
            self.reached.struck("crash");
            self.cluster.end(role);
            self.start(role).await?;
        }
        self.look().await?;
        self.pass_time();
        Ok(())
    }

    fn role(&mut self) -> Role {
        match self.dice.below(12) {
            0..2 => Role::Intake,
            2..5 => Role::Monitor,
            5..8 => Role::Dispatch,
            8..11 => Role::Notifier,
            _ => Role::Analytics,
        }
    }

    /// A second instance beside the first: a replica, or whoever took the lease from one that only slept. Where there
    /// are two, the older one ends.
    async fn join(&mut self) -> Holds {
        let role = self.role();
        if self.cluster.count(role) > 1 {
            self.cluster.end(role);
            return Ok(());
        }
        self.reached.struck("second holder");
        self.start(role).await
    }

    async fn start(&mut self, role: Role) -> Holds {
        let forgotten = self.dice.chance(20);
        self.cluster.start(role, forgotten).await?;
        let owed = |state: &intake::State| -> Vec<_> {
            state.erased().map(|(tenant, customer)| (tenant.clone(), customer)).collect()
        };
        for (tenant, customer) in self.cluster.intakes[0].view(owed) {
            self.erase(tenant, customer).await?;
        }
        Ok(())
    }

    async fn erase(&mut self, tenant: Tenant, customer: Uuid) -> Holds {
        self.cluster.log.erase(&tenant, customer).await.map_err(|error| Invariant::Privacy.broken(error))?;
        self.erased.insert((tenant, customer));
        Ok(())
    }

    /// Takes in what was written meanwhile.
    pub(crate) async fn look(&mut self) -> Holds {
        loop {
            let rows = self.cluster.memory.read(&Select::All, None, self.truth.position, 1_000).await;
            let rows = rows.map_err(|error| Invariant::Log.broken(error))?;
            if rows.is_empty() {
                return self.truth.field.check_time();
            }
            for row in &rows {
                self.truth.take(row)?;
            }
        }
    }

    /// Asks while the line works.
    async fn ask(&mut self, request: Request) -> Holds {
        self.cluster.catch_up_all().await?;
        let task = Task { course: self.cluster.send(&mut self.dice, &request), patience: None };
        let answers = interleave(&mut self.dice, vec![task], self.cluster.followers()).await;
        match answers.into_iter().flatten().flatten().next() {
            Some(answer) => self.answered(request, &answer, false),
            None => Err(Invariant::Progress.broken("somebody waits for ever")),
        }
    }

    fn answered(&mut self, request: Request, answer: &Answer, tampered: bool) -> Holds {
        match answer {
            Answer::Unknown => self.reached.struck("unanswered"),
            _ if !tampered && self.counted.insert(request.ask.request) => {
                let tries = self.reached.tries.entry(request.name).or_default();
                tries.0 += 1;
                tries.1 += u32::from(matches!(answer, Answer::Done(events) if !events.is_empty()));
            }
            _ => {}
        }
        self.book.note(request, answer, tampered)
    }

    /// Lets time pass: mostly little, sometimes days, sometimes to the very instant of a deadline or just past it.
    fn pass_time(&mut self) {
        let now = self.cluster.clock.now();
        let by_us = match self.dice.below(100) {
            0..40 => 0,
            40..60 => self.dice.between(1, 60) * SECOND_US,
            60..80 => self.dice.between(60, 1_200) * SECOND_US,
            80..86 => self.dice.between(1_200, 14_400) * SECOND_US,
            86..97 => {
                let role =
                    self.dice.pick(&[Role::Monitor, Role::Monitor, Role::Dispatch, Role::Notifier, Role::Intake]);
                let due = self.cluster.next_due(role).unwrap_or(now);
                due - now + self.dice.between(-1, 1)
            }
            97..99 => self.dice.between(14_400, 200_000) * SECOND_US,
            _ => self.dice.between(60, 400_000) * SECOND_US,
        };
        self.cluster.clock.advance(now + by_us);
    }

    /// The line works again: every open request is answered, everybody reacts to the head, everything is checked.
    async fn calm(&mut self) -> Holds {
        self.set_calm(true);
        for _ in 0..MAX_ASKS {
            let Some(request) = self.book.open.pop() else { break };
            self.ask(request).await?;
        }
        let open = self.book.open.len();
        Invariant::Progress.holds(open == 0, || format!("{open} requests are never answered"))?;
        for (tenant, customer) in std::mem::take(&mut self.book.to_erase) {
            self.erase(tenant, customer).await?;
        }
        self.rest().await?;
        self.truth.reminders.check_arrivals(&self.cluster.outside.arrivals())?;
        if checks::in_calm(self)? > 0 {
            self.reached.struck("nobody on duty");
        }
        Ok(())
    }

    /// Lets every instance react until nobody has anything more to do.
    async fn rest(&mut self) -> Holds {
        for _ in 0..MAX_ROUNDS {
            let before = self.truth.position;
            self.cluster.work_all().await?;
            self.look().await?;
            if self.truth.position == before {
                return self.cluster.catch_up_all().await;
            }
        }
        Err(Invariant::Progress.broken("the services never come to rest"))
    }

    /// Lets everybody come to rest, and say so: how far they have reacted is written but now and then.
    async fn settle(&mut self) -> Holds {
        for _ in 0..MAX_ROUNDS {
            let before = self.truth.position;
            self.cluster.clock.advance(self.cluster.clock.now() + SAID_WITHIN_US);
            self.rest().await?;
            if self.truth.position == before {
                return Ok(());
            }
        }
        Err(Invariant::Progress.broken("something happens again and again"))
    }

    fn reached(mut self) -> Reached {
        self.reached.tickets = self.truth.tickets.len();
        self.reached.events = self.truth.position.unsigned_abs();
        self.reached.kinds = self.truth.kinds;
        self.reached.phases = self.truth.phases;
        self.reached
    }
}
