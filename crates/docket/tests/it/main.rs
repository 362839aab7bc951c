//! The command as a user runs it: the real binary, a real log, clients of another language.

#[cfg(test)]
mod autopsy;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod client;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod database;
#[cfg(test)]
mod day;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod events;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod killing;
#[cfg(test)]
mod letters;
#[cfg(test)]
mod local;
#[cfg(test)]
mod log;
#[cfg(test)]
mod nminus;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod reminders;
#[cfg(test)]
mod running;
#[cfg(test)]
mod sla;
#[cfg(test)]
mod whatif;
