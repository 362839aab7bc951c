//! Hours in the opening-hours syntax of OpenStreetMap, read into rules that can be evaluated; what cannot is refused.

use calendar::Fault;
use opening_hours_syntax::{
    ExtendedTime, RuleKind,
    rules::{
        RuleOperator, RuleSequence,
        day::{DaySelector, HolidayKind, WeekDayRange},
        time::{Time, TimeSpan},
    },
};

const DAY_NAMES: [&str; 9] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su", "PH", "SH"];

/// A rule: on the days it selects it opens, or closes, these hours.
pub(crate) struct Rule {
    pub(crate) days: DaySelector,
    /// From minute to minute after 00:00 of a day, beyond 1,440 on the day after.
    pub(crate) spans: Vec<(u32, u32)>,
    pub(crate) opens: bool,
    /// Whether it takes the place of what earlier rules opened on its days.
    pub(crate) replaces: bool,
}

/// Reads the rules, or names everything that cannot be said; `PH` has a meaning only where `holidays` are known. Where
/// they are known and no rule is about them, they are closed.
pub(crate) fn read(text: &str, holidays: bool) -> Result<Vec<Rule>, Vec<Fault>> {
    let whole = |message: String| vec![Fault { path: String::new(), message }];
    let parsed = opening_hours_syntax::parse(text).map_err(|error| whole(format!("cannot be read: {error}")))?;
    let mut faults: Vec<Fault> = ambiguous(text).into_iter().flat_map(whole).collect();
    let mut rules = Vec::new();
    for (n, rule) in parsed.rules.iter().enumerate() {
        let mut refuse = |message: String| {
            let path = format!("/rules/{n}");
            faults.push(Fault { path, message: format!("{:?}: {message}", rule.to_string()) });
        };
        odd(rule).into_iter().for_each(&mut refuse);
        let named = |kind| {
            rule.day_selector
                .weekday
                .iter()
                .any(|day| matches!(day, WeekDayRange::Holiday { kind: found, .. } if *found == kind))
        };
        if named(HolidayKind::School) {
            refuse("school holidays (SH) are not known".into());
        }
        if named(HolidayKind::Public) && !holidays {
            refuse("public holidays (PH) are not known: name an iCalendar file with them".into());
        }
        match rule.time_selector.spans.iter().map(minutes).collect() {
            Ok(spans) => rules.push(Rule {
                days: rule.day_selector.clone(),
                spans,
                opens: rule.kind == RuleKind::Open,
                replaces: rule.operator == RuleOperator::Normal,
            }),
            Err(message) => refuse(message),
        }
    }
    let about_holidays = |rule: &Rule| rule.days.weekday.iter().any(|day| matches!(day, WeekDayRange::Holiday { .. }));
    if holidays && !rules.iter().any(about_holidays) {
        let weekday = vec![WeekDayRange::Holiday { kind: HolidayKind::Public, offset: 0 }];
        let days = DaySelector { weekday, ..DaySelector::default() };
        rules.push(Rule { days, spans: vec![(0, 1_440)], opens: false, replaces: true });
    }
    if faults.is_empty() { Ok(rules) } else { Err(faults) }
}

/// What a rule says that working hours cannot.
fn odd(rule: &RuleSequence) -> Vec<String> {
    let mut odd = Vec::new();
    if rule.kind == RuleKind::Unknown {
        odd.push("`unknown` is neither open nor closed".to_owned());
    }
    if !rule.comment.is_empty() {
        odd.push(format!("the comment {:?} cannot be said: take it out", &*rule.comment));
    }
    if rule.operator == RuleOperator::Fallback {
        odd.push("a fallback (||) cannot be said".to_owned());
    }
    odd
}

fn minutes(span: &TimeSpan) -> Result<(u32, u32), String> {
    if span.open_end {
        return Err("an open end (+) cannot be said".to_owned());
    }
    if span.repeats.is_some() {
        return Err("times that repeat (/) cannot be said".to_owned());
    }
    let minute = |time: ExtendedTime| u32::from(time.hour()) * 60 + u32::from(time.minute());
    let fixed = |time: &Time| match time {
        Time::Fixed(time) => Ok(minute(*time)),
        Time::Variable(time) => Err(format!("{} moves with the sun", time.event)),
    };
    let (start, end) = (fixed(&span.range.start)?, fixed(&span.range.end)?);
    Ok((start, if end <= start { end + 1_440 } else { end }))
}

/// Two lists of days with a space between mean "both at once" to some readers and "either" to others; after a comma and
/// a space a new rule begins, and the days before it were open day and night.
fn ambiguous(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let pair = words.windows(2).find(|pair| is_days(pair[0].trim_end_matches(',')) && is_days(pair[1]))?;
    Some(format!("{:?} can be read in more than one way: join the days by a comma alone", pair.join(" ")))
}

fn is_days(word: &str) -> bool {
    if word.contains([';', '|']) {
        return false;
    }
    let mut names = word.split([',', '-']).map(|name| name.split('[').next().unwrap_or_default()).peekable();
    names.peek().is_some_and(|name| DAY_NAMES.contains(name))
}
