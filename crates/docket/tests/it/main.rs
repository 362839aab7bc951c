//! The command as a user runs it: the real binary, a real log, clients of another language.

#[cfg(test)]
mod commands;
#[cfg(test)]
mod day;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod killing;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod running;
