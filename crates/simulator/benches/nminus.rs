//! `make bench BENCH=nminus`: how long the no-drop proof takes over a large house: TICKETS open tickets (100000) and
//! ENGINEERS (3000), every single failure tried; and over the same house where every ticket falls into a hole.

use std::io::Write;
use std::time::Instant;

use simulator::nminus::Large;

/// The most it may take, seconds.
const TARGET_SECS: f64 = 60.0;

#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark has no command line of its own under cargo bench, and measures"
)]
fn main() -> std::io::Result<()> {
    let number =
        |name: &str, default: usize| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (engineers, tickets) = (number("ENGINEERS", 3_000), number("TICKETS", 100_000));
    let mut out = std::io::stdout().lock();
    writeln!(out, "| house | open tickets | engineers | failures | holes | seconds | target |")?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for (house, flawed) in [("sound", false), ("every ticket in a hole", true)] {
        let large = Large::new(engineers, tickets, flawed);
        let began = Instant::now();
        let proof = large.prove();
        let secs = began.elapsed().as_secs_f64();
        let holes = proof.holes.len() as u64 + proof.left_out;
        let met = if secs <= TARGET_SECS { "met" } else { "missed" };
        writeln!(
            out,
            "| {house} | {} | {engineers} | {} | {holes} | {secs:.2} | ≤ {TARGET_SECS} {met} |",
            proof.tickets, proof.failures
        )?;
    }
    Ok(())
}
