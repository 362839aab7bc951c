//! A ticket type's template: which fields it wants, what it demands at the end, how long silence and grace last.

use std::collections::BTreeMap;

use serde_json::Value;
use ticket::document::{self, Fault, Part};
use ticket::intake::{FieldValue, Impact, Urgency};

/// Most characters of a text field whose template names no other bound.
const TEXT_MAX_CHARS: i64 = 2_000;
/// Most characters any text field may have.
const TEXT_LIMIT_CHARS: i64 = 10_000;
/// Most fields a template may have.
const MAX_FIELDS: usize = 64;
const DEFAULT_CONFIRM_DAYS: i64 = 3;
const DEFAULT_REOPEN_SECS: i64 = 7 * 86_400;

const IMPACTS: [(&str, Impact); 3] =
    [("person", Impact::Person), ("service", Impact::Service), ("department", Impact::Department)];
const URGENCIES: [(&str, Urgency); 4] =
    [("low", Urgency::Low), ("medium", Urgency::Medium), ("high", Urgency::High), ("critical", Urgency::Critical)];

/// The spec of a `kind: TicketType` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketType {
    /// The queue its tickets lie in, unless said.
    pub queue: String,
    /// The calendar whose working days silence counts in; days of 24 hours without one.
    pub calendar: Option<String>,
    /// Working days after which silence is consent.
    pub confirm_working_days: u32,
    /// Seconds after closing during which a ticket may be reopened.
    pub reopen_within_secs: i64,
    /// Fewest references a resolution must name.
    pub evidence_required: usize,
    /// How many it touches, unless said.
    pub impact: Impact,
    /// How soon it is needed, unless said.
    pub urgency: Urgency,
    /// Its fields, by name.
    pub fields: BTreeMap<String, Field>,
}

/// A field of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it holds.
    pub form: Form,
    /// Whether a ticket without it is refused.
    pub required: bool,
    /// Whether its text is about a person.
    pub personal: bool,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Text of at most so many characters.
    Text {
        /// Characters.
        max_chars: i64,
    },
    /// A whole number within these bounds, both included.
    Number {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// Yes or no.
    Flag,
    /// One of these texts.
    Choice(Vec<String>),
    /// The IANA name of the customer's time zone.
    Zone,
}

impl TicketType {
    /// The customer's time zone, as the field that is one says.
    pub fn zone<'a>(&self, given: &'a BTreeMap<String, FieldValue>) -> Option<&'a str> {
        let (name, _) = self.fields.iter().find(|(_, field)| field.form == Form::Zone)?;
        match given.get(name)? {
            FieldValue::Text(zone) => Some(zone).filter(|zone| !zone.is_empty()).map(String::as_str),
            FieldValue::Number(_) | FieldValue::Flag(_) | FieldValue::Private(_) => None,
        }
    }

    /// Names, with what is wrong, every field that is missing, unknown or not of its form.
    pub fn field_faults(&self, given: &BTreeMap<String, FieldValue>) -> Vec<(String, String)> {
        let mut faults: Vec<_> = self
            .fields
            .iter()
            .filter_map(|(name, field)| Some((name.clone(), field.fault(given.get(name))?)))
            .collect();
        let unknown = given.keys().filter(|name| !self.fields.contains_key(*name));
        faults.extend(unknown.map(|name| (name.clone(), "is not a field of this ticket type".to_owned())));
        faults
    }
}

