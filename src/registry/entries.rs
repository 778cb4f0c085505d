//! The entries of an index, without a tree: a registry may have grown for years.

use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

/// Names and values, sorted by name, no name twice.
#[derive(Default)]
pub(super) struct Entries {
    text: String,
    pairs: Vec<(Text, Text)>,
    /// Whether the text is exactly as we write it, so that what stands in it is copied, not written again.
    is_ours: bool,
}

/// A string of the file: where it stands in it, or itself where it is written with escapes there, or is new.
enum Text {
    InFile(Range<u32>),
    Own(Box<str>),
}

impl Text {
    fn get<'a>(&'a self, file: &'a str) -> &'a str {
        match self {
            Text::InFile(range) => file.get(range.start as usize..range.end as usize).unwrap_or_default(),
            Text::Own(text) => text,
        }
    }
}

impl Entries {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.get(&self.text), value.get(&self.text)))
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let position = self.position(name).ok()?;
        self.pairs.get(position).map(|(_, value)| value.get(&self.text))
    }

    pub fn insert(&mut self, name: &str, value: String) {
        let pair = (Text::Own(name.into()), Text::Own(value.into()));
        match self.position(name) {
            Ok(position) => self.pairs[position] = pair,
            Err(position) => self.pairs.insert(position, pair),
        }
    }

    pub fn remove(&mut self, name: &str) {
        if let Ok(position) = self.position(name) {
            self.pairs.remove(position);
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.pairs.binary_search_by(|(other, _)| other.get(&self.text).cmp(name))
    }

    /// Sorts; false where a name is there twice.
    fn sort(&mut self) -> bool {
        let text = &self.text;
        let in_order = |pairs: &[(Text, Text)]| pairs.windows(2).all(|two| two[0].0.get(text) < two[1].0.get(text));
        if in_order(&self.pairs) {
            return true;
        }
        self.pairs.sort_by(|(a, _), (b, _)| a.get(text).cmp(b.get(text)));
        in_order(&self.pairs)
    }

    /// The whole index: this schema version, and these entries.
    pub fn to_json(&self, schema: i64) -> Vec<u8> {
        let mut json = Vec::with_capacity(self.text.len() + 256);
        json.extend_from_slice(head(schema).as_bytes());
        // Entries that follow each other in the file, not yet copied.
        let mut run = 0..0;
        for pair in &self.pairs {
            match pair {
                (Text::InFile(name), Text::InFile(value)) if self.is_ours => {
                    let entry = name.start - 1..value.end + 1;
                    if run.end + 1 == entry.start && !run.is_empty() {
                        run.end = entry.end;
                    } else {
                        self.push_run(&mut json, std::mem::replace(&mut run, entry));
                    }
                }
                (name, value) => {
                    self.push_run(&mut json, std::mem::replace(&mut run, 0..0));
                    push_string(&mut json, name.get(&self.text));
                    json.push(b':');
                    push_string(&mut json, value.get(&self.text));
                    json.push(b',');
                }
            }
        }
        self.push_run(&mut json, run);
        if !self.pairs.is_empty() {
            json.pop();
        }
        json.extend_from_slice(b"}}");
        json
    }

    /// Copies entries from the file, and a comma.
    fn push_run(&self, json: &mut Vec<u8>, run: Range<u32>) {
        if let Some(entries) = self.text.get(run.start as usize..run.end as usize).filter(|run| !run.is_empty()) {
            json.extend_from_slice(entries.as_bytes());
            json.push(b',');
        }
    }
}

/// What an index of ours begins with.
fn head(schema: i64) -> String {
    format!(r#"{{"schema_version":{schema},"entries":{{"#)
}

fn push_string(json: &mut Vec<u8>, text: &str) {
    // Writing to memory can't fail, and a string is always JSON.
    _ = serde_json::to_writer(json, text);
}

impl FromIterator<(String, String)> for Entries {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (Text::Own(name.into()), Text::Own(value.into()))).collect();
        let mut entries = Entries { text: String::new(), pairs, is_ours: false };
        entries.sort();
        entries
    }
}

