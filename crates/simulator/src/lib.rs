//! The services' cores in one process under a clock moved by hand; a service day played on a running cluster.

pub mod autopsy;
pub mod day;
pub mod faults;
pub mod nminus;
pub mod reminders;
pub mod replay;
