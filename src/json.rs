//! Reading JSON that nobody vouches for: no duplicate keys, bounded depth and size, and a name for whatever is wrong.
//!
//! What is refused is named by its place (`seed_files["a"]`), never by its value: a value may be a secret.

use std::collections::BTreeMap;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::Error;
use crate::map;

const MAX_BYTES: usize = 64 << 20;
const MAX_DEPTH: usize = 64;

/// Something malformed: where, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Invalid {
    pub field: String,
    pub reason: String,
}

impl Invalid {
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Invalid { field: field.into(), reason: reason.into() }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Error::invalid(invalid.field, invalid.reason)
    }
}

/// `field["key"]`, with the key written so that it stays on one line.
pub(crate) fn at(field: &str, key: &str) -> String {
    let key = Value::from(key).to_string();
    if field.is_empty() { key } else { format!("{field}[{key}]") }
}

/// Parses `text`. `whole` names the text itself where no part of it can be named.
pub(crate) fn parse(text: &str, whole: &str) -> Result<Value, Invalid> {
    if text.len() > MAX_BYTES {
        return Err(Invalid::new(whole, "is larger than 64 MiB"));
    }
    let mut refused = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let node = Node { path: &Path { parent: None, key: "" }, depth: 1, refused: &mut refused };
    let parsed = node.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    parsed
        .map_err(|error| {
            refused.unwrap_or_else(|| {
                // serde_json's own words could quote a value; its position can't.
                let reason = format!("is not valid JSON (line {}, column {})", error.line(), error.column());
                Invalid::new(whole, reason)
            })
        })
        .map_err(|invalid| if invalid.field.is_empty() { Invalid::new(whole, invalid.reason) } else { invalid })
}

/// What `write` writes, in a buffer that never grew: growing would leave copies of a secret behind.
pub(crate) fn presized(write: impl Fn(&mut dyn std::io::Write) -> serde_json::Result<()>) -> Vec<u8> {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // With room for the NUL that C wants.
    let mut text = match write(&mut count) {
        Ok(()) => Vec::with_capacity(count.0 + 1),
        Err(_) => return Vec::new(),
    };
    if write(&mut text).is_err() {
        text.clear();
    }
    text
}

struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    key: &'a str,
}

impl Path<'_> {
    fn name(&self) -> String {
        match self.parent {
            None => String::new(),
            Some(parent) if parent.parent.is_none() => self.key.to_owned(),
            Some(parent) => at(&parent.name(), self.key),
        }
    }
}

/// Builds a [`Value`] as serde_json would, and refuses what it lets pass.
struct Node<'a> {
    path: &'a Path<'a>,
    depth: usize,
    refused: &'a mut Option<Invalid>,
}

