//! The registry of persistent environments: where it lies.

use std::path::PathBuf;

use crate::error::{Failure, Result};
use crate::fs;
use crate::options::Options;

/// The registry root: the call's own, `$AGENT_VENV_REGISTRY_ROOT`, `$XDG_DATA_HOME/agent-venv/envs`, or
/// `~/.local/share/agent-venv/envs`. Absolute, and without links where it exists; it need not exist.
pub(crate) fn root(options: &Options) -> Result<String> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let path = options
        .registry_root
        .clone()
        .or_else(|| variable("AGENT_VENV_REGISTRY_ROOT"))
        .or_else(|| variable("XDG_DATA_HOME").map(|data| data.join("agent-venv/envs")))
        .or_else(|| dirs::home_dir().map(|home| home.join(".local/share/agent-venv/envs")));
    let Some(path) = path else {
        return refuse("no home directory is known: set HOME or AGENT_VENV_REGISTRY_ROOT", PathBuf::new());
    };
    let absolute = fs::absolute(&path).unwrap_or(path);
    match fs::canonical(&absolute).unwrap_or(absolute).into_os_string().into_string() {
        Ok(root) => Ok(root),
        Err(root) => refuse("the root's path is not UTF-8: choose another by AGENT_VENV_REGISTRY_ROOT", root.into()),
    }
}

fn refuse<T>(reason: &str, path: PathBuf) -> Result<T> {
    Err(Failure::RegistryUnavailable { reason: reason.into(), path: path.to_string_lossy().into_owned() }.into())
}
