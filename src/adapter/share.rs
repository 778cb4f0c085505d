//! How an agent uses the host's login in place.

use serde_json::Value;

use crate::json::{Fields, Invalid};
use crate::spec::check_variable;

pub(crate) enum Share {
    /// This variable leads the agent to the login's directory on the host; empty, to its default.
    Variable(String),
    /// Each login file of the profile is a symbolic link to the host's, which the agent writes through.
    Link,
    /// It can't, and this is why.
    Refused(String),
}

impl Share {
    pub fn read(value: Value, path: &str) -> Result<Self, Invalid> {
        let mut fields = Fields::of(value, path, path)?;
        let share = match (fields.string("variable")?, fields.boolean("link")?, fields.string("refused")?) {
            (Some(name), None, None) => {
                check_variable(&fields.name("variable"), &name, "")?;
                Share::Variable(name)
            }
            (None, Some(true), None) => Share::Link,
            (None, None, Some(reason)) => Share::Refused(reason),
            _ => return Err(Invalid::new(path, "must have one of variable, link (true) and refused")),
        };
        fields.finish("variable, link, refused")?;
        Ok(share)
    }
}
