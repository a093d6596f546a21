//! What reading a machine gives before it is hashed. Nothing here can be printed: the values
//! are raw, and they end here.

use std::io;

use super::root_fs::{self, Mount};
use super::{Kind, Source, State, junk};

/// One value that was found, or one reason why there is none.
pub(super) struct Finding {
    pub kind: Kind,
    pub state: State,
    /// The normalized value, if it was found.
    pub value: Option<String>,
    /// Normalized values that were read with it and do not count. No license is bound to them
    /// anew; one that was bound before a table had them still is.
    pub aside: Vec<String>,
    /// Whether the file's mode lets only its owner read it, whoever read it now.
    pub root_only: bool,
    pub note: &'static str,
}

impl Finding {
    pub fn found(kind: Kind, value: String, root_only: bool) -> Finding {
        let (state, value) = (State::Found, Some(value));
        Finding { kind, state, value, aside: Vec::new(), root_only, note: "" }
    }

    pub fn without(kind: Kind, state: State, note: &'static str) -> Finding {
        Finding { kind, state, value: None, aside: Vec::new(), root_only: false, note }
    }

    /// The same value, which does not count for the reason in `note`.
    pub fn set_aside(self, state: State, note: &'static str) -> Finding {
        let mut aside = self.aside;
        aside.extend(self.value.filter(|value| !value.is_empty()));
        Finding { aside, ..Finding::without(self.kind, state, note) }
    }

    pub fn missing(kind: Kind) -> Finding {
        Finding::without(kind, State::Missing, "this machine has none")
    }

    pub fn unreadable(kind: Kind) -> Finding {
        Finding::without(kind, State::Unreadable, "this process may not read it")
    }

    pub fn excluded(kind: Kind) -> Finding {
        Finding::without(kind, State::Excluded, "the product asked not to read it")
    }

    /// A value that all may read, or why it does not count.
    pub fn judged(kind: Kind, text: &str, flaw: impl Fn(&str) -> Option<&'static str>) -> Finding {
        let value = junk::normal(text);
        let flaw = flaw(&value);
        let found = Finding::found(kind, value, false);
        match flaw {
            Some(note) => found.set_aside(State::Junk, note),
            None => found,
        }
    }

    /// A UUID as 32 small digits: one machine spells it differently in two places.
    pub fn of_uuid(kind: Kind, text: &str) -> Finding {
        match junk::uuid_digits(&junk::normal(text)) {
            Some(digits) => Finding::judged(kind, &digits, junk::uuid_flaw),
            None if text.is_empty() => Finding::missing(kind),
            None => Finding::without(kind, State::Junk, "it is not a UUID"),
        }
    }

    /// A model from the names of machine and board, without those that say nothing.
    pub fn of_model<'a>(names: impl Iterator<Item = (&'static str, &'a str)>) -> Finding {
        let parts: Vec<String> = names
            .map(|(name, text)| (name, junk::normal(text)))
            .filter(|(_, word)| !word.is_empty() && junk::model_flaw(word).is_none())
            .map(|(name, word)| format!("{name}={word}"))
            .collect();
        if parts.is_empty() {
            return Finding::missing(Kind::Model);
        }
        Finding::found(Kind::Model, parts.join("|"), false)
    }
}

/// A file's text, or why there is none.
pub(super) enum Text {
    Found { text: String, root_only: bool },
    Missing,
    Unreadable,
}

/// Bytes that are read of any file. The longest that matters is the list of mounts, and the
/// root is near its beginning.
const FILE_MAX: u64 = 1024 * 1024;

/// Permission bit: others may read.
const OTHERS_READ: u32 = 0o004;

/// A source with the questions that all kinds ask.
pub(super) struct View<'a> {
    pub source: &'a dyn Source,
    /// Every mount that this process sees, in the order they were made; `Err` if it may not.
    pub mounts: Result<Vec<Mount>, ()>,
}

impl<'a> View<'a> {
    pub fn new(source: &'a dyn Source) -> View<'a> {
        let mut view = View { source, mounts: Ok(Vec::new()) };
        view.mounts = match view.text("/proc/self/mountinfo") {
            Text::Found { text, .. } => Ok(root_fs::mounts(&text)),
            Text::Missing => Ok(Vec::new()),
            Text::Unreadable => Err(()),
        };
        view
    }

    /// The mounts that can be seen.
    pub fn mounts(&self) -> &[Mount] {
        self.mounts.as_deref().unwrap_or_default()
    }

    /// The text of a file. Bytes that are not UTF-8 become U+FFFD, which no value may contain.
    pub fn text(&self, path: &str) -> Text {
        match self.source.read(path, FILE_MAX) {
            Ok(bytes) => Text::Found {
                text: String::from_utf8_lossy(&bytes).into_owned(),
                root_only: self.source.mode(path).is_ok_and(|mode| mode & OTHERS_READ == 0),
            },
            Err(error) if is_absent(&error) => Text::Missing,
            Err(_) => Text::Unreadable,
        }
    }

    /// The text of a file that matters only if it is there.
    pub fn hint(&self, path: &str) -> Option<String> {
        match self.text(path) {
            Text::Found { text, .. } => Some(text),
            Text::Missing | Text::Unreadable => None,
        }
    }

    /// A hint in normalized form, empty if there is none.
    pub fn word(&self, path: &str) -> String {
        self.hint(path).map(|text| junk::normal(&text)).unwrap_or_default()
    }

    /// Whether a file, folder or link is there, as far as this process may see.
    pub fn exists(&self, path: &str) -> bool {
        self.source.mode(path).is_ok() || self.source.link(path).is_ok()
    }

    /// The names in a folder, sorted: the kernel's order changes.
    pub fn names(&self, path: &str) -> io::Result<Vec<String>> {
        let mut names = self.source.list(path)?;
        names.sort();
        Ok(names)
    }

    /// The last name on the path that a link holds.
    pub fn link_name(&self, path: &str) -> Option<String> {
        let target = self.source.link(path).ok()?;
        target.rsplit('/').next().map(str::to_owned)
    }

    /// A value of `kind` from one file, judged by `flaw` after it is normalized.
    pub fn value(
        &self,
        kind: Kind,
        path: &str,
        flaw: impl Fn(&str) -> Option<&'static str>,
    ) -> Finding {
        match self.text(path) {
            Text::Missing => Finding::missing(kind),
            Text::Unreadable => Finding::unreadable(kind),
            Text::Found { text, root_only } => {
                Finding { root_only, ..Finding::judged(kind, &text, flaw) }
            }
        }
    }
}

/// Whether an error says that there is nothing, rather than that it cannot be read.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
