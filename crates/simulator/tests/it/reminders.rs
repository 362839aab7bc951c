//! Learning by which medium and when somebody acts on a reminder: what it is worth among simulated recipients, and whether
//! what it would be worth can be told from what is on record.

use simulator::reminders::{self, DAYS, Sending};

/// The seeds of the report are 31 to 60 (`make bench BENCH=learning`); here a few of them.
const SEEDS: std::ops::RangeInclusive<u64> = 31..=32;

/// Proves part of: N8
#[test]
fn learning_gets_more_reminders_acted_on_than_the_best_fixed_medium_of_each_person() {
    let (mut learned, mut fixed) = (0, 0);
    for seed in SEEDS {
        let found = reminders::compare(seed, DAYS);
        assert_eq!(found.learned.violations, Vec::<String>::new(), "seed {seed}");
        assert!(found.learned.sent <= found.best_fixed_sent, "seed {seed}: more is sent");
        learned += found.learned.acted();
        fixed += found.best_fixed;
    }
    assert!(learned * 100 >= fixed * 110, "{learned} acted on, {fixed} by the best fixed medium of each");
}

/// Proves part of: N8
#[test]
fn an_off_policy_estimate_knows_that_reminders_tire_and_plain_weighing_does_not() {
    let (mut truth, mut plain, mut ours) = (0.0, 0.0, 0.0);
    for seed in 1..=4 {
        let logged = reminders::run(seed, DAYS, Sending::Anyhow, &[reminders::usual()]);
        let told = reminders::run(seed, DAYS, Sending::Usual, &[]);
        let found = &logged.evaluations[0];
        truth += f64::from(u32::try_from(told.rate_bp()).unwrap()) / 10_000.0;
        plain += found.plain.unwrap();
        ours += found.policy.unwrap().rate;
    }
    let (plain, ours) = (plain / truth, ours / truth);
    assert!((ours - 1.0).abs() < 0.04 && plain > 1.06, "{ours} of the truth; plain weighing {plain}");
}
