//! `index.json`: which names there are.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::error::Result;
use crate::fs::{Dir, Errno, Kind, ReadError, read_child};
use crate::json::{self, Fields, Invalid};

use super::entries::{self, Entries, SCHEMA};
use super::{COMMITTED, ENVS, INDEX, Registry, metadata, name};

const MAX_BYTES: usize = 64 << 20;
const REMEDY: &str = "nothing was changed; `repair` keeps this file beside it and builds it anew from what is there";

pub(super) struct Index {
    /// Fields of others, kept.
    rest: Map<String, Value>,
    entries: Entries,
    /// Whether we wrote it last.
    ours: bool,
}

impl Index {
    /// Reads the index. A missing one is empty where nothing was ever committed.
    pub fn read(registry: &Registry) -> Result<Self> {
        match Self::load(registry)? {
            Ok(Some(index)) => Ok(index),
            Ok(None) if registry.holds_committed()? => match Self::load(registry)? {
                // The first of all was created while we looked.
                Ok(Some(index)) => Ok(index),
                _ => {
                    let reason = format!("it is missing, though there are environments; {REMEDY}");
                    Err(registry.unavailable(INDEX, &reason))
                }
            },
            Ok(None) => Ok(Self::empty()),
            Err(reason) => Err(registry.unavailable(INDEX, &format!("{reason}; {REMEDY}"))),
        }
    }

    /// The same; `None` where what is there can't be used, and only reading that fails is an error.
    pub fn read_if_usable(registry: &Registry) -> Result<Option<Self>> {
        Ok(match Self::load(registry)? {
            Ok(None) if !registry.holds_committed()? => Some(Self::empty()),
            loaded => loaded.ok().flatten(),
        })
    }

    /// The index; `None` where there is none, the reason where what stands there is no index. An error is one of reading:
    /// the file may be in order.
    pub fn load(registry: &Registry) -> Result<std::result::Result<Option<Self>, String>> {
        let bytes = match read_child(&registry.dir, INDEX, MAX_BYTES).map(|file| file.content) {
            Ok(bytes) => bytes,
            Err(ReadError::Missing) => return Ok(Ok(None)),
            Err(ReadError::Failed(error)) => return Err(registry.trouble(INDEX, error)),
            Err(error) => return Ok(Err(format!("it {error}"))),
        };
        let ours = registry.dir.is_signed(INDEX).unwrap_or(false);
        let Ok(text) = String::from_utf8(bytes) else { return Ok(Err("it is not UTF-8".into())) };
        Ok(match Self::parse(text) {
            Ok(index) => Ok(Some(Index { ours, ..index })),
            Err(Invalid { field, reason }) if field == INDEX => Err(format!("it {reason}")),
            Err(Invalid { field, reason }) => Err(format!("{field} {reason}")),
        })
    }

    fn parse(text: String) -> std::result::Result<Self, Invalid> {
        // What we write ourselves, and nearly all that others do, needs no tree to be built.
        match entries::parse_plain(text) {
            Ok(entries) => Ok(Index { rest: Map::new(), entries, ours: false }),
            Err(text) => Self::parse_any(&text),
        }
    }

    fn parse_any(text: &str) -> std::result::Result<Self, Invalid> {
        let mut fields = Fields::of(json::parse(text, INDEX)?, "", INDEX)?;
        match fields.take("schema_version").and_then(|version| version.as_i64()) {
            Some(SCHEMA) => {}
            Some(_) => return Err(Invalid::new("schema_version", "is not 1: a newer program wrote it")),
            None => return Err(Invalid::new("schema_version", "is missing or no integer")),
        }
        if !fields.has("entries") {
            return Err(Invalid::new("entries", "is missing"));
        }
        let entries = fields.map("entries", json::string)?.into_iter().collect();
        Ok(Index { rest: fields.rest(), entries, ours: false })
    }

    /// Whether it was read from a file that we wrote last.
    pub fn is_ours(&self) -> bool {
        self.ours
    }

    pub fn empty() -> Self {
        Index { rest: Map::new(), entries: Entries::default(), ours: false }
    }

