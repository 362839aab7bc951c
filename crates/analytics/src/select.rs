//! Which tickets a report is about: a window of creation, a last moment, a property.

use decider::{Micros, Tenant};

use crate::definition::Definition;
use crate::figures::{Figures, Reading, Step};
use crate::state::{State, Ticket};

/// A selection of tickets; everything, if nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Tickets created at or after.
    pub start: Option<Micros>,
    /// Tickets created before.
    pub end: Option<Micros>,
    /// Only what happened until then.
    pub until: Option<Micros>,
    /// Only tickets with this property.
    pub drill: Option<Drill>,
}

/// A property tickets are drilled down to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drill {
    /// Neither resolved nor closed ever.
    Unresolved,
    /// Without a reaction.
    NeverResponded,
    /// Reopened at least once.
    Reopened,
    /// Went A-B-A at least once.
    Pingpong,
    /// Breached, by the calendar at this place in the definition.
    Breached(Breach, usize),
    /// Of this raw priority.
    Priority(String),
    /// Last in this group.
    Group(String),
    /// Last with this agent.
    Agent(String),
    /// Standing in this state, by its name.
    FinalState(String),
}

/// Which of the targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// The first response.
    Response,
    /// The resolution.
    Resolution,
    /// The resolution, net of waiting and resolved time.
    ResolutionNet,
}

impl Breach {
    /// All of them with the names they bear in figures, in their order there; no name begins another but `res_breach`,
    /// which follows the longer.
    pub const ALL: [(&'static str, Self); 3] =
        [("resp_breach", Self::Response), ("res_breach", Self::Resolution), ("res_breach_net", Self::ResolutionNet)];

    /// Whether the ticket breached by the calendar at this place.
    pub fn holds(self, figures: &Figures, place: usize) -> bool {
        figures.by_calendar.get(place).is_some_and(|by| match self {
            Self::Response => by.resp_breach,
            Self::Resolution => by.res_breach,
            Self::ResolutionNet => by.res_breach_net,
        })
    }
}

impl Drill {
    /// A property as the API writes it; nothing if there is no such property under this definition.
    pub fn parse(text: &str, definition: &Definition) -> Option<Self> {
        if let Some((name, value)) = text.split_once('=') {
            let value = value.to_owned();
            return match name {
                "priority" => Some(Self::Priority(value)),
                "group" => Some(Self::Group(value)),
                "agent" => Some(Self::Agent(value)),
                "final_state" => Some(Self::FinalState(value)),
                _ => None,
            };
        }
        match text {
            "unresolved" => Some(Self::Unresolved),
            "never_responded" => Some(Self::NeverResponded),
            "reopened" => Some(Self::Reopened),
            "pingpong" => Some(Self::Pingpong),
            _ => Breach::ALL.iter().rev().find_map(|(name, breach)| {
                let place = definition.place(text.strip_prefix(name)?)?;
                Some(Self::Breached(*breach, place))
            }),
        }
    }

    fn holds(&self, figures: &Figures) -> bool {
        match self {
            Self::Unresolved => figures.last_resolved.is_none(),
            Self::NeverResponded => figures.first_response.is_none(),
            Self::Reopened => figures.reopens > 0,
            Self::Pingpong => figures.pingpong > 0,
            Self::Breached(breach, place) => breach.holds(figures, *place),
            Self::Priority(priority) => *figures.priority == **priority,
            Self::Group(group) => *figures.group == **group,
            Self::Agent(agent) => *figures.agent == **agent,
            Self::FinalState(state) => figures.final_state.name() == state,
        }
    }
}

impl Window {
    fn holds(&self, figures: &Figures) -> bool {
        self.start.is_none_or(|start| figures.created_at >= start)
            && self.end.is_none_or(|end| figures.created_at < end)
            && self.drill.as_ref().is_none_or(|drill| drill.holds(figures))
    }

    /// The figures of a ticket and what they were read from, if it belongs to the selection.
    pub(crate) fn pick(
        &self,
        reading: &Reading<'_>,
        (id, ticket): (uuid::Uuid, &Ticket),
    ) -> Option<(Figures, Vec<Step>)> {
        let steps = reading.steps(ticket);
        let figures = reading.figures(id, ticket, &steps)?;
        self.holds(&figures).then_some((figures, steps))
    }
}

/// The figures of the selected tickets in order of (reference, id), after `cursor`, at most `limit`.
pub fn tickets(
    state: &State,
    tenant: &Tenant,
    (definition, window): (&Definition, &Window),
    cursor: Option<(std::sync::Arc<str>, uuid::Uuid)>,
    limit: usize,
) -> Vec<Figures> {
    let Some(ledger) = state.ledger(tenant) else { return Vec::new() };
    let reading = Reading::new(ledger, definition, window.until);
    let listed = ledger.tickets_after(cursor);
    listed.filter_map(|ticket| Some(window.pick(&reading, ticket)?.0)).take(limit).collect()
}
