//! Off-policy estimates held against those of Open Bandit Pipeline (`obp`).

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use notifier::learn::estimate::{Step, by_trajectory, plain};
use serde_json::{Value, json};

/// Numbers that a seed stands for: a linear congruence (Knuth, MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn trajectories(seed: u64) -> Vec<Vec<Step>> {
    let mut numbers = Numbers(seed);
    let mut step = || {
        let mut likelihood = || 100 + u32::try_from(numbers.below(9_900)).unwrap();
        let (logged_bp, wanted_bp) = (likelihood(), likelihood());
        Step { logged_bp, wanted_bp, acted: Some(numbers.below(3) == 0) }
    };
    (0..40 + seed % 7).map(|n| (0..=n % 4).map(|_| step()).collect()).collect()
}

/// What obp makes of them; nothing (and said so) where it was not set up.
fn by_obp(trajectories: &[Vec<Step>]) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".venv/bin/python");
    if !python.exists() {
        assert!(std::env::var_os("CI").is_none(), "{} is missing: run `make setup`", python.display());
        eprintln!("SKIPPED: {} is missing; `make setup` makes it", python.display());
        return None;
    }
    let program = root.join("tests/peers/reminders/estimates.py");
    let mut child = Command::new(python).arg(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let of = |step: &Step| json!([step.logged_bp, step.wanted_bp, u8::from(step.acted.unwrap())]);
    let told: Vec<Vec<_>> = trajectories.iter().map(|steps| steps.iter().map(of).collect()).collect();
    child.stdin.take().unwrap().write_all(json!(told).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Proves part of: N8
#[test]
fn estimates_are_those_of_open_bandit_pipeline() {
    for seed in 1..=5 {
        let trajectories = trajectories(seed);
        let Some(theirs) = by_obp(&trajectories) else { return };
        let close = |name: &str, ours: f64| {
            let theirs = theirs[name].as_f64().unwrap();
            assert!((ours - theirs).abs() < 1e-9, "seed {seed}, {name}: {ours}, obp {theirs}");
        };
        close("plain", plain(&trajectories).unwrap());
        close("by_trajectory", by_trajectory(&trajectories).unwrap().rate);
        let single: Vec<_> = trajectories.iter().flatten().map(|step| vec![*step]).collect();
        close("normalised", by_trajectory(&single).unwrap().rate);
    }
}
