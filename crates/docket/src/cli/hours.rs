//! What may be typed about calendars.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum CalendarCommand {
    /// Turn days off (iCalendar) and opening hours (OpenStreetMap's syntax) into a calendar document.
    Import(ImportCalendar),
}

#[derive(Args, Debug)]
pub(crate) struct ImportCalendar {
    /// iCalendar files: every all-day event is a day off. Repeatable.
    pub(crate) files: Vec<PathBuf>,
    /// Such as 'Mo-Fr 08:00-17:00; PH off'; PH are the days off of the files.
    #[arg(long, value_name = "RULES")]
    pub(crate) opening_hours: Option<String>,
    /// The IANA name of the zone whose clocks the hours are read off.
    #[arg(long)]
    pub(crate) zone: String,
    /// The document's name.
    #[arg(long, default_value = "imported")]
    pub(crate) name: String,
    /// The first day of what is said by date: it is written out.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: String,
    /// The last day of what is said by date.
    #[arg(long, value_name = "DATE")]
    pub(crate) until: String,
}
