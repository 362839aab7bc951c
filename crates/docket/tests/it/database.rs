//! A PostgreSQL database of a test's own, named by a file as an operator names one.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A database on the server named by `DOCKET_TEST_POSTGRES`.
pub(crate) struct Database {
    dir: TempDir,
    url: String,
}

impl Database {
    /// A new one; none if there is no server.
    #[expect(clippy::disallowed_methods, reason = "the test's only configuration")]
    pub(crate) fn new() -> Option<Self> {
        let Ok(admin) = std::env::var("DOCKET_TEST_POSTGRES") else {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "DOCKET_TEST_POSTGRES is not set");
            eprintln!("SKIPPED: DOCKET_TEST_POSTGRES names no PostgreSQL server");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let name = format!("docket_{}_{}", std::process::id(), dir.path().display());
        let name = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        psql(&admin, &format!("CREATE DATABASE {name}"));
        let url = format!("{}/{name}", admin.rsplit_once('/').unwrap().0);
        std::fs::write(dir.path().join("database.url"), format!("{url}\n")).unwrap();
        Some(Self { dir, url })
    }

    /// The directory in which its file lies as `database.url`.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a statement past the log; what it answers.
    pub(crate) fn sql(&self, statement: &str) -> String {
        psql(&self.url, statement)
    }
}

fn psql(url: &str, statement: &str) -> String {
    let output = Command::new("psql").args([url, "-Atq", "-v", "ON_ERROR_STOP=1", "-c", statement]).output().unwrap();
    assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
