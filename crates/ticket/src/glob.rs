//! Patterns over the names of activities: `*` stands for any text, `/` included; a leading `!` excludes.

/// A list of patterns; the order in which they stand does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globs {
    included: Vec<String>,
    excluded: Vec<String>,
}

impl Globs {
    /// The patterns as written.
    pub fn new<T: AsRef<str>>(patterns: &[T]) -> Self {
        let mut globs = Self::default();
        for pattern in patterns.iter().map(AsRef::as_ref) {
            match pattern.strip_prefix('!') {
                Some(excluded) => globs.excluded.push(excluded.to_owned()),
                None => globs.included.push(pattern.to_owned()),
            }
        }
        globs
    }

    /// Whether no name can match, since no pattern includes any.
    pub fn matches_nothing(&self) -> bool {
        self.included.is_empty()
    }

    /// Whether any pattern includes the name and none excludes it.
    pub fn matches(&self, name: &str) -> bool {
        let hit = |patterns: &[String]| patterns.iter().any(|pattern| fits(pattern.as_bytes(), name.as_bytes()));
        hit(&self.included) && !hit(&self.excluded)
    }
}

/// Whether the pattern fits the whole of `name`; after a mismatch the last `*` takes one letter more.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, n));
            p += 1;
        } else if pattern.get(p) == Some(&name[n]) {
            p += 1;
            n += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            n = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_crosses_slashes_and_may_be_empty() {
        let fitting = [
            ("a*c", "abbc"),
            ("*", ""),
            ("*/Wait", "Accepted/Wait"),
            ("Accepted*", "Accepted/In Progress"),
            ("a**b*", "ab"),
            ("*a*a", "aba"),
            ("a*b*c", "aXbXbXc"),
            ("解*", "解决"),
        ];
        for (pattern, name) in fitting {
            assert!(Globs::new(&[pattern]).matches(name), "{pattern} {name}");
        }
        let others = [
            ("a*c", "abcd"),
            ("", "a"),
            ("a", ""),
            ("A", "a"),
            ("*a*a", "a"),
            ("Wait", "Wait list"),
            ("*/Closed", "x/Closed/y"),
            ("a?c", "abc"),
            ("a*b*c", "aXbXb"),
        ];
        for (pattern, name) in others {
            assert!(!Globs::new(&[pattern]).matches(name), "{pattern} {name}");
        }
    }

    #[test]
    fn an_exclusion_wins_wherever_it_stands() {
        for patterns in [["!*/Wait", "Accepted*"], ["Accepted*", "!*/Wait"]] {
            let globs = Globs::new(&patterns);
            assert!(globs.matches("Accepted/Assigned") && !globs.matches("Accepted/Wait") && !globs.matches("Queued"));
        }
        assert!(Globs::new(&["!x"]).matches_nothing() && !Globs::new(&["!x"]).matches("y"));
    }
}