    /// The directory of a name; `None` where the index doesn't have it, or has something that leads out of the registry.
    pub fn slug(&self, name: &str) -> Option<&str> {
        self.entries.get(name).and_then(name::slug_of)
    }

    /// Whether a name other than `name` holds this directory.
    pub fn is_held_by_other(&self, slug: &str, name: &str) -> bool {
        // Nearly all differ in their first letters.
        let begins =
            |value: &str| value.as_bytes().get(ENVS.len() + 1..).is_some_and(|rest| rest.starts_with(slug.as_bytes()));
        let held = |value: &str| begins(value) && name::slug_of(value) == Some(slug);
        self.entries.iter().any(|(other, value)| held(value) && other != name)
    }

    /// Names with their directories, sorted by name; those that are no names, and those that lead out, are left out.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let names = self.entries.iter().filter(|(name, _)| name::refusal(name).is_none());
        names.filter_map(|(name, value)| Some((name, name::slug_of(value)?)))
    }

    /// Names whose entry leads out of the registry.
    pub fn hostile(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|(_, value)| name::slug_of(value).is_none()).map(|(name, _)| name)
    }

    pub fn insert(&mut self, name: &str, slug: &str) {
        self.entries.insert(name, &format!("{ENVS}/{slug}"));
    }

    pub fn remove(&mut self, name: &str) {
        self.entries.remove(name);
    }

    /// Replaces the file as a whole. Only for who holds the lock; `ours` is the directory for temporary files.
    pub fn write(&self, registry: &Registry, ours: &Dir, durable: bool) -> std::result::Result<(), Errno> {
        if !self.ours {
            self.remove_stale_marks(registry)?;
        }
        self.write_anew(registry, ours, durable)
    }

    /// The same, for an index that was built anew: what it lacks was not taken out by anybody.
    pub fn write_anew(&self, registry: &Registry, ours: &Dir, durable: bool) -> std::result::Result<(), Errno> {
        metadata::replace(&registry.dir, INDEX, ours, &self.to_json(), durable)
    }

    /// Removes the commit marks of directories that have no entry. Another implementation took their names out since we
    /// last wrote, and once the index is ours again such a mark would be believed.
    fn remove_stale_marks(&self, registry: &Registry) -> std::result::Result<(), Errno> {
        let envs = match registry.dir.child(ENVS) {
            Ok(envs) => envs,
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => return Err(error),
        };
        // The name that a mark is believed for is the one that its directory derives from: an entry of another keeps no mark.
        let own = self.names().filter(|(name, slug)| slug.starts_with(&name::slug(name)));
        let indexed: HashSet<&str> = own.map(|(_, slug)| slug).collect();
        for entry in envs.entries()? {
            let is_indexed = entry.name.to_str().is_ok_and(|slug| indexed.contains(slug));
            if entry.kind != Kind::Other && !is_indexed {
                match envs.child(&*entry.name).and_then(|dir| dir.remove_file(COMMITTED)) {
                    Ok(()) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn to_json(&self) -> Cow<'_, [u8]> {
        let mut json = self.entries.to_json();
        for (key, value) in &self.rest {
            let json = json.to_mut();
            json.pop();
            json.extend_from_slice(format!(",{}:{value}}}", Value::from(key.as_str())).as_bytes());
        }
        json
    }
}

impl Registry {
    /// Whether there is an environment that some index must have named.
    pub(super) fn holds_committed(&self) -> Result<bool> {
        let envs = match self.dir.child(ENVS) {
            Ok(envs) => envs,
            Err(Errno::NOENT) => return Ok(false),
            Err(error) => return Err(self.trouble(ENVS, error)),
        };
        for entry in envs.entries().map_err(|error| self.trouble(ENVS, error))? {
            match envs.child(&*entry.name).and_then(|dir| dir.has(COMMITTED)) {
                Ok(true) => return Ok(true),
                Ok(false) | Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(self.trouble(ENVS, error)),
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Texts that are indexes, or nearly.
    fn texts() -> impl Strategy<Value = String> {
        let string = prop_oneof![
            r#""[ab]{0,2}""#,
            r#""envs/[0-9a-f]{4}/?""#,
            r#""\\u00(e9|00|2f|41)[a-z]?""#,
            r#""(é|\\n|\\\\|\\")""#
        ];
        let value =
            prop_oneof![8 => string.clone(), 1 => Just("1".into()), 1 => Just("null".into()), 1 => Just("{}".into())];
        let entry = (string, value).prop_map(|(key, value)| format!("{key}: {value}"));
        let entries = prop::collection::vec(entry, 0..6).prop_map(|entries| format!("{{{}}}", entries.join(",")));
        let field = prop_oneof![
            4 => Just(r#""schema_version":1"#.to_owned()),
            1 => prop_oneof![Just("2"), Just("1.0"), Just("true"), Just("-1")].prop_map(|v| format!(r#""schema_version": {v}"#)),
            4 => entries.prop_map(|entries| format!(r#""entries" : {entries}"#)),
            1 => Just(r#""entries":[]"#.to_owned()),
            1 => Just(r#""other":{"a":1}"#.to_owned()),
        ];
        let document = prop::collection::vec(field, 0..4).prop_map(|fields| format!("{{{}}}", fields.join(", ")));
        (document, prop_oneof![8 => Just(""), 1 => Just(" "), 1 => Just("x")]).prop_map(|(text, tail)| text + tail)
    }

    /// Texts as we write them, or nearly.
    fn our_texts() -> impl Strategy<Value = String> {
        let string = prop_oneof![8 => r#""[a-d]{0,2}""#, 1 => r#""(é|\\n|\\\\|\\")""#, 1 => Just("\"a\t\"".to_owned())];
        let entry = (string.clone(), string).prop_map(|(key, value)| format!("{key}:{value}"));
        let entries = (prop::collection::vec(entry, 0..6), any::<bool>()).prop_map(|(mut entries, sorted)| {
            if sorted {
                entries.sort();
            }
            entries.join(",")
        });
        let end = prop_oneof![8 => Just("}}"), 1 => Just("}"), 1 => Just(",}}"), 1 => Just("}} "), 1 => Just("}}}")];
        (entries, end).prop_map(|(entries, end)| format!(r#"{{"schema_version":1,"entries":{{{entries}{end}"#))
    }

    type Shown = (Vec<(String, String)>, Map<String, Value>);

    fn shown(index: std::result::Result<Index, Invalid>) -> std::result::Result<Shown, Invalid> {
        let pairs = |index: &Index| index.entries.iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        index.map(|index| (pairs(&index), index.rest))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5000))]

        #[test]
        fn the_plain_reader_agrees_with_the_strict_one(text in texts()) {
            prop_assert_eq!(shown(Index::parse(text.clone())), shown(Index::parse_any(&text)));
        }

        #[test]
        fn the_reader_of_our_own_agrees_with_the_strict_one(text in our_texts()) {
            prop_assert_eq!(shown(Index::parse(text.clone())), shown(Index::parse_any(&text)));
        }

        #[test]
        fn an_edited_index_is_what_it_would_be_written_anew(
            text in our_texts(), edits in prop::collection::vec((any::<bool>(), "[a-d]{0,2}|é|\"|\\\\"), 0..5)
        ) {
            if let (Ok(mut edited), Ok(mut anew)) = (Index::parse(text.clone()), Index::parse_any(&text)) {
                for (insert, name) in edits {
                    for index in [&mut edited, &mut anew] {
                        if insert { index.insert(&name, "0123") } else { index.remove(&name) }
                    }
                }
                prop_assert_eq!(edited.to_json(), anew.to_json());
            }
        }

        #[test]
        fn what_is_written_is_read_again(text in texts(), name in ".{1,4}") {
            if let Ok(mut index) = Index::parse_any(&text) {
                index.insert(&name, "0123");
                let json = String::from_utf8(index.to_json().into_owned()).unwrap();
                let value: Value = serde_json::from_str(&json).unwrap();
                prop_assert_eq!(&value["entries"][&name], "envs/0123");
                prop_assert_eq!(shown(Index::parse(json)), shown(Ok(index)));
            }
        }
    }
}
