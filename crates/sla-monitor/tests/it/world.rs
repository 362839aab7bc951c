//! A world of one core under a clock moved by hand: what happened goes in, what the core records comes out as text.

use calendar::Calendar;
use decider::{At, Core, Micros, Reaction, Read, Recorded, Stream, Tenant, Versions};
use jiff::Timestamp;
use serde_json::{Value, json};
use sla_monitor::command::{Command, Refusal, SlaMonitor};
use sla_monitor::state::State;
use ticket::dispatch::DispatchEvent;
use ticket::house::HouseEvent;
use ticket::intake::{Activity, ActivityKind, IntakeEvent, Status};
use ticket::sla::{Mark, SlaEvent};
use ticket::{Event, stream};
use uuid::Uuid;

pub(crate) const TICKET: Uuid = Uuid::from_u128(1);

/// `2024-03-04 09:00` (a Monday) or `09:00` of that day, UTC.
pub(crate) fn us(text: &str) -> Micros {
    let text = if text.len() > 8 { text.replace(' ', "T") } else { format!("2024-03-04T{text}") };
    format!("{text}Z").parse::<Timestamp>().unwrap().as_microsecond()
}

pub(crate) fn line(activity: &str, state: Status, priority: &str) -> IntakeEvent {
    let line = Activity {
        activity: activity.into(),
        kind: ActivityKind::Note,
        state,
        agent: String::new(),
        group: String::new(),
        priority: priority.into(),
        product: "printer".into(),
        customer: String::new(),
    };
    IntakeEvent::ActivityImported { source: "old".into(), reference: "1".into(), line }
}

/// Open all week round, so that working time is time.
pub(crate) fn always() -> Value {
    let day = ["00:00-24:00"];
    json!({"zone": "UTC", "weekly": {
        "mon": day, "tue": day, "wed": day, "thu": day, "fri": day, "sat": day, "sun": day,
    }})
}

pub(crate) fn office(zone: &str) -> Value {
    let day = ["09:00-17:00"];
    json!({"zone": zone, "weekly": {"mon": day, "tue": day, "wed": day, "thu": day, "fri": day}})
}

pub(crate) fn compiled(spec: Value) -> Calendar {
    Calendar::read(spec).unwrap()
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) state: State,
    versions: Versions,
    pub(crate) now: Micros,
    pub(crate) log: Vec<Recorded<Event>>,
    reacted: usize,
    said: usize,
}

impl World {
    /// A tenant with a calendar that is always open and this policy.
    pub(crate) fn with(policy: &Value) -> Self {
        let mut world = Self::default();
        world.apply("Calendar", "always", &always());
        world.apply("SlaPolicy", "standard", policy);
        world.said();
        world
    }

    pub(crate) fn apply(&mut self, kind: &str, name: &str, spec: &Value) {
        let (kind, name) = (kind.to_owned(), name.to_owned());
        let stream = stream::config("sla-monitor", &kind, &name);
        self.record(
            self.now,
            stream,
            Event::House(HouseEvent::ConfigApplied { kind, name, spec: spec.clone(), reason: None }),
        );
        self.react();
    }

    /// Something happened to the ticket, and is known at once (after what fell due before).
    pub(crate) fn on(&mut self, at: &str, event: IntakeEvent) -> &mut Self {
        self.until(at);
        self.late(at, event)
    }

    /// Something happened to the ticket, and is known now.
    pub(crate) fn late(&mut self, at: &str, event: IntakeEvent) -> &mut Self {
        self.record(us(at), stream::ticket(TICKET), Event::Intake(event));
        self.react();
        self
    }

    /// Something happened in the field, and is known now.
    pub(crate) fn visited(&mut self, at: &str, event: DispatchEvent) -> &mut Self {
        self.record(us(at), stream::work(TICKET), Event::Dispatch(event));
        self.react();
        self
    }

    /// Somebody says now whether they are on duty.
    pub(crate) fn duty(&mut self, subject: &str, event: DispatchEvent) -> &mut Self {
        self.record(self.now, stream::engineer(subject), Event::Dispatch(event));
        self.react();
        self
    }

    /// Lets time pass, and what falls due fire.
    pub(crate) fn until(&mut self, at: &str) -> &mut Self {
        self.now = self.now.max(us(at));
        self.fire();
        self
    }

    pub(crate) fn fire(&mut self) {
        loop {
            let due = SlaMonitor::due(&self.state, self.now, 1);
            let Some(reaction) = due.first() else { return };
            assert!(self.carry_out(reaction) > 0, "what is due must have an outcome: {reaction:?}");
        }
    }

    pub(crate) fn react(&mut self) {
        while let Some(cause) = self.log.get(self.reacted).cloned() {
            self.reacted += 1;
            for reaction in SlaMonitor::react(&self.state, &cause) {
                self.carry_out(&reaction);
            }
        }
    }

    pub(crate) fn carry_out(&mut self, reaction: &Reaction<Command>) -> usize {
        let (claim, at) = (reaction.claim(SlaMonitor::NAME), reaction.occurred_at);
        self.ask(&reaction.command, at, claim).unwrap()
    }

    pub(crate) fn ask(&mut self, command: &Command, occurred_at: Micros, request: Uuid) -> Result<usize, Refusal> {
        let tenant = Tenant::new("acme");
        let at = At { now: self.now, occurred_at, tenant: tenant.clone(), actor: "service/test".into(), request };
        let decided = SlaMonitor::decide(command, &Read::new(&self.state, &self.versions, &tenant), &at)?;
        let count = decided.len();
        for (stream, event) in decided {
            self.record(occurred_at, stream, event);
        }
        Ok(count)
    }