/// Reads an index that has `schema_version` and `entries` and nothing else, no name twice. Gives the text back where it is
/// anything else, for a reader that can say what.
pub(super) fn parse_plain(text: String, schema: i64) -> Result<Entries, String> {
    if u32::try_from(text.len()).is_err() {
        return Err(text);
    }
    if let Some(pairs) = scan(&text, schema) {
        return Ok(Entries { text, pairs, is_ours: true });
    }
    let pairs = {
        let mut json = serde_json::Deserializer::from_str(&text);
        let plain = Plain { file: &text, schema }.deserialize(&mut json);
        plain.and_then(|pairs| json.end().map(|()| pairs))
    };
    match pairs {
        Ok(pairs) => {
            let mut entries = Entries { text, pairs, is_ours: false };
            if entries.sort() { Ok(entries) } else { Err(entries.text) }
        }
        _ => Err(text),
    }
}

/// Reads an index that is exactly as we write it: without a space or an escape, its names ascending.
fn scan(text: &str, schema: i64) -> Option<Vec<(Text, Text)>> {
    let body = text.strip_prefix(&*head(schema))?.strip_suffix("}}")?;
    let mut rest = Scan { text: body.as_bytes(), at: 0, begins: text.len() - 2 - body.len() };
    let mut pairs = Vec::with_capacity(body.len() / 36);
    let mut before: &[u8] = &[];
    while rest.at < body.len() {
        if !pairs.is_empty() {
            rest.expect(b',')?;
        }
        let (name, text) = rest.string()?;
        if name <= before && !pairs.is_empty() {
            return None;
        }
        before = name;
        rest.expect(b':')?;
        pairs.push((text, rest.string()?.1));
    }
    Some(pairs)
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// Where in the file the text begins.
    begins: usize,
}

impl<'a> Scan<'a> {
    fn expect(&mut self, byte: u8) -> Option<()> {
        (*self.text.get(self.at)? == byte).then(|| self.at += 1)
    }

    /// A string without escapes, and where it stands in the file.
    fn string(&mut self) -> Option<(&'a [u8], Text)> {
        self.expect(b'"')?;
        let rest = self.text.get(self.at..)?;
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
        let start = self.begins + self.at;
        self.at += end;
        self.expect(b'"')?;
        let place = u32::try_from(start).ok()?..u32::try_from(start + end).ok()?;
        Some((&rest[..end], Text::InFile(place)))
    }
}

struct Plain<'a> {
    file: &'a str,
    schema: i64,
}

impl<'de> DeserializeSeed<'de> for Plain<'de> {
    type Value = Vec<(Text, Text)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Plain<'de> {
    type Value = Vec<(Text, Text)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        use serde::de::Error;
        let (mut schema, mut entries) = (None, None);
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "schema_version" if schema.is_none() => schema = Some(map.next_value::<i64>()?),
                "entries" if entries.is_none() => entries = Some(map.next_value_seed(Pairs { file: self.file })?),
                _ => return Err(A::Error::custom("not plain")),
            }
        }
        match entries {
            Some(entries) if schema == Some(self.schema) => Ok(entries),
            _ => Err(A::Error::custom("not plain")),
        }
    }
}

struct Pairs<'a> {
    file: &'a str,
}

impl<'de> DeserializeSeed<'de> for Pairs<'de> {
    type Value = Vec<(Text, Text)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pairs<'de> {
    type Value = Vec<(Text, Text)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::with_capacity(self.file.len() / 48);
        while let Some(name) = map.next_key_seed(Piece { file: self.file })? {
            pairs.push((name, map.next_value_seed(Piece { file: self.file })?));
        }
        Ok(pairs)
    }
}

struct Piece<'a> {
    file: &'a str,
}

impl<'de> DeserializeSeed<'de> for Piece<'de> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Piece<'de> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text, E> {
        let start = (text.as_ptr() as usize).wrapping_sub(self.file.as_ptr() as usize);
        match (u32::try_from(start), u32::try_from(start.wrapping_add(text.len()))) {
            (Ok(start), Ok(end)) => Ok(Text::InFile(start..end)),
            _ => Ok(Text::Own(text.into())),
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Own(text.into()))
    }
}
