//! The one command: run the cluster, talk to it, look into its log, replay another system's.

use std::process::ExitCode;

fn main() -> ExitCode {
    docket::run()
}
