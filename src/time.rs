//! Times as text: RFC 3339, in UTC.

use jiff::Timestamp;

/// Now, in whole seconds.
pub(crate) fn now() -> String {
    in_seconds(Timestamp::now())
}

/// Milliseconds since 1970 as text, in whole seconds; `None` beyond the years that text can tell.
pub(crate) fn text(milliseconds: i64) -> Option<String> {
    Timestamp::from_millisecond(milliseconds).ok().map(in_seconds)
}

/// The milliseconds since 1970 that a text tells.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

fn in_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
