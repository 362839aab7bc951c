//! The pages behind links, as plain as they can be: a line of text and a button, no script, nothing from elsewhere.

use ticket::notifier::Verdict;

use super::{Shut, Verb};

/// What a page says.
pub(crate) enum Says<'a> {
    /// Asks whether to do it: the subject of the reminder.
    Ask(Verb, &'a str),
    /// It is done.
    Done(Verb),
    /// It is too late for it, or somebody else did it.
    Settled,
    /// The link does nothing.
    Shut(Shut),
    /// Something of ours is in the way.
    Later,
}

/// A page in a language.
pub(crate) fn page(says: &Says<'_>, language: &str) -> String {
    let chinese = language.starts_with("zh");
    let either = |english: &'static str, chinese_text: &'static str| if chinese { chinese_text } else { english };
    let (text, button) = match says {
        Says::Ask(verb, subject) => ((*subject).to_owned(), Some(*verb)),
        Says::Done(Verb::Acknowledge) => (either("Acknowledged.", "已确认。").to_owned(), None),
        Says::Done(Verb::Snooze) => (either("You will be reminded later.", "稍后会再提醒您。").to_owned(), None),
        Says::Done(Verb::Accept) => {
            let said = either("Accepted, if the offer still stands.", "已接单（如该派单仍然有效）。");
            (said.to_owned(), None)
        }
        Says::Done(Verb::Judge) => (either("Thank you.", "谢谢反馈。").to_owned(), None),
        Says::Settled => (either("This is settled already.", "此事已处理。").to_owned(), None),
        Says::Shut(Shut::Over) => (either("This link is no longer good.", "链接已过期。").to_owned(), None),
        Says::Shut(Shut::Forged) => (either("This is no link of ours.", "链接无效。").to_owned(), None),
        Says::Later => (either("Not possible right now. Please try again.", "暂时无法处理，请重试。").to_owned(), None),
    };
    let form = button.map(|verb| format!("<form method=\"post\">{}</form>", buttons(verb, language)));
    let (form, tag) = (form.unwrap_or_default(), if chinese { "zh-CN" } else { "en" });
    format!(
        "<!doctype html><html lang=\"{tag}\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Docket</title><p>{}</p>{form}</html>",
        escaped(&text)
    )
}

/// What can be pressed: one button for a deed, one for each thing that can be said of a reminder.
fn buttons(verb: Verb, language: &str) -> String {
    if verb != Verb::Judge {
        return format!("<button>{}</button>", verb.label(language));
    }
    let chinese = language.starts_with("zh");
    let button = |(verdict, english, chinese_text): &(Verdict, &str, &str)| {
        let (value, label) = (verdict.name(), if chinese { chinese_text } else { english });
        format!("<button name=\"verdict\" value=\"{value}\">{label}</button>")
    };
    VERDICTS.iter().map(button).collect()
}

/// What can be said of a reminder, in both languages.
const VERDICTS: [(Verdict, &str, &str); 3] = [
    (Verdict::Useful, "Useful", "有用"),
    (Verdict::NotUseful, "Not useful", "没用"),
    (Verdict::WrongPerson, "Not for me", "不该发给我"),
];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
