//! The services' cores in one process under a clock moved by hand.

pub mod faults;
pub mod replay;
