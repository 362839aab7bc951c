//! What a text may say of a reminder, kept in one piece: many reminders are open at once, and each has a dozen facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Ends every name and every value; a text shows no such letter.
const END: char = '\0';

/// Facts by name, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts(Box<str>);

impl Facts {
    pub(crate) fn of(facts: &BTreeMap<String, String>) -> Self {
        Self::from(facts.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    fn from<'a>(facts: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut kept = String::new();
        for text in facts.flat_map(|(name, value)| [name, value]) {
            kept.extend(text.chars().map(|letter| if letter == END { ' ' } else { letter }));
            kept.push(END);
        }
        Self(kept.into_boxed_str())
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut parts = self.0.split_terminator(END);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All of them, as texts and events have them.
    pub(crate) fn map(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The facts of these names alone.
    pub(crate) fn only(&self, wanted: impl Fn(&str) -> bool) -> Self {
        Self::from(self.iter().filter(|(name, _)| wanted(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_come_back_as_they_were_put_in() {
        let facts: BTreeMap<String, String> =
            [("a", ""), ("kind", "Offered"), ("z", "工单")].map(|(name, value)| (name.into(), value.into())).into();
        let kept = Facts::of(&facts);
        assert_eq!(kept.map(), facts);
        assert_eq!((kept.get("a"), kept.get("kind"), kept.get("k")), (Some(""), Some("Offered"), None));
        assert_eq!(kept.only(|name| name == "z").map().len(), 1);
        let odd = BTreeMap::from([("a".to_owned(), "x\0y".to_owned())]);
        assert_eq!(Facts::of(&odd).get("a"), Some("x y"));
        assert!(Facts::of(&BTreeMap::new()).map().is_empty());
    }
}
