//! The simulator as its callers see it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod dirt;
mod invariance;
mod reminders;
mod whatif;

use std::fs;
use std::path::{Path, PathBuf};

use simulator::replay::{Options, Outcome, run};
use tempfile::TempDir;

/// Replays lines of a log with what the pack says.
fn replay(lines: &[impl AsRef<[u8]>]) -> Outcome {
    let folder = TempDir::new().unwrap();
    let options = Options { file: written(&folder, lines), ..Options::default() };
    run(&options, &mut |_, _| {}).unwrap()
}

/// A file of these lines.
fn written(folder: &TempDir, lines: &[impl AsRef<[u8]>]) -> PathBuf {
    let file = folder.path().join("log.jsonl");
    let lines: Vec<_> = lines.iter().map(AsRef::as_ref).collect();
    fs::write(&file, lines.join(&b'\n')).unwrap();
    file
}

/// A folder of real logs with answers nobody here computed; none where they are not at hand, which CI does not allow.
fn real(log: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(log);
    if folder.exists() {
        return Some(folder);
    }
    assert_ne!(std::env::var_os("CI").as_deref(), Some("true".as_ref()), "{} must be there", folder.display());
    eprintln!("SKIPPED: {} is not there", folder.display());
    None
}
