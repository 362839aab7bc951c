//! `make bench BENCH=learning`: what learning is worth among simulated recipients, seed by seed: reminders acted on beside
//! the best fixed medium of each person, and what off-policy estimates say beside the truth. SEEDS=31-60 are those of the
//! report; 1-30 are for tuning.

use std::io::Write;

use simulator::reminders::{self, Compared, DAYS, Sending};

#[expect(clippy::disallowed_methods, reason = "a benchmark has no command line of its own under cargo bench")]
fn main() -> std::io::Result<()> {
    let seeds = std::env::var("SEEDS").unwrap_or_else(|_| "31-60".into());
    let bounds = seeds.split_once('-').and_then(|(first, last)| Some((first.parse().ok()?, last.parse().ok()?)));
    let (first, last): (u64, u64) = bounds.ok_or_else(|| std::io::Error::other("SEEDS must be such as 31-60"))?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "| seed | wanted | acted on, learned | best fixed | more | sends, learned / fixed | hold-out | violations |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    let mut all = Vec::new();
    for seed in first..=last {
        let found = reminders::compare(seed, DAYS);
        line(&mut out, &found)?;
        all.push(found);
    }
    let sum = |of: fn(&Compared) -> u64| all.iter().map(of).sum::<u64>();
    let (learned, fixed) = (sum(|one| one.learned.acted()), sum(|one| one.best_fixed));
    let worst = all.iter().map(|one| percent(one.learned.acted(), one.best_fixed)).min_by(f64::total_cmp);
    writeln!(
        out,
        "\nseeds {seeds}: {learned} acted on by learning, {fixed} by the best fixed medium of each person: {:+.1} % (worst \
         seed {:+.1} %); sends {} and {}; {} violations",
        percent(learned, fixed),
        worst.unwrap_or_default(),
        sum(|one| one.learned.sent),
        sum(|one| one.best_fixed_sent),
        all.iter().map(|one| one.learned.violations.len()).sum::<usize>(),
    )?;
    estimates(&mut out, first..=last)
}

/// The estimates of what would come of the usual medium, from reminders sent anyhow, beside what does.
fn estimates(out: &mut impl Write, seeds: std::ops::RangeInclusive<u64>) -> std::io::Result<()> {
    let (mut truth, mut plain, mut ours, mut held, mut count) = (0.0, 0.0, 0.0, 0, 0);
    for seed in seeds {
        let logged = reminders::run(seed, DAYS, Sending::Anyhow, &[reminders::usual()]);
        let told = reminders::run(seed, DAYS, Sending::Usual, &[]);
        let rate = share(told.acted(), told.wanted);
        let Some((found, estimate)) = logged.evaluations.first().and_then(|found| Some((found, found.policy?))) else {
            continue;
        };
        truth += rate;
        plain += found.plain.unwrap_or_default();
        ours += estimate.rate;
        held += u32::from((estimate.low..=estimate.high).contains(&rate));
        count += 1;
    }
    writeln!(
        out,
        "off policy: by trajectories {:.3} of the truth, plain weighing {:.3}; the truth in {held} of {count} intervals",
        ours / truth,
        plain / truth
    )
}

fn line(out: &mut impl Write, found: &Compared) -> std::io::Result<()> {
    let Compared { seed, learned, best_fixed, best_fixed_sent, held_out } = found;
    let held_out = held_out.map_or_else(String::new, |share| {
        format!("{:.1} % ({:.1}–{:.1})", share.rate * 100.0, share.low * 100.0, share.high * 100.0)
    });
    writeln!(
        out,
        "| {seed} | {} | {} | {best_fixed} | {:+.1} % | {} / {best_fixed_sent} | {held_out} | {} |",
        learned.wanted,
        learned.acted(),
        percent(learned.acted(), *best_fixed),
        learned.sent,
        learned.violations.len(),
    )
}

/// How much more the first is than the second, percent.
fn percent(one: u64, other: u64) -> f64 {
    (share(one, other) - 1.0) * 100.0
}

fn share(part: u64, whole: u64) -> f64 {
    let figure = |count| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    figure(part) / figure(whole.max(1))
}
