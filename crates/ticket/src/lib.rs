//! The published language of Docket: ids, streams, every event, and what the events mean for clocks and figures.
//!
//! Names and fields here are the stored format. They are pinned by golden files and never change meaning; an old form
//! is lifted in `upcast.rs`.

pub mod batch;
pub mod choice;
pub mod codec;
pub mod condition;
pub mod decision;
pub mod dispatch;
pub mod document;
pub mod duty;
pub mod fact;
pub mod glob;
pub mod house;
pub mod intake;
pub mod lifecycle;
pub mod names;
pub mod notifier;
pub mod personal;
pub mod queue;
pub mod request;
pub mod scalars;
pub mod schema;
pub mod sla;
pub mod stream;
pub mod telling;
pub mod upcast;
pub mod yaml;

pub use fact::{Fact, fact};
pub use personal::Personal;

/// One event of any family. The family follows from the kind; kinds are unique across families.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Of `ticket/*`, `customer/*`.
    Intake(intake::IntakeEvent),
    /// Of `work/*`, `engineer/*`, `stock/*`, `track/*`.
    Dispatch(dispatch::DispatchEvent),
    /// Of `sla/*`.
    Sla(sla::SlaEvent),
    /// Of `reminder/*`, `recipient/*`.
    Notifier(notifier::NotifierEvent),
    /// Of `config/*` and `service/*`, which every service writes for itself.
    House(house::HouseEvent),
}

/// An event as the log holds it.
pub type Recorded = decider::Recorded<Event>;