impl Field {
    fn fault(&self, value: Option<&FieldValue>) -> Option<String> {
        match (&self.form, value) {
            (_, None) => self.required.then(|| "is required".to_owned()),
            (Form::Text { .. } | Form::Choice(_) | Form::Zone, Some(FieldValue::Text(text))) if text.is_empty() => {
                self.required.then(|| "is required".to_owned())
            }
            (Form::Text { max_chars }, Some(FieldValue::Text(text))) => {
                exceeds(text, *max_chars).then(|| format!("has more than {max_chars} characters"))
            }
            (Form::Choice(choices), Some(FieldValue::Text(text))) => {
                (!choices.contains(text)).then(|| format!("must be one of: {}", choices.join(", ")))
            }
            (Form::Number { min, max }, Some(FieldValue::Number(number))) => {
                (!(min..=max).contains(&number)).then(|| format!("must lie between {min} and {max}"))
            }
            (Form::Zone, Some(FieldValue::Text(text))) => {
                (!calendar::is_zone(text)).then(|| "must be an IANA time zone such as Europe/Rome".to_owned())
            }
            (Form::Flag, Some(FieldValue::Flag(_))) => None,
            (Form::Text { .. } | Form::Choice(_) | Form::Zone, Some(_)) => Some("must be text".to_owned()),
            (Form::Number { .. }, Some(_)) => Some("must be a whole number".to_owned()),
            (Form::Flag, Some(_)) => Some("must be true or false".to_owned()),
        }
    }
}

/// Whether a text has more than so many characters.
fn exceeds(text: &str, max_chars: i64) -> bool {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX) > max_chars
}

impl TicketType {
    /// Reads a spec, or names everything that is wrong with it.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            part.only(&[
                "title",
                "queue",
                "calendar",
                "confirm_working_days",
                "reopen_within",
                "evidence_required",
                "impact",
                "urgency",
                "fields",
            ]);
            part.maybe("title").map(|title| title.text());
            let queue = part.field("queue").and_then(|queue| queue.text());
            let reopen = match part.maybe("reopen_within") {
                Some(grace) => grace.duration_secs(),
                None => Some(DEFAULT_REOPEN_SECS),
            };
            let confirm = bounded(part, "confirm_working_days", DEFAULT_CONFIRM_DAYS, 0..=60);
            let evidence = bounded(part, "evidence_required", 0, 0..=20);
            let impact = part.maybe("impact").map_or(Some(Impact::Person), |impact| impact.one_of(&IMPACTS));
            let urgency = part.maybe("urgency").map_or(Some(Urgency::Medium), |urgency| urgency.one_of(&URGENCIES));
            let fields = part.maybe("fields").map(|fields| fields_of(&fields)).unwrap_or_default();
            Some(Self {
                queue: queue?.to_owned(),
                calendar: part.maybe("calendar").and_then(|calendar| calendar.text()).map(str::to_owned),
                confirm_working_days: u32::try_from(confirm?).ok()?,
                reopen_within_secs: reopen?,
                evidence_required: usize::try_from(evidence?).ok()?,
                impact: impact?,
                urgency: urgency?,
                fields,
            })
        })
    }
}

fn bounded(part: &Part<'_>, name: &str, default: i64, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let Some(below) = part.maybe(name) else { return Some(default) };
    let number = below.number()?;
    if !bounds.contains(&number) {
        below.fault(format!("must lie between {} and {}", bounds.start(), bounds.end()));
    }
    Some(number)
}

fn fields_of(part: &Part<'_>) -> BTreeMap<String, Field> {
    let entries = part.entries();
    if entries.len() > MAX_FIELDS {
        part.fault(format!("has more than {MAX_FIELDS} fields"));
    }
    let read = entries.into_iter().filter_map(|(name, part)| Some((name.to_owned(), field(&part)?)));
    let fields: BTreeMap<String, Field> = read.collect();
    if fields.values().filter(|field| field.form == Form::Zone).count() > 1 {
        part.fault("has more than one field of type zone: a customer has one");
    }
    fields
}

