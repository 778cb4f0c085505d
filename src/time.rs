//! Times as text: RFC 3339, in UTC.

use ::time::UtcDateTime;
use ::time::format_description::well_known::Rfc3339;

/// Now, in whole seconds.
pub(crate) fn now() -> String {
    in_seconds(UtcDateTime::now()).unwrap_or_default()
}

/// Milliseconds since 1970 as text, in whole seconds; `None` beyond the years that text can tell.
pub(crate) fn text(milliseconds: i64) -> Option<String> {
    UtcDateTime::from_unix_timestamp(milliseconds.div_euclid(1000)).ok().and_then(in_seconds)
}

/// The milliseconds since 1970 that a text tells.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    let time = UtcDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos().div_euclid(1_000_000)).ok()
}

fn in_seconds(time: UtcDateTime) -> Option<String> {
    time.replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_again() {
        assert_eq!(text(1_795_689_743_608).as_deref(), Some("2026-11-26T10:42:23Z"));
        assert_eq!(text(-1).as_deref(), Some("1969-12-31T23:59:59Z"));
        assert_eq!(milliseconds("2026-11-26T10:42:23.608135Z"), Some(1_795_689_743_608));
        assert_eq!(milliseconds("2026-11-26T12:42:23+02:00"), Some(1_795_689_743_000));
        let now = now();
        assert_eq!(text(milliseconds(&now).unwrap()), Some(now));
    }

    #[test]
    fn what_no_text_can_tell_is_refused() {
        assert_eq!(text(i64::MAX), None);
        assert_eq!(text(253_402_300_800_000), None); // the year 10000
        for malformed in ["", "2026-11-26", "2026-11-26T10:42:23", "2026-02-30T00:00:00Z", "1795689743"] {
            assert_eq!(milliseconds(malformed), None, "{malformed}");
        }
    }
}
