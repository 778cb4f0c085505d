//! Where the registry lies.

use std::path::PathBuf;

use crate::error::{Result, Trouble};
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
        let reason = "no home directory is known: set HOME or AGENT_VENV_REGISTRY_ROOT";
        return Err(Trouble::new(&PathBuf::new(), reason).registry());
    };
    let absolute = fs::absolute(&path).unwrap_or(path);
    if fs::id_of_target(&absolute).is_ok() {
        let path = fs::canonical(&absolute).map_err(Trouble::registry)?;
        return Ok(path.to_string_lossy().into_owned());
    }
    match absolute.into_os_string().into_string() {
        Ok(path) => Ok(path),
        Err(path) => {
            let reason = "the root's path is not UTF-8; choose another by AGENT_VENV_REGISTRY_ROOT";
            Err(Trouble::new(path.as_ref(), reason).registry())
        }
    }
}
