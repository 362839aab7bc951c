//! A spec as the document people keep and apply.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};

use calendar::{Holiday, Spec};

/// A text in double quotes: what JSON writes is YAML too.
struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", serde_json::Value::from(self.0))
    }
}

/// The `kind: Calendar` document of this name, as YAML.
pub fn document(name: &str, spec: &Spec) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write(&mut text, name, spec);
    text
}

fn write(out: &mut String, name: &str, spec: &Spec) -> fmt::Result {
    write!(out, "kind: Calendar\nname: {}\nspec:\n  zone: {}\n", Quoted(name), spec.zone)?;
    write_days(out, ("weekly", "  "), &spec.weekly)?;
    if !spec.holidays.is_empty() {
        writeln!(out, "  holidays:")?;
    }
    for holiday in &spec.holidays {
        match holiday {
            Holiday::Date(date) => writeln!(out, "    - {}", Quoted(date))?,
            Holiday::Named { date, name } => {
                writeln!(out, "    - {{date: {}, name: {}}}", Quoted(date), Quoted(name))?;
            }
        }
    }
    let dates = |texts: &BTreeMap<String, Vec<String>>| {
        texts.iter().map(|(date, hours)| (Quoted(date).to_string(), hours.clone())).collect()
    };
    write_days(out, ("overrides", "  "), &dates(&spec.overrides))?;
    if !spec.changes.is_empty() {
        writeln!(out, "  changes:")?;
    }
    for change in &spec.changes {
        writeln!(out, "    - from: {}", Quoted(&change.from))?;
        if change.weekly.is_empty() {
            writeln!(out, "      weekly: {{}}")?;
        }
        write_days(out, ("weekly", "      "), &change.weekly)?;
    }
    Ok(())
}

fn write_days(out: &mut String, (name, indent): (&str, &str), days: &BTreeMap<String, Vec<String>>) -> fmt::Result {
    if days.is_empty() {
        return Ok(());
    }
    writeln!(out, "{indent}{name}:")?;
    for (day, hours) in days {
        let hours: Vec<_> = hours.iter().map(|text| Quoted(text).to_string()).collect();
        writeln!(out, "{indent}  {day}: [{}]", hours.join(", "))?;
    }
    Ok(())
}
