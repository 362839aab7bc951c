//! The mail and webhook server of the day: a process of its own, which ends when this one does.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// `docket sink` as a child.
pub(crate) struct Post {
    child: Child,
    /// Where it takes mail.
    pub(crate) smtp: String,
}

impl Post {
    /// Starts it and waits for its address.
    pub(crate) fn start(dir: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut child = Command::new(program)
            .args(["sink", "--with-parent", "--dir"])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the mail server")?;
        let said = child.stdout.take().context("it has a standard output")?;
        let mut line = String::new();
        BufReader::new(said).read_line(&mut line)?;
        let smtp = line.split_whitespace().nth(1).context("the mail server ended at once")?.to_owned();
        Ok(Self { child, smtp })
    }

    /// Lets it end: it does when its standard input does.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }
}
