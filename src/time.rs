//! Times as text: RFC 3339, in UTC.

use jiff::Timestamp;

/// Now, in whole seconds.
pub(crate) fn now() -> String {
    in_seconds(Timestamp::now())
}

fn in_seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