impl Node<'_> {
    fn refuse<E: serde::de::Error>(self, reason: &str) -> E {
        *self.refused = Some(Invalid::new(self.path.name(), reason));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        if self.depth > MAX_DEPTH {
            return Err(self.refuse("nests deeper than 64"));
        }
        let mut items = Vec::new();
        loop {
            let key = items.len().to_string();
            let path = Path { parent: Some(self.path), key: &key };
            let node = Node { path: &path, depth: self.depth + 1, refused: self.refused };
            match seq.next_element_seed(node)? {
                Some(item) => items.push(item),
                None => return Ok(Value::Array(items)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        if self.depth > MAX_DEPTH {
            return Err(self.refuse("nests deeper than 64"));
        }
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = Path { parent: Some(self.path), key: &key };
            let node = Node { path: &path, depth: self.depth + 1, refused: self.refused };
            if fields.contains_key(&key) {
                return Err(node.refuse("is there twice"));
            }
            let value = map.next_value_seed(node)?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

/// A JSON object that is taken apart field by field; what is left over at the end is refused.
pub(crate) struct Fields {
    path: String,
    map: Map<String, Value>,
}

impl Fields {
    /// `path` names the object; empty for a document's top, whose fields go by their bare names.
    pub fn of(value: Value, path: &str, whole: &str) -> Result<Self, Invalid> {
        match value {
            Value::Object(map) => Ok(Fields { path: path.to_owned(), map }),
            other => Err(wrong_type(if path.is_empty() { whole } else { path }, "an object", &other)),
        }
    }

    /// Some fields of the top of a document that was parsed before.
    pub fn picked(document: &Map<String, Value>, keys: &[&str]) -> Self {
        let mut map = Map::new();
        for key in keys {
            if let Some(value) = document.get(*key) {
                map.insert((*key).to_owned(), value.clone());
            }
        }
        Fields { path: String::new(), map }
    }

    pub fn name(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// What was not taken.
    pub fn rest(self) -> Map<String, Value> {
        self.map
    }

    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key)
    }

    pub fn string(&mut self, key: &str) -> Result<Option<String>, Invalid> {
        let field = self.name(key);
        self.take(key).map(|value| string(value, &field)).transpose()
    }

    pub fn required_string(&mut self, key: &str) -> Result<String, Invalid> {
        self.string(key)?.ok_or_else(|| Invalid::new(self.name(key), "is missing"))
    }

    pub fn boolean(&mut self, key: &str) -> Result<Option<bool>, Invalid> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(wrong_type(&self.name(key), "true or false", &other)),
        }
    }

    /// One of a few words, by what each stands for.
    pub fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, Invalid> {
        let Some(text) = self.string(key)? else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let words: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
                Err(Invalid::new(self.name(key), format!("must be one of {}", words.join(", "))))
            }
        }
    }

    pub fn strings(&mut self, key: &str) -> Result<Vec<String>, Invalid> {
        let field = self.name(key);
        self.list(key)?.into_iter().enumerate().map(|(i, item)| string(item, &format!("{field}[{i}]"))).collect()
    }

    pub fn list(&mut self, key: &str) -> Result<Vec<Value>, Invalid> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(wrong_type(&self.name(key), "a list", &other)),
        }
    }

    /// An object whose values `convert` reads, given the value and the name of its place.
    pub fn map<T>(
        &mut self,
        key: &str,
        convert: impl Fn(Value, &str) -> Result<T, Invalid>,
    ) -> Result<BTreeMap<String, T>, Invalid> {
        let field = self.name(key);
        match self.take(key) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(map)) => map::try_map(map.into_iter().map(|(key, value)| {
                let value = convert(value, &at(&field, &key))?;
                Ok((key, value))
            })),
            Some(other) => Err(wrong_type(&field, "an object", &other)),
        }
    }

    /// Refuses whatever was not taken.
    pub fn finish(self, known: &str) -> Result<(), Invalid> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => {
                let field = if plain(key) { self.name(key) } else { at(&self.path, key) };
                Err(Invalid::new(field, format!("is not known here; known are {known}")))
            }
        }
    }
}

fn plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

pub(crate) fn string(value: Value, field: &str) -> Result<String, Invalid> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong_type(field, "a string", &other)),
    }
}

pub(crate) fn wrong_type(field: &str, wanted: &str, got: &Value) -> Invalid {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Invalid::new(field, format!("must be {wanted}, not {got}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> Invalid {
        parse(text, "spec").err().unwrap_or_else(|| Invalid::new("", "accepted"))
    }

    #[test]
    fn duplicate_keys_are_named_where_they_stand() {
        assert_eq!(refused(r#"{"a":1,"a":2}"#), Invalid::new("a", "is there twice"));
        assert_eq!(refused(r#"{"f":{"x":"secret","x":"y"}}"#), Invalid::new(r#"f["x"]"#, "is there twice"));
    }

    #[test]
    fn depth_64_is_taken_and_65_refused() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&nested(64), "spec").is_ok());
        assert_eq!(refused(&nested(65)).reason, "nests deeper than 64");
        assert!(refused(&nested(100_000)).reason.contains("64"));
    }

    #[test]
    fn a_syntax_error_quotes_nothing_of_the_text() {
        let invalid = refused(r#"{"credentials":{"k":"sk-secret" "x"}}"#);
        assert_eq!(invalid.field, "spec");
        assert!(!invalid.reason.contains("secret"), "{}", invalid.reason);
        assert!(!refused(r#""sk-secret"#).reason.contains("secret"));
        assert!(refused("{} {}").reason.contains("not valid JSON"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_accepted_equals_what_serde_json_reads(text in r#"[\[\]{}",:a-c0-9.eE+ \\ntu-]{0,40}"#) {
            if let Ok(value) = parse(&text, "spec") {
                proptest::prop_assert_eq!(Some(value), serde_json::from_str::<Value>(&text).ok());
            }
        }
    }
}
