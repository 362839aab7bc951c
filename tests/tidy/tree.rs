//! The files a rule looks at, and what it answers with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// Every file that is or could be committed.
pub(crate) struct Tree {
    /// By path from the root of the workspace; the text is empty where it is not UTF-8.
    pub(crate) files: BTreeMap<String, String>,
}

/// A place where a rule is broken, and what to do about it.
pub(crate) struct Violation {
    path: String,
    line: usize,
    advice: String,
}

impl Violation {
    pub(crate) fn new(path: &str, line: usize, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, advice: advice.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.advice)
    }
}

impl Tree {
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// The workspace without `.git` and the directories named in `.gitignore`; it needs no git, only the files.
    pub(crate) fn of_workspace() -> Self {
        let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let mut tree = Self { files: BTreeMap::new() };
        if let Err(error) = read(&root, &mut tree) {
            panic!("cannot read the workspace: {error}");
        }
        assert!(tree.files.contains_key("Cargo.toml"), "not the root of the workspace: {}", root.display());
        tree
    }

    /// Files with this extension: path and text.
    pub(crate) fn with_extension(&self, extension: &str) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter(move |(path, _)| Path::new(path).extension().is_some_and(|found| found == extension))
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn read(root: &Path, tree: &mut Tree) -> io::Result<()> {
    let ignored = fs::read_to_string(root.join(".gitignore"))?;
    let skipped = |name: &str| name == ".git" || ignored.lines().any(|line| line.strip_suffix('/') == Some(name));
    let mut directories = vec![String::new()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(root.join(&directory))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{directory}{name}");
            if !entry.file_type()?.is_dir() {
                tree.files.insert(path, fs::read_to_string(entry.path()).unwrap_or_default());
            } else if !skipped(&name) {
                directories.push(path + "/");
            }
        }
    }
    Ok(())
}

/// Lines with their numbers, from 1.
pub(crate) fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Whether the word stands in the line for itself, not as a part of a longer name.
pub(crate) fn mentions(line: &str, word: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + word.len()..].chars().next());
        !before.is_some_and(in_name) && (word.ends_with('!') || !after.is_some_and(in_name))
    })
}
