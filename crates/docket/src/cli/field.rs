//! What may be typed about field work, reminders and reasons.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Args, Debug)]
pub(crate) struct Why {
    /// The ticket: `tenants/…/tickets/…`, or the id alone. The name of one of its visits or reminders narrows it.
    pub(crate) target: String,
    /// Only what led to this visit and what followed from it: its number or its id.
    #[arg(long)]
    pub(crate) visit: Option<String>,
    /// Only what led to this reminder and what followed from it: its id, or the beginning of it.
    #[arg(long, conflicts_with = "visit")]
    pub(crate) reminder: Option<String>,
    /// Say instead who was chosen for the visit, who was dropped by which rule, what the best would have cost.
    #[arg(long)]
    pub(crate) assignment: bool,
    /// Say instead why this engineer was not chosen.
    #[arg(long, conflicts_with = "assignment")]
    pub(crate) not: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Engineer {
    /// List engineers with what they do right now.
    List,
    /// Say that somebody is on duty.
    On {
        /// Who, by token subject.
        subject: String,
        /// Until when, RFC 3339; open if not given.
        #[arg(long)]
        until: Option<String>,
    },
    /// Say that somebody is off duty; visits not begun go to others.
    Off {
        /// Who, by token subject.
        subject: String,
        /// Why.
        #[arg(long, value_enum, default_value_t = OffDuty::ShiftOver)]
        reason: OffDuty,
        /// When they are back, RFC 3339; not before they say so if not given.
        #[arg(long)]
        back: Option<String>,
    },
}

/// Why somebody goes off duty.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OffDuty {
    /// The shift is over.
    ShiftOver,
    /// Ill.
    Sick,
    /// Left the company or the team.
    Left,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Visit {
    /// List the visits of a ticket.
    List {
        /// `tenants/…/tickets/…`, or the id alone.
        ticket: String,
    },
    /// List visits that nobody has, each with the reason.
    Unassigned,
    /// Give a visit to an engineer by hand.
    Assign {
        /// `tenants/…/tickets/…/visits/…`.
        visit: String,
        /// Who, by token subject.
        engineer: String,
        /// Why hard rules may be broken; without it they hold.
        #[arg(long = "override", default_value = "")]
        override_reason: String,
    },
    /// Take a visit from an engineer; it goes to the next.
    Release {
        /// `tenants/…/tickets/…/visits/…`.
        visit: String,
        /// Why; about the work.
        #[arg(long)]
        reason: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Inbox {
    /// Only those not seen, acknowledged or recalled.
    #[arg(long)]
    pub(crate) unread: bool,
    /// Answer for this reminder: `tenants/…/tickets/…/reminders/…`.
    #[arg(long)]
    pub(crate) acknowledge: Option<String>,
    /// How many at the most.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
}
