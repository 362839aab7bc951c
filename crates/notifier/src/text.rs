//! What people are told, in words: a `kind: MessageText` document, and rendering it. Plain text, never markup.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;
use ticket::document::{self, Fault, Part};

use crate::known;

/// The language every text is written in.
pub const DEFAULT_LANGUAGE: &str = "en";
/// Longest template, bytes.
const MAX_TEMPLATE: usize = 8_000;
/// Longest subject as rendered, characters: one line.
const MAX_SUBJECT: usize = 200;
/// Longest body as rendered, characters.
const MAX_BODY: usize = 10_000;
/// Steps a template may take: it fills in words, it does not compute.
const FUEL: u64 = 20_000;

/// A text in every language it is written in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    languages: BTreeMap<String, Words>,
}

/// The templates of one language.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Words {
    subject: String,
    body: String,
    /// For where there is little room; the body if there is none.
    short: Option<String>,
}

/// A text as somebody reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// As much as there is to say.
    pub body: String,
    /// The same for where there is little room, if it is written otherwise.
    pub short: Option<String>,
}

impl Text {
    /// Reads a spec, or names everything that is wrong with it; every template is compiled and tried.
    pub fn read(spec: &Value) -> Result<Self, Vec<Fault>> {
        document::read(spec, |part| {
            let english = part.field(DEFAULT_LANGUAGE);
            let mut languages = BTreeMap::new();
            for (language, words) in part.entries() {
                if !is_language(language) {
                    words.fault("is no language tag such as en or zh-CN");
                }
                words.only(&["subject", "body", "short"]);
                let short = words.maybe("short").and_then(|part| template(&part));
                let template = |name| words.field(name).and_then(|part| template(&part));
                if let (Some(subject), Some(body)) = (template("subject"), template("body")) {
                    languages.insert(language.to_owned(), Words { subject, body, short });
                }
            }
            english.map(|_| Self { languages })
        })
    }

    /// The language somebody gets who asks for `wanted`: that one, else one of the same family, else English.
    pub fn language(&self, wanted: &str) -> &str {
        let family = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
        let mut known = self.languages.keys();
        let exact = self.languages.get_key_value(wanted).map(|(tag, _)| tag);
        exact.or_else(|| known.find(|tag| family(tag) == family(wanted))).map_or(DEFAULT_LANGUAGE, String::as_str)
    }

    /// The text in this language, filled in. What a template asks for and this event lacks stays empty; a template that
    /// fails all the same yields the facts themselves: a reminder never fails for its words.
    pub fn render(&self, language: &str, facts: &BTreeMap<String, String>) -> Rendered {
        let words = self.languages.get(language).or_else(|| self.languages.get(DEFAULT_LANGUAGE));
        words.and_then(|words| words.render(facts)).unwrap_or_else(|| plain(facts))
    }
}

/// What is told where no text can be: the facts.
pub(crate) fn plain(facts: &BTreeMap<String, String>) -> Rendered {
    let fact = |name: &str| facts.get(name).map_or("", String::as_str);
    let lines: Vec<_> = facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    Rendered { subject: one_line(&format!("{} {}", fact("ticket"), fact("kind"))), body: lines.join("\n"), short: None }
}

impl Words {
    fn render(&self, facts: &BTreeMap<String, String>) -> Option<Rendered> {
        let environment = environment(UndefinedBehavior::Lenient);
        let filled = |template: &str| environment.render_str(template, values(facts)).ok();
        let whole = |template: &str| -> Option<String> { Some(filled(template)?.chars().take(MAX_BODY).collect()) };
        let short = self.short.as_deref().and_then(whole);
        Some(Rendered { subject: one_line(&filled(&self.subject)?), body: whole(&self.body)?, short })
    }
}

