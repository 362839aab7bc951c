//! `docket token`: a token for tools that are not this one.

use std::process::ExitCode;
use std::time::Duration;

use crate::cli::{At, Token};
use crate::{client, out};

pub(crate) fn run(at: &At, args: &Token) -> anyhow::Result<ExitCode> {
    out::say(client::signed(at, Duration::from_secs(args.hours * 3_600))?);
    Ok(ExitCode::SUCCESS)
}
