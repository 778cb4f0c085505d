//! Which document an id stands for: a built-in one, or one of the user's own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::fs::{self, ReadError};
use crate::json::{self, Invalid};

use super::Adapter;

/// The built-in definitions, whole: a JSON list.
pub const BUILTIN_JSON: &str = concat!(
    "[",
    include_str!("builtin/claude-code.json"),
    ",",
    include_str!("builtin/codex.json"),
    ",",
    include_str!("builtin/gemini-cli.json"),
    ",",
    include_str!("builtin/opencode.json"),
    ",",
    include_str!("builtin/copilot-cli.json"),
    ",",
    include_str!("builtin/qwen-code.json"),
    ",",
    include_str!("builtin/pi.json"),
    "]"
);

const MAX_BYTES: usize = 1 << 20;

impl Adapter {
    /// The adapter with this id: a built-in one, else the user's.
    pub(super) fn by_id(id: &str) -> Result<Arc<Self>, Invalid> {
        match Self::builtin(id) {
            Some(adapter) => Ok(adapter),
            None => users(id),
        }
    }

    /// The built-in adapter with this id.
    pub fn builtin(id: &str) -> Option<Arc<Self>> {
        builtin().iter().find(|adapter| adapter.id == id).cloned()
    }
}

/// The built-in adapters, read once.
fn builtin() -> &'static [Arc<Adapter>] {
    static BUILTIN: OnceLock<Vec<Arc<Adapter>>> = OnceLock::new();
    if let Some(adapters) = BUILTIN.get() {
        return adapters;
    }
    // Read outside the lock: a fork in another thread meanwhile must not leave the child with a lock that nobody frees.
    let adapters = read_builtin().unwrap_or_default();
    BUILTIN.get_or_init(|| adapters)
}

fn read_builtin() -> Result<Vec<Arc<Adapter>>, Invalid> {
    match json::parse(BUILTIN_JSON, "adapter")? {
        Value::Array(definitions) => definitions.into_iter().map(Adapter::from_value).collect(),
        other => Err(json::wrong_type("adapter", "a list", &other)),
    }
}

/// The user's document `<id>.json`.
fn users(id: &str) -> Result<Arc<Adapter>, Invalid> {
    let known = || builtin().iter().map(|adapter| adapter.id.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = |place: &str| {
        let reason =
            format!("is the id of no built-in adapter (there are {}){place}; give its definition instead", known());
        Invalid::new("adapter", reason)
    };
    // Nothing that could lead elsewhere.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let named = !id.is_empty() && !id.starts_with('.') && id.chars().all(is_plain);
    let Some(path) = directory().filter(|_| named).map(|directory| directory.join(format!("{id}.json"))) else {
        return Err(unknown(""));
    };
    let refused = |reason: String| Invalid::new("adapter", format!("{path:?} {reason}"));
    let text = match fs::read_regular(&path, MAX_BYTES) {
        Ok(read) => String::from_utf8(read.content).map_err(|_| refused("is not UTF-8".into()))?,
        Err(ReadError::Missing) => {
            return Err(unknown(&format!(
                ", and there is no agent-venv/adapters/{id}.json in $XDG_CONFIG_HOME or ~/.config"
            )));
        }
        Err(error) => return Err(refused(error.to_string())),
    };
    let adapter = read(&text, &path)?;
    if adapter.id != id {
        return Err(refused(format!("has the id {:?}; a document's file is named by its id", adapter.id)));
    }
    Ok(adapter)
}

fn read(text: &str, path: &Path) -> Result<Arc<Adapter>, Invalid> {
    let document = json::parse(text, "adapter").and_then(|value| match value {
        value @ Value::Object(_) => Adapter::from_value(value),
        other => Err(json::wrong_type("adapter", "an object", &other)),
    });
    document.map_err(|Invalid { field, reason }| Invalid::new(field, format!("{reason} (in {path:?})")))
}

/// `$XDG_CONFIG_HOME/agent-venv/adapters`, else `~/.config/agent-venv/adapters`.
fn directory() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let config = config.or_else(|| dirs::home_dir().map(|home| home.join(".config")));
    config.map(|config| config.join("agent-venv/adapters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_definition_is_valid() {
        let adapters = read_builtin().unwrap_or_else(|invalid| panic!("{invalid:?}"));
        assert_eq!(adapters.len(), 7);
    }
}
