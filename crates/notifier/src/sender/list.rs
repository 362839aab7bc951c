//! What a digest lists, as the channels write it.

use uuid::Uuid;

use super::channel::fitting;
use super::post::Letter;
use crate::link::Link;

/// Longest text of one item, bytes.
const MAX_ITEM: usize = 300;

/// One reminder of a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// How many are like it, where it is the first of several.
    pub heading: Option<String>,
    /// The ticket it is about.
    pub ticket: Uuid,
    /// The reminder.
    pub reminder: Uuid,
    /// One line.
    pub subject: String,
    /// As much as there is to say.
    pub body: String,
    /// What its recipient may do at once.
    pub links: Vec<Link>,
}

impl Item {
    /// The item on one line or two.
    pub(super) fn text(&self, place: usize) -> String {
        let heading = self.heading.as_ref().map(|heading| format!("[{heading}]\n")).unwrap_or_default();
        let body = self.body.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{heading}{}. {}\n   {}", place + 1, self.subject, fitting(&body, MAX_ITEM))
    }
}

/// What is said of those that are not listed.
pub(super) fn rest(more: usize, language: &str) -> Option<String> {
    (more > 0).then(|| {
        if language.starts_with("zh") {
            format!("另有 {more} 条，请查看收件箱。")
        } else {
            format!("And {more} more: see your inbox.")
        }
    })
}

/// The items, each followed by what `links` makes of its links, and what is said of the others.
pub(super) fn listed(items: &[Item], (more, language): (usize, &str), links: impl Fn(&Item) -> String) -> String {
    let texts = items.iter().enumerate().map(|(place, item)| format!("{}{}", item.text(place), links(item)));
    texts.chain(rest(more, language)).collect::<Vec<_>>().join("\n\n")
}

/// As [`listed`], so many of them as fit into so many bytes; the others are counted.
pub(super) fn within(letter: &Letter, bytes: usize, links: impl Fn(&Item) -> String) -> String {
    let all = letter.items.len();
    let first = |many: usize| {
        let more = letter.more + all - many;
        listed(&letter.items[..many], (more, &letter.language), &links)
    };
    (0..=all).rev().map(first).find(|text| text.len() <= bytes).unwrap_or_default()
}

/// The text of a letter with its links below, each item's below that.
pub(super) fn plain(letter: &Letter) -> String {
    let label = |link: &Link| link.label(&letter.language);
    if letter.items.is_empty() {
        let links = letter.links.iter().map(|link| format!("\n\n{}:\n{}", label(link), link.url));
        return format!("{}{}", letter.body, links.collect::<String>());
    }
    listed(&letter.items, (letter.more, &letter.language), |item| {
        item.links.iter().fold(String::new(), |text, link| format!("{text}\n   {}: {}", label(link), link.url))
    })
}
