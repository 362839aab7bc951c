//! Days off and opening hours of others, imported: examples, what is refused, and two independent libraries.

#[cfg(test)]
mod examples;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod refused;
