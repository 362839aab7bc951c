//! Working hours seen from outside: examples to read aloud, properties, every change of the clocks, and a peer.

#[cfg(test)]
mod clock_changes;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod model;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod properties;