fn field(part: &Part<'_>) -> Option<Field> {
    let forms = [("text", "text"), ("number", "number"), ("flag", "flag"), ("choice", "choice"), ("zone", "zone")];
    let form = part.field("type")?.one_of(&forms)?;
    let flag = |name| part.maybe(name).map_or(Some(false), |flag| flag.flag());
    let (required, personal) = (flag("required"), flag("personal"));
    part.maybe("title").map(|title| title.text());
    let mut known = vec!["type", "required", "title"];
    let form = match form {
        "text" => {
            known.extend(["personal", "max_length"]);
            Form::Text { max_chars: bounded(part, "max_length", TEXT_MAX_CHARS, 1..=TEXT_LIMIT_CHARS)? }
        }
        "number" => {
            known.extend(["min", "max"]);
            let bound = |name, default| part.maybe(name).map_or(Some(default), |bound| bound.number());
            Form::Number { min: bound("min", i64::MIN)?, max: bound("max", i64::MAX)? }
        }
        "choice" => {
            known.push("choices");
            let choices = part.field("choices")?.texts();
            if choices.is_empty() {
                part.fault_at("/choices", "must hold at least one");
            }
            Form::Choice(choices)
        }
        "zone" => Form::Zone,
        _ => Form::Flag,
    };
    part.only(&known);
    Some(Field { form, required: required?, personal: personal? })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn repair() -> TicketType {
        let fields = json!({
            "asset": {"type": "text", "required": true, "max_length": 5},
            "floor": {"type": "number", "min": -2, "max": 40},
            "warranty": {"type": "flag"},
            "service": {"type": "choice", "choices": ["mail", "erp"], "required": true},
            "where": {"type": "zone"},
        });
        TicketType::read(&json!({"queue": "desk", "fields": fields})).unwrap()
    }

    fn faults(given: &[(&str, FieldValue)]) -> Vec<String> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        repair().field_faults(&given).into_iter().map(|(name, message)| format!("{name} {message}")).collect()
    }

    fn text(text: &str) -> FieldValue {
        FieldValue::Text(text.into())
    }

    #[test]
    fn a_full_form_has_no_faults() {
        let number = FieldValue::Number(-2);
        assert!(faults(&[("asset", text("灯灯灯灯灯")), ("service", text("erp")), ("floor", number)]).is_empty());
    }

    #[test]
    fn the_field_of_that_type_is_the_customers_zone() {
        let zone = |value: &str| {
            let given = [("where".to_owned(), text(value)), ("asset".to_owned(), text("Asia/Tokyo"))].into();
            repair().zone(&given).map(str::to_owned)
        };
        assert_eq!((zone("Asia/Shanghai"), zone("")), (Some("Asia/Shanghai".into()), None));
    }

    #[test]
    fn every_missing_and_wrong_field_is_named() {
        let given = [
            ("asset", text("")),
            ("floor", FieldValue::Number(41)),
            ("warranty", text("yes")),
            ("service", text("fax")),
            ("colour", text("red")),
            ("where", text("Europe/Atlantis")),
        ];
        let expected = [
            "asset is required",
            "floor must lie between -2 and 40",
            "service must be one of: mail, erp",
            "warranty must be true or false",
            "where must be an IANA time zone such as Europe/Rome",
            "colour is not a field of this ticket type",
        ];
        assert_eq!(faults(&given), expected);
        assert_eq!(
            faults(&[("asset", text("123456")), ("service", text("erp"))]),
            ["asset has more than 5 characters"]
        );
    }

    #[test]
    fn a_template_s_own_faults_are_named_at_once() {
        let fields = json!({"a": {"type": "date"}, "b": {"type": "flag", "max": 3}, "c": {"type": "choice"}, "d": {"type": "zone"},
            "e": {"type": "zone"}});
        let spec = json!({"fields": fields, "reopen_within": "soon", "impact": "world", "confirm_working_days": 99});
        let paths: Vec<_> = TicketType::read(&spec).unwrap_err().into_iter().map(|fault| fault.path).collect();
        let expected = [
            "/confirm_working_days",
            "/fields",
            "/fields/a/type",
            "/fields/b/max",
            "/fields/c/choices",
            "/impact",
            "/queue",
            "/reopen_within",
        ];
        assert_eq!(paths, expected);
    }
}