    pub(crate) fn record(&mut self, occurred_at: Micros, stream: Stream, event: Event) {
        let tenant = Tenant::new("acme");
        let position = self.log.len() as u64 + 1;
        let version = self.versions.of(&tenant, &stream) + 1;
        self.versions.note(tenant.as_str(), stream.as_str(), version);
        self.now = self.now.max(occurred_at);
        let recorded = Recorded {
            id: Uuid::new_v5(&Uuid::NAMESPACE_OID, &position.to_be_bytes()),
            correlation: stream::correlation(&stream),
            causation: None,
            actor: "user/test".into(),
            request: Uuid::nil(),
            recorded_at: self.now,
            tenant,
            stream,
            version,
            position,
            occurred_at,
            event,
        };
        SlaMonitor::evolve(&mut self.state, &recorded);
        self.log.push(recorded);
    }

    /// What was recorded about clocks since this was last asked.
    pub(crate) fn said(&mut self) -> Vec<String> {
        let fresh = &self.log[self.said..];
        self.said = self.log.len();
        fresh
            .iter()
            .filter_map(|entry| if let Event::Sla(event) = &entry.event { Some(told(event)) } else { None })
            .collect()
    }
}

fn clock_time(at: Micros) -> String {
    let text = Timestamp::from_microsecond(at).unwrap().to_string();
    let text = text.strip_suffix(":00Z").unwrap_or(&text);
    text.strip_prefix("2024-03-04T").unwrap_or(text).to_owned()
}

fn marks(marks: &[Mark]) -> String {
    let texts: Vec<_> = marks.iter().map(|mark| format!("{}%@{}", mark.share_bp / 100, clock_time(mark.at))).collect();
    texts.join(" ")
}

fn told(event: &SlaEvent) -> String {
    let minutes = |us: &i64| us / 60_000_000;
    match event {
        SlaEvent::ClockStarted { clock, generation, terms, since, elapsed_us, marks: ahead, .. } => {
            let (since, used, budget) = (clock_time(*since), minutes(elapsed_us), terms.budget_secs / 60);
            let from = format!("{}/{}", terms.policy.version, terms.calendar.version);
            format!("{clock}#{generation} started {since} {used}/{budget}m of {from}: {}", marks(ahead))
        }
        SlaEvent::ClockPaused { clock, generation, since, elapsed_us, .. } => {
            format!("{clock}#{generation} paused {} {}m", clock_time(*since), minutes(elapsed_us))
        }
        SlaEvent::ClockResumed { clock, generation, since, elapsed_us, marks: ahead, .. } => {
            let (since, used) = (clock_time(*since), minutes(elapsed_us));
            format!("{clock}#{generation} resumed {since} {used}m: {}", marks(ahead))
        }
        SlaEvent::ClockStopped { clock, generation, since, elapsed_us, met, .. } => {
            let (since, used) = (clock_time(*since), minutes(elapsed_us));
            format!("{clock}#{generation} stopped {since} {used}m {}", if *met { "met" } else { "missed" })
        }
        SlaEvent::ClockCancelled { clock, generation, since, elapsed_us, .. } => {
            format!("{clock}#{generation} cancelled {} {}m", clock_time(*since), minutes(elapsed_us))
        }
        SlaEvent::WarningRaised { clock, generation, share_bp, at } => {
            format!("{clock}#{generation} warned {}% {}", share_bp / 100, clock_time(*at))
        }
        SlaEvent::Breached { clock, generation, at, .. } => {
            format!("{clock}#{generation} breached {}", clock_time(*at))
        }
        SlaEvent::BreachRevoked { clock, generation, at, fact_at, .. } => {
            format!("{clock}#{generation} revoked {} by {}", clock_time(*at), clock_time(*fact_at))
        }
        SlaEvent::EscalationRaised { clock, step, audience, wakes, next_at, .. } => {
            let next = next_at.map_or("last".to_owned(), |at| format!("next {}", clock_time(at)));
            format!("{clock} calls {step} {audience:?}: {}, {next}", wakes.join(" "))
        }
        SlaEvent::EscalationAcknowledged { clock, step, by, rearms_at, .. } => {
            format!("{clock} answered {step} by {by} until {}", clock_time(*rearms_at))
        }
        SlaEvent::BacklogRaised { queue, alarm, measure, waiting, .. } => {
            format!("backlog {queue} {measure:?}#{alarm} raised with {waiting}")
        }
        SlaEvent::BacklogCleared { queue, alarm, measure, waiting, .. } => {
            format!("backlog {queue} {measure:?}#{alarm} over with {waiting}")
        }
        SlaEvent::MajorEventDeclared { name, policy, .. } => {
            format!("major {name} by {}/{}", policy.name, policy.version)
        }
        SlaEvent::MajorEventEnded { name, .. } => format!("major {name} ended"),
        SlaEvent::BreachExplained { clock, cause, .. } => format!("{clock} explained {cause:?}"),
        SlaEvent::AttentionMissed { step, due_at, owed, wakes, next_at } => {
            let (due_at, next_at) = (clock_time(*due_at), clock_time(*next_at));
            format!("attention missed {step} {due_at}: {owed:?} -> {wakes:?}, next {next_at}")
        }
    }
}