fn values(facts: &BTreeMap<String, String>) -> minijinja::Value {
    minijinja::Value::from_pairs(facts.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn environment<'a>(undefined: UndefinedBehavior) -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(FUEL));
    environment
}

/// A template, if it compiles, asks for nothing that no event has, and can be filled in.
fn template(part: &Part<'_>) -> Option<String> {
    let source = part.text()?;
    if source.is_empty() || source.len() > MAX_TEMPLATE {
        part.fault(format!("must have 1 to {MAX_TEMPLATE} bytes"));
        return None;
    }
    let facts = known::sample_facts();
    let environment = environment(UndefinedBehavior::Strict);
    let template = match environment.template_from_str(source) {
        Ok(template) => template,
        Err(error) => {
            part.fault(format!("is no template: {error}"));
            return None;
        }
    };
    let asked: BTreeSet<_> = template.undeclared_variables(false).into_iter().collect();
    let built_in = |name: &str| environment.globals().any(|(known, _)| known == name);
    let unknown: Vec<_> = asked.into_iter().filter(|name| !facts.contains_key(name) && !built_in(name)).collect();
    if !unknown.is_empty() {
        let known: Vec<_> = facts.keys().map(String::as_str).collect();
        part.fault(format!("knows no {}; known: {}", unknown.join(", "), known.join(", ")));
        return None;
    }
    if let Err(error) = template.render(values(&facts)) {
        part.fault(format!("cannot be filled in: {error}"));
        return None;
    }
    Some(source.to_owned())
}

/// Whether a text is of the form of a language tag.
pub(crate) fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let sized = |part: &str, sizes: std::ops::RangeInclusive<usize>| {
        sizes.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    parts.next().is_some_and(|first| sized(first, 2..=3)) && parts.all(|part| sized(part, 1..=8)) && tag.len() <= 35
}

/// Control characters become blanks: a subject is a header of a mail.
fn one_line(text: &str) -> String {
    text.trim().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_SUBJECT).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(spec: &Value) -> Vec<String> {
        Text::read(spec).unwrap_err().into_iter().map(|fault| format!("{} {}", fault.path, fault.message)).collect()
    }

    fn facts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// Proves part of: N2
    #[test]
    fn a_text_speaks_the_language_asked_for_or_english() {
        let both = json!({"en": {"subject": "{{ ticket }}", "body": "due {{ due_at }}"},
            "zh-CN": {"subject": "工单 {{ ticket }}", "body": "截止 {{ due_at }}{% if clock %} {{ clock }}{% endif %}"}});
        let text = Text::read(&both).unwrap();
        assert_eq!(
            ["zh-CN", "zh", "zh-TW", "en-GB", "fr"].map(|tag| text.language(tag)),
            ["zh-CN", "zh-CN", "zh-CN", "en", "en"]
        );
        let told = text.render("zh-CN", &facts(&[("ticket", "0198a1b2\r\nBcc: x"), ("due_at", "soon")]));
        assert_eq!(told.subject, "工单 0198a1b2  Bcc: x", "a subject is one line");
        assert_eq!(told.body, "截止 soon");
    }

    /// Proves part of: N2, X1
    #[test]
    fn a_text_that_cannot_be_filled_in_is_refused_when_it_is_put_in_force() {
        let en = |subject: &str, body: &str| json!({"en": {"subject": subject, "body": body}});
        assert_eq!(faults(&json!({})), ["/en is required"]);
        assert!(faults(&en("{{ tikcet }}", "x"))[0].starts_with("/en/subject knows no tikcet"));
        assert!(faults(&en("x", "{% if false %}{{ nobody }}{% endif %}"))[0].contains("knows no nobody"));
        assert!(faults(&en("{{ ticket", "x"))[0].contains("is no template"));
        assert!(faults(&en("x", "{% for i in range(99999) %}{{ i }}{% endfor %}"))[0].contains("cannot be filled in"));
        assert!(faults(&en("x", ""))[0].contains("must have 1 to"));
        let odd = json!({"en": {"subject": "x", "body": "y"}, "klingon!": {"subject": "x", "colour": "red"}});
        let paths: Vec<_> = Text::read(&odd).unwrap_err().into_iter().map(|fault| fault.path).collect();
        assert_eq!(paths, ["/klingon!", "/klingon!/body", "/klingon!/colour"]);
    }
}
