//! The entries of an index, without a tree: a registry may have grown for years.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};

pub(super) const SCHEMA: i64 = 1;
/// What an index of ours begins and ends with.
const HEAD: &str = r#"{"schema_version":1,"entries":{"#;
const TAIL: &str = "}}";

/// Names and values, sorted by name, no name twice.
pub(super) enum Entries {
    /// The index's text, exactly as we write it and without an escape: what is done to it is done to the text.
    Plain { text: String, places: Vec<Place> },
    /// Where some name or value can't be written without.
    Escaped(Vec<(String, String)>),
}

/// Where in the text an entry's name and its value begin, behind their quotes.
#[derive(Clone, Copy)]
pub(super) struct Place {
    name: u32,
    value: u32,
}

impl Default for Entries {
    fn default() -> Self {
        Entries::Plain { text: format!("{HEAD}{TAIL}"), places: Vec::new() }
    }
}

impl Entries {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        (0..self.len()).map(|position| self.at(position))
    }

    fn len(&self) -> usize {
        match self {
            Entries::Plain { places, .. } => places.len(),
            Entries::Escaped(pairs) => pairs.len(),
        }
    }

    fn at(&self, position: usize) -> (&str, &str) {
        match self {
            Entries::Plain { text, places } => {
                let Place { name, value } = places[position];
                let end = entry(text, places, position).end;
                let piece = |range: Range<usize>| text.get(range).unwrap_or_default();
                (piece(name as usize..value as usize - r#"":""#.len()), piece(value as usize..end - 1))
            }
            Entries::Escaped(pairs) => (&pairs[position].0, &pairs[position].1),
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low.midpoint(high);
            match self.at(middle).0.cmp(name) {
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.position(name).ok().map(|position| self.at(position).1)
    }

    pub fn insert(&mut self, name: &str, value: &str) {
        self.remove(name);
        if !is_plain(name) || !is_plain(value) {
            let pairs = self.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
            *self = Entries::Escaped(pairs.collect());
        }
        let position = self.position(name).unwrap_or_else(|position| position);
        match self {
            Entries::Plain { text, places } => {
                let begin = places.get(position).map_or(text.len() - TAIL.len(), |next| next.name as usize - 1);
                let (before, after) = match (position < places.len(), places.is_empty()) {
                    (true, _) => ("", ","),
                    (false, true) => ("", ""),
                    (false, false) => (",", ""),
                };
                let new = format!(r#"{before}"{name}":"{value}"{after}"#);
                text.insert_str(begin, &new);
                shift(&mut places[position..], |place| place.wrapping_add(new.len() as u32));
                let name_at = begin + before.len() + 1;
                let value_at = name_at + name.len() + r#"":""#.len();
                places.insert(position, Place { name: name_at as u32, value: value_at as u32 });
            }
            Entries::Escaped(pairs) => pairs.insert(position, (name.to_owned(), value.to_owned())),
        }
    }

    pub fn remove(&mut self, name: &str) {
        let Ok(position) = self.position(name) else { return };
        match self {
            Entries::Plain { text, places } => {
                let Range { mut start, mut end } = entry(text, places, position);
                // With the comma behind it, or before it.
                if position + 1 < places.len() {
                    end += 1;
                } else if position > 0 {
                    start -= 1;
                }
                text.replace_range(start..end, "");
                places.remove(position);
                shift(&mut places[position..], |place| place.wrapping_sub((end - start) as u32));
            }
            Entries::Escaped(pairs) => _ = pairs.remove(position),
        }
    }

    /// The whole index, with these entries.
    pub fn to_json(&self) -> Cow<'_, [u8]> {
        match self {
            Entries::Plain { text, .. } => text.as_bytes().into(),
            Entries::Escaped(pairs) => {
                written(pairs.iter().map(|(name, value)| (&**name, &**value))).into_bytes().into()
            }
        }
    }

    /// From pairs in any order; `None` where a name is there twice.
    fn from_pairs(mut pairs: Vec<(Cow<'_, str>, Cow<'_, str>)>) -> Option<Self> {
        pairs.sort_unstable();
        if pairs.windows(2).any(|two| two[0].0 == two[1].0) {
            return None;
        }
        let text = written(pairs.iter().map(|(name, value)| (&**name, &**value)));
        Some(match scan(&text) {
            Some(places) => Entries::Plain { text, places },
            None => Entries::Escaped(pairs.into_iter().map(|(a, b)| (a.into_owned(), b.into_owned())).collect()),
        })
    }
}

impl FromIterator<(String, String)> for Entries {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        // Keys of a map: none is there twice.
        Self::from_pairs(pairs.collect()).unwrap_or_default()
    }
}

/// Where an entry stands in the text, with its quotes.
fn entry(text: &str, places: &[Place], position: usize) -> Range<usize> {
    let end = places.get(position + 1).map_or(text.len() - TAIL.len(), |next| next.name as usize - r#",""#.len());
    places[position].name as usize - 1..end
}

fn shift(places: &mut [Place], by: impl Fn(u32) -> u32) {
    for place in places {
        *place = Place { name: by(place.name), value: by(place.value) };
    }
}

fn written<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    // Writing to memory can't fail, and a string is always JSON.
    let string = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let mut json = String::from(HEAD);
    for (position, (name, value)) in pairs.enumerate() {
        json.push_str(if position > 0 { "," } else { "" });
        json.push_str(&string(name));
        json.push(':');
        json.push_str(&string(value));
    }
    json + TAIL
}

/// Reads an index that has `schema_version` and `entries` and nothing else, no name twice. Gives the text back where it is
/// anything else, for a reader that can say what.
pub(super) fn parse_plain(text: String) -> Result<Entries, String> {
    if u32::try_from(text.len()).is_err() {
        return Err(text);
    }
    if let Some(places) = scan(&text) {
        return Ok(Entries::Plain { text, places });
    }
    let mut json = serde_json::Deserializer::from_str(&text);
    let pairs = Plain.deserialize(&mut json).and_then(|pairs| json.end().map(|()| pairs));
    pairs.ok().and_then(Entries::from_pairs).ok_or(text)
}

/// The places of an index that is exactly as we write it: without a space or an escape, its names ascending.
fn scan(text: &str) -> Option<Vec<Place>> {
    let bytes = text.strip_suffix(TAIL)?.as_bytes();
    let mut at = HEAD.len();
    if !bytes.starts_with(HEAD.as_bytes()) {
        return None;
    }
    let mut places = Vec::with_capacity(bytes.len() / 36);
    let mut before: &[u8] = &[];
    while at < bytes.len() {
        if !places.is_empty() {
            at = behind(bytes, at, b",")?;
        }
        let name = behind(bytes, at, b"\"")?;
        let name_ends = name + plain_length(&bytes[name..]);
        let value = behind(bytes, name_ends, b"\":\"")?;
        at = behind(bytes, value + plain_length(&bytes[value..]), b"\"")?;
        if &bytes[name..name_ends] <= before && !places.is_empty() {
            return None;
        }
        before = &bytes[name..name_ends];
        places.push(Place { name: name as u32, value: value as u32 });
    }
    Some(places)
}

fn behind(bytes: &[u8], at: usize, expected: &[u8]) -> Option<usize> {
    bytes.get(at..)?.starts_with(expected).then_some(at + expected.len())
}

fn is_plain(text: &str) -> bool {
    plain_length(text.as_bytes()) == text.len()
}

/// How many bytes there are before one that ends a string, or is not to stand in one as it is.
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;
    // A byte of 0, or below 0x20, becomes one with the high bit; those behind it may, too.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let mut at = 0;
    for word in bytes.chunks_exact(8) {
        let mut eight = [0; 8];
        eight.copy_from_slice(word);
        let word = u64::from_le_bytes(eight);
        let quote = zero(word ^ (ONES * u64::from(b'"')));
        let backslash = zero(word ^ (ONES * u64::from(b'\\')));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        match quote | backslash | control {
            0 => at += 8,
            found => return at + found.trailing_zeros() as usize / 8,
        }
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    bytes[at..].iter().position(ends).map_or(bytes.len(), |end| at + end)
}

struct Plain;

type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

impl<'de> DeserializeSeed<'de> for Plain {
    type Value = Pairs<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Plain {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        use serde::de::Error;
        let (mut schema, mut entries) = (None, None);
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "schema_version" if schema.is_none() => schema = Some(map.next_value::<i64>()?),
                "entries" if entries.is_none() => entries = Some(map.next_value_seed(EachEntry)?),
                _ => return Err(A::Error::custom("not plain")),
            }
        }
        match entries {
            Some(entries) if schema == Some(SCHEMA) => Ok(entries),
            _ => Err(A::Error::custom("not plain")),
        }
    }
}

struct EachEntry;

impl<'de> DeserializeSeed<'de> for EachEntry {
    type Value = Pairs<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EachEntry {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((name, value)) = map.next_entry::<Piece<'de>, Piece<'de>>()? {
            pairs.push((name.0, value.0));
        }
        Ok(pairs)
    }
}

/// A string, borrowed from the text where it stands there as it is.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Piece<'a>(#[serde(borrow)] Cow<'a, str>);
