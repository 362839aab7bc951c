//! What the command says: answers on standard output, everything else on standard error.

use std::io::{self, Write};
use std::process::ExitCode;

/// Prints a line of the answer; a reader who went away ends the talking, not the command.
pub(crate) fn say(line: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    let gone = out.write_all(line.as_ref().as_bytes()).and_then(|()| out.write_all(b"\n"));
    drop(gone);
}

/// Prints a remark.
pub(crate) fn note(line: impl AsRef<str>) {
    let mut err = io::stderr().lock();
    let gone = err.write_all(line.as_ref().as_bytes()).and_then(|()| err.write_all(b"\n"));
    drop(gone);
}

/// Says why the command could not be carried out.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    note(format!("docket: {error:#}"));
    ExitCode::from(2)
}

/// Lays rows out in columns as wide as their widest cell.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text.pop();
    text
}
