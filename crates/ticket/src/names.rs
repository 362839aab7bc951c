//! Names, and other things that occur again and again, each kept once and stood for by a number.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Names by number.
pub type Names = Interned<Arc<str>>;

/// Values by number, from 0, in the order in which they first came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<T>", into = "Vec<T>", bound = "T: Clone + Ord + Serialize + for<'a> Deserialize<'a>")]
pub struct Interned<T: Clone + Ord> {
    values: Vec<T>,
    numbers: BTreeMap<T, u32>,
}

impl<T: Clone + Ord> Interned<T> {
    /// The number of a value, a new one if it never came before.
    pub fn number<Q: Ord + ?Sized>(&mut self, value: &Q) -> u32
    where
        T: Borrow<Q> + for<'a> From<&'a Q>,
    {
        if let Some(number) = self.find(value) {
            return number;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let value = T::from(value);
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        number
    }

    /// The number of a value that came before.
    pub fn find<Q: Ord + ?Sized>(&self, value: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
    {
        self.numbers.get(value).copied()
    }

    /// Every value, at the place of its number.
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

impl Names {
    /// The name behind a number; empty if there is none.
    pub fn text(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|number| self.values.get(number)).map_or("", |text| text)
    }
}

impl<T: Clone + Ord> Default for Interned<T> {
    fn default() -> Self {
        Self { values: Vec::new(), numbers: BTreeMap::new() }
    }
}

impl<T: Clone + Ord> From<Vec<T>> for Interned<T> {
    fn from(values: Vec<T>) -> Self {
        let numbers = values.iter().cloned().zip(0..).collect();
        Self { values, numbers }
    }
}

impl<T: Clone + Ord> From<Interned<T>> for Vec<T> {
    fn from(interned: Interned<T>) -> Self {
        interned.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_its_number_survives_being_stored() {
        let mut names = Names::default();
        assert_eq!(["ann", "bob", "ann"].map(|name| names.number(name)), [0, 1, 0]);
        let text = serde_json::to_string(&names).unwrap();
        assert_eq!(text, r#"["ann","bob"]"#);
        let mut stored: Names = serde_json::from_str(&text).unwrap();
        assert_eq!(stored, names);
        assert_eq!((stored.find("bob"), stored.find("sue"), stored.number("sue")), (Some(1), None, 2));
        assert_eq!((stored.text(2), stored.text(3)), ("sue", ""));
    }
}
