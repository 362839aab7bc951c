//! `docket calendar import`: days off and opening hours written elsewhere, as a calendar document.

use std::process::ExitCode;

use anyhow::Context;
use calendar_import::{Period, Source, document, import};

use crate::cli::CalendarCommand;
use crate::out;

pub(crate) fn run(command: &CalendarCommand) -> anyhow::Result<ExitCode> {
    let CalendarCommand::Import(args) = command;
    let mut files = Vec::new();
    for file in &args.files {
        files.push(std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?);
    }
    let (first, last) = (&args.from, &args.until);
    let opening_hours = args.opening_hours.as_deref();
    let imported = Period::new(first, last)
        .and_then(|period| import(&Source { zone: &args.zone, files: &files, opening_hours, period }));
    let spec = match imported {
        Ok(spec) => spec,
        Err(faults) => {
            for fault in &faults {
                out::note(fault.to_string());
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    out::say(document(&args.name, &spec).trim_end());
    out::note(format!("what is said by date is written out from {first} to {last}"));
    if opening_hours.is_none() {
        out::note("it has no working hours yet: add `weekly`, or import --opening-hours with it");
    }
    Ok(ExitCode::SUCCESS)
}
