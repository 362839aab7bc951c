//! The tests across services.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod simulation;
