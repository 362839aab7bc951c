//! The table: what was done, by whom, at which rate and cost, and how many times theirs ours is.

use serde::Serialize;

use crate::figure::{Book, Case, Entry, Figure, Measure, OURS};
use crate::target::{Reached, Target};

/// Everything that is to be said of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The machine and every version.
    pub(crate) about: Vec<(String, String)>,
    rounds: usize,
    medians: Vec<Line>,
    targets: Vec<Reached>,
    book: Book,
}

/// A line of the table.
#[derive(Debug, Serialize)]
struct Line {
    #[serde(flatten)]
    case: Case,
    #[serde(flatten)]
    medians: Measure,
    /// How many times this one's rate ours is (or, where no rate was measured, its p50 our p50).
    ours_times: Option<f64>,
}

impl Report {
    /// Of what was measured.
    pub(crate) fn of(about: Vec<(String, String)>, rounds: usize, targets: &[Target], book: Book) -> Self {
        let line = |entry: &Entry| {
            let median = |figure| Some((figure, book.median(&entry.case, figure)?));
            let ours = Case::ours(entry.case.what.clone());
            let times = |figure| book.ratio((&ours, figure), (&entry.case, figure));
            Line {
                case: entry.case.clone(),
                medians: Figure::ALL.into_iter().filter_map(median).collect(),
                ours_times: times(Figure::PerSec).or_else(|| times(Figure::P50Ms)).filter(|_| entry.case.who != OURS),
            }
        };
        let medians = book.entries.iter().map(line).collect();
        let targets = targets.iter().filter_map(|target| target.reached(&book)).collect();
        Self { about, rounds, medians, targets, book }
    }

    /// As text.
    pub(crate) fn text(&self) -> String {
        let mut lines: Vec<String> = self.about.iter().map(|(what, which)| format!("{what}: {which}")).collect();
        lines.push(format!("medians of {} rounds; ours × is how many times its figure ours is", self.rounds));
        lines.push(String::new());
        lines.push(aligned(&self.medians()));
        lines.push(String::new());
        lines.push(aligned(&self.targets()));
        lines.extend(self.book.remarks.iter().cloned());
        lines.join("\n")
    }

    fn medians(&self) -> Vec<Vec<String>> {
        let mut head = vec!["what".to_owned(), "who".to_owned()];
        head.extend(Figure::ALL.map(|figure| figure.name().to_owned()));
        head.push("ours ×".to_owned());
        let row = |line: &Line| {
            let mut cells = vec![line.case.what.clone(), line.case.who.clone()];
            cells.extend(Figure::ALL.map(|figure| line.medians.get(&figure).map_or("–".to_owned(), |of| shown(*of))));
            cells.push(line.ours_times.map_or("–".to_owned(), |times| format!("{times:.2}")));
            cells
        };
        std::iter::once(head).chain(self.medians.iter().map(row)).collect()
    }

    fn targets(&self) -> Vec<Vec<String>> {
        let head = ["target", "beside", "wanted", "ratio", "met"].map(str::to_owned).to_vec();
        let row = |reached: &Reached| {
            let met = if reached.met { "yes" } else { "no" };
            let measured =
                if reached.beside.is_empty() { shown(reached.measured) } else { format!("{:.2}", reached.measured) };
            vec![reached.ours.clone(), reached.beside.clone(), reached.target.clone(), measured, met.to_owned()]
        };
        std::iter::once(head).chain(self.targets.iter().map(row)).collect()
    }
}

/// Three figures that count.
fn shown(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// Columns as wide as their widest cell; numbers to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |n: usize| rows.iter().filter_map(|row| row.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cell = |(n, (cell, width)): (usize, (&String, &usize))| {
            if n < 2 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        };
        row.iter().zip(&widths).enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_stands_beside_theirs_with_the_ratio() {
        let mut book = Book::default();
        book.note(Case::ours("append"), Measure::from([(Figure::PerSec, 5_000.0), (Figure::Fsyncs, 0.07)]));
        book.note(Case::new("append", "peer"), Measure::from([(Figure::PerSec, 2_000.0)]));
        let report = Report::of(vec![("peer".into(), "1.0".into())], 1, &[], book);
        let text = report.text();
        let line =
            |of: &str| text.lines().find(|line| line.contains(of)).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(line("docket"), ["append", "docket", "5000", "–", "–", "0.070", "–", "–", "–"]);
        assert_eq!(line("append  peer"), ["append", "peer", "2000", "–", "–", "–", "–", "–", "2.50"]);
    }
}
