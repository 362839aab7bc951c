//! The tests across services.

#[cfg(test)]
mod cluster_model;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod simulation;
