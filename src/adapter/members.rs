//! Some members of a JSON file: a login that shares its file with settings.

use serde_json::{Map, Value};
use zeroize::Zeroize;

use crate::json::{self, Invalid};
use crate::secret::Secret;

/// JSON Pointers to the members that are the login.
pub(crate) struct Members(Vec<Vec<String>>);

impl Members {
    pub fn read(pointers: Vec<String>, path: &str) -> Result<Option<Self>, Invalid> {
        let ways = pointers.iter().enumerate().map(|(i, pointer)| way(pointer, &format!("{path}[{i}]")));
        let ways: Vec<_> = ways.collect::<Result<_, _>>()?;
        Ok((!ways.is_empty()).then_some(Members(ways)))
    }

    /// A JSON object of these members alone; `None` where the file has none of them, or is no object.
    pub fn of(&self, file: &Secret) -> Option<Secret> {
        let file = Wiped::parse(file)?;
        let mut picked = Wiped(Value::Object(Map::new()));
        for way in &self.0 {
            if let Some(value) = way.iter().try_fold(&file.0, |value, name| value.get(name)) {
                put(&mut picked.0, way, value.clone());
            }
        }
        if picked.0.as_object().is_some_and(Map::is_empty) { None } else { Some(picked.text()) }
    }

    /// The file with these members as `login` has them, and the rest as it is; the login alone where the file is no object.
    pub fn put_into(&self, file: &Secret, login: &Secret) -> Option<Secret> {
        let (Some(mut file), Some(login)) = (Wiped::parse(file), Wiped::parse(login)) else { return None };
        for way in &self.0 {
            match way.iter().try_fold(&login.0, |value, name| value.get(name)) {
                Some(value) => put(&mut file.0, way, value.clone()),
                None => take_out(&mut file.0, way),
            }
        }
        Some(file.text())
    }
}

/// Whether a file has members at all.
pub(crate) fn is_object(file: &Secret) -> bool {
    Wiped::parse(file).is_some()
}

/// The names on the way that a JSON Pointer tells.
pub(super) fn way(pointer: &str, path: &str) -> Result<Vec<String>, Invalid> {
    match pointer.strip_prefix('/') {
        Some(pointer) => Ok(pointer.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect()),
        None => Err(Invalid::new(path, "must be a JSON Pointer, such as /tokens/expires_at")),
    }
}

fn put(into: &mut Value, way: &[String], value: Value) {
    if !into.is_object() {
        drop(Wiped(std::mem::replace(into, Value::Object(Map::new()))));
    }
    match (into, way) {
        (Value::Object(map), [name]) => drop(map.insert(name.clone(), value).map(Wiped)),
        (Value::Object(map), [name, rest @ ..]) => {
            put(map.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())), rest, value);
        }
        _ => {}
    }
}

fn take_out(from: &mut Value, way: &[String]) {
    match (from, way) {
        (Value::Object(map), [name]) => drop(map.remove(name).map(Wiped)),
        (Value::Object(map), [name, rest @ ..]) => {
            if let Some(inner) = map.get_mut(name) {
                take_out(inner, rest);
            }
        }
        _ => {}
    }
}

/// Makes spaces of the comments (`//` to the line's end, `/* */`) that some agents write into their JSON.
pub(super) fn blank_comments(text: &mut [u8]) {
    let mut i = 0;
    let mut in_string = false;
    while i < text.len() {
        let end = match (in_string, &text[i..]) {
            (true, [b'\\', _, ..]) => {
                i += 2;
                continue;
            }
            (_, [b'"', ..]) => {
                in_string = !in_string;
                i
            }
            (false, [b'/', b'/', rest @ ..]) => i + 2 + rest.iter().take_while(|byte| **byte != b'\n').count(),
            (false, [b'/', b'*', rest @ ..]) => {
                i + 2 + rest.windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |at| at + 2)
            }
            _ => i,
        };
        text[i..end].fill(b' ');
        i = end.max(i + 1);
    }
}

/// A JSON object whose strings are wiped when it is let go.
struct Wiped(Value);

impl Wiped {
    fn parse(text: &Secret) -> Option<Self> {
        serde_json::from_slice(text.bytes()).ok().map(Wiped).filter(|json| json.0.is_object())
    }

    fn text(&self) -> Secret {
        Secret::new(json::presized(|text| serde_json::to_writer_pretty(text, &self.0)))
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(pointers: &[&str]) -> Members {
        let read = Members::read(pointers.iter().map(ToString::to_string).collect(), "members");
        read.unwrap_or_else(|invalid| panic!("{invalid:?}")).unwrap_or(Members(Vec::new()))
    }

    fn json(secret: Option<Secret>) -> Value {
        secret.map_or(Value::Null, |secret| serde_json::from_slice(secret.bytes()).unwrap_or_default())
    }

    #[test]
    fn comments_are_blanked_and_strings_are_not() {
        let blank = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            blank_comments(&mut bytes);
            String::from_utf8(bytes).unwrap_or_default()
        };
        assert_eq!(blank("// a\n{\"x\": \"//y\\\"/*\"} /* b\n*/ 1"), "    \n{\"x\": \"//y\\\"/*\"}         1");
        assert_eq!(blank("1 /* open"), "1        ");
        assert_eq!(blank("a / b /"), "a / b /");
    }

    #[test]
    fn members_are_taken_out_and_put_in_and_the_rest_stays() {
        let members = members(&["/auth/token", "/user"]);
        let host = Secret::new(br#"{"auth":{"token":"t","x":1},"user":{"n":2},"theme":"dark"}"#.to_vec());
        let login = members.of(&host);
        assert_eq!(json(login.clone()), serde_json::json!({"auth": {"token": "t"}, "user": {"n": 2}}));
        let profile = Secret::new(br#"{"auth":{"token":"old","y":3},"theme":"light"}"#.to_vec());
        let merged = login.as_ref().and_then(|login| members.put_into(&profile, login));
        let expected = serde_json::json!({"auth": {"token": "t", "y": 3}, "user": {"n": 2}, "theme": "light"});
        assert_eq!(json(merged.clone()), expected);
        assert_eq!(merged.as_ref().and_then(|merged| members.of(merged)), login);

        let null = Secret::new(br#"{"auth":null}"#.to_vec());
        let merged_into_null = login.as_ref().and_then(|login| members.put_into(&null, login));
        assert_eq!(merged_into_null.and_then(|merged| members.of(&merged)), login);

        let logged_out = Secret::new(br#"{"user":{"n":4}}"#.to_vec());
        let merged = merged.and_then(|merged| members.put_into(&merged, &logged_out));
        assert_eq!(json(merged), serde_json::json!({"auth": {"y": 3}, "user": {"n": 4}, "theme": "light"}));
        assert!(members.of(&Secret::new(b"{\"theme\":1}".to_vec())).is_none());
        assert!(members.of(&Secret::new(b"[]".to_vec())).is_none());
    }
}
