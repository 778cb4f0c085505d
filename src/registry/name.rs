//! Names, and the directories that are derived from them.

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

const MAX_BYTES: usize = 1024;

/// Refuses what is no name.
pub(super) fn check(name: &str) -> Result<()> {
    match refusal(name) {
        None => Ok(()),
        Some(reason) => Err(Error::invalid("name", reason)),
    }
}

pub(super) fn refusal(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("is empty"),
        name if name.bytes().any(|byte| byte == 0) => Some("holds NUL"),
        name if name.len() > MAX_BYTES => Some("is longer than 1,024 bytes"),
        _ => None,
    }
}

/// The directory's name that is tried first; `-1`, `-2`, ... is appended where another name holds it.
pub(super) fn slug(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    let digits = digest.iter().take(8).flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// All slugs of a name, in the order in which they are tried.
pub(super) fn slugs(name: &str) -> impl Iterator<Item = String> {
    let first = slug(name);
    let more = first.clone();
    std::iter::once(first).chain((1u64..).map(move |n| format!("{more}-{n}")))
}

/// The slug that an index value stands for; `None` for one that leads anywhere else than to a directory in `envs/`.
pub(super) fn slug_of(value: &str) -> Option<&str> {
    let slug = value.strip_prefix("envs/")?;
    let slug = slug.strip_suffix('/').unwrap_or(slug);
    let leads_out = matches!(slug, "" | "." | "..") || slug.bytes().any(|byte| matches!(byte, b'/' | 0));
    (!leads_out).then_some(slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slug_is_what_other_implementations_derive() {
        // sha256sum of the bytes, first 16 digits
        assert_eq!(slug("myapp"), "c1b70247946b2297");
    }

    #[test]
    fn only_directories_in_envs_are_followed() {
        assert_eq!(slug_of("envs/abc"), Some("abc"));
        assert_eq!(slug_of("envs/abc/"), Some("abc"));
        for hostile in [
            "",
            ".",
            "/",
            "envs",
            "envs/",
            "envs/.",
            "envs/..",
            "envs/a/b",
            "../envs/a",
            "/envs/a",
            "envs//a",
            "envs/a//",
        ] {
            assert_eq!(slug_of(hostile), None, "{hostile:?}");
        }
    }
}
