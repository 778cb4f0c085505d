//! When a login ends, read out of its file.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::json::{Fields, Invalid};
use crate::time;

use super::members::way;

/// Where in a JSON login the end of its validity stands, and how it is told there.
pub(crate) struct Expiry {
    /// The names on the way, from a JSON Pointer.
    way: Vec<String>,
    format: Format,
}

#[derive(Clone, Copy)]
enum Format {
    UnixMilliseconds,
    UnixSeconds,
    Rfc3339,
    /// A JSON Web Token: its claim `exp`, in seconds.
    Jwt,
}

impl Expiry {
    pub fn read(value: Value, path: &str) -> Result<Self, Invalid> {
        let mut fields = Fields::of(value, path, path)?;
        let way = way(&fields.required_string("pointer")?, &fields.name("pointer"))?;
        let formats = [
            ("unix_ms", Format::UnixMilliseconds),
            ("unix_s", Format::UnixSeconds),
            ("rfc3339", Format::Rfc3339),
            ("jwt", Format::Jwt),
        ];
        let format = fields.choice("format", &formats)?;
        let format = format.ok_or_else(|| Invalid::new(fields.name("format"), "is missing"))?;
        fields.finish("pointer, format")?;
        Ok(Expiry { way, format })
    }

    /// Milliseconds since 1970; `None` where the login tells none.
    pub fn of(&self, login: &[u8]) -> Option<i64> {
        // Step by step through the text itself: no copy of a secret is made.
        let mut text = str::from_utf8(login).ok()?;
        for name in &self.way {
            let object: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).ok()?;
            text = object.get(name.as_str())?.get();
        }
        match self.format {
            Format::UnixMilliseconds => serde_json::from_str::<serde_json::Number>(text).ok().and_then(|n| whole(&n)),
            Format::UnixSeconds => seconds(text),
            Format::Rfc3339 => time::milliseconds(serde_json::from_str(text).ok()?),
            Format::Jwt => {
                let token: &str = serde_json::from_str(text).ok()?;
                let claims = token.split('.').nth(1)?;
                let claims = Zeroizing::new(Base64UrlUnpadded::decode_vec(claims.trim_end_matches('=')).ok()?);
                let claims: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(&claims).ok()?;
                seconds(claims.get("exp")?.get())
            }
        }
    }
}

fn seconds(text: &str) -> Option<i64> {
    whole(&serde_json::from_str(text).ok()?)?.checked_mul(1000)
}

/// A number as an integer; programs in JavaScript may write a fraction.
#[allow(clippy::cast_possible_truncation)] // such a time is beyond all use, and compares as what it is
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().map(|number| number as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pointer: &str, format: &str, login: &str) -> Option<i64> {
        let document = serde_json::json!({"pointer": pointer, "format": format});
        Expiry::read(document, "expiry").unwrap_or_else(|invalid| panic!("{invalid:?}")).of(login.as_bytes())
    }

    #[test]
    fn each_format_is_read() {
        assert_eq!(of("/a/b", "unix_ms", r#"{"a":{"b":4102444800000}}"#), Some(4_102_444_800_000));
        assert_eq!(of("/a/b", "unix_ms", r#"{"a":{"b":1.5e3}}"#), Some(1500));
        assert_eq!(of("/e", "unix_s", r#"{"e":4102444800}"#), Some(4_102_444_800_000));
        assert_eq!(of("/e", "rfc3339", r#"{"e":"2100-01-01T00:00:00Z"}"#), Some(4_102_444_800_000));
        assert_eq!(of("/a~1b/~0", "unix_s", r#"{"a/b":{"~":1}}"#), Some(1000));
        // {"exp":4102444800}
        let login = r#"{"tokens":{"access_token":"eyJhbGciOiJub25lIn0.eyJleHAiOjQxMDI0NDQ4MDB9."}}"#;
        assert_eq!(of("/tokens/access_token", "jwt", login), Some(4_102_444_800_000));
    }

    #[test]
    fn what_tells_no_time_is_none() {
        for login in
            ["", "7", "{}", r#"{"e":null}"#, r#"{"e":{}}"#, r#"{"e":"x"}"#, r#"{"e":"a.b.c"}"#, r#"{"e":"a.e30.c"}"#]
        {
            for format in ["unix_ms", "unix_s", "rfc3339", "jwt"] {
                assert_eq!(of("/e", format, login), None, "{format} {login}");
            }
        }
        assert_eq!(of("/e", "unix_s", r#"{"e":9223372036854775807}"#), None);
    }
}
