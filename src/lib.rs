//! virtualenv for coding-agent CLIs: a profile directory of its own for each invocation, with the host's login in it, and
//! the variables that point the agent there. The library never runs the agent, and never changes the host's own profile.
//!
//! ```
//! use agent_venv::{Environment, Options, Spec};
//!
//! let mut spec = Spec::for_adapter("claude-code", Some(r#"{"load_credentials": false}"#))?;
//! spec.add_seed_file("CLAUDE.md", b"Answer briefly.\n", None)?;
//! let env = Environment::ephemeral(&spec, &Options::default())?;
//!
//! let mut agent = std::process::Command::new("claude");
//! agent.envs(env.env_overrides());
//! for name in env.env_unset() {
//!     agent.env_remove(name);
//! }
//! // ... agent.spawn() ...
//! env.destroy(&Options::default())?;
//! # Ok::<(), agent_venv::Error>(())
//! ```

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("agent-venv runs on Linux and macOS: it needs flock, and directory-relative file operations");

mod adapter;
mod capabilities;
mod environment;
mod ephemeral;
mod error;
mod event;
pub mod ffi;
mod fs;
mod json;
mod login;
mod map;
mod options;
mod process_dir;
mod profile;
mod reap;
mod registry;
mod secret;
mod spec;
mod time;
#[cfg(feature = "tokio")]
pub mod tokio;

pub use capabilities::{CAPABILITIES_JSON, VERSION};
pub use environment::Environment;
pub use error::{Error, Failure, Result};
pub use event::{Event, Happened};
pub use login::{LoginFile, LoginState, LoginStatus};
pub use options::Options;
pub use reap::{ReapReport, Reaped, Unremoved};
pub use registry::RepairReport;
pub use spec::Spec;

/// The built-in adapters' definitions: a JSON list.
pub const ADAPTERS_JSON: &str = adapter::BUILTIN_JSON;

/// Removes the ephemeral environments whose owners died, and what unfinished changes left in the registry; gives this
/// process's own directories back where they are empty.
///
/// Whatever has a living owner is kept. A root that does not exist yet is not made. No lock is waited for.
pub fn reap(options: &Options) -> Result<ReapReport> {
    reap::reap(options)
}

/// Gives this process's own directories for ephemeral environments back, where they are empty: what a program that cares
/// for a tidy disk does at its end. Otherwise whoever reaps takes them.
pub fn give_back() {
    process_dir::give_back();
}

/// The names of all persistent environments, sorted. A registry that does not exist is empty.
pub fn list(options: &Options) -> Result<Vec<String>> {
    registry::list(options, |names| names.map(str::to_owned).collect())
}

/// Destroys a persistent environment: [`EnvironmentNotFound`](Failure::EnvironmentNotFound) where the name is unknown.
pub fn destroy_by_name(name: &str, options: &Options) -> Result<()> {
    match registry::destroy(name, None, options)? {
        Some(destroyed) => destroyed.failed.map_or(Ok(()), |(error, _)| Err(error)),
        None => Err(registry::not_found(name, &registry::root(options)?)),
    }
}

/// Makes the registry's index agree with what is there. Safe at any time, and twice.
pub fn repair(options: &Options) -> Result<RepairReport> {
    registry::repair(options)
}

/// The definition that an adapter's id stands for, or that `adapter` itself is, as JSON.
pub fn adapter_definition(adapter: &str) -> Result<String> {
    Ok(adapter::Adapter::named(adapter)?.definition.to_string())
}

/// The root of the registry of persistent environments, absolute; it need not exist.
pub fn registry_root(options: &Options) -> Result<String> {
    registry::root(options)
}

/// The command line for an unattended run of an adapter's agent; the prompt goes to its standard input.
///
/// `adapter` is a built-in one's id or a definition as JSON; `options_json` an object of its options.
pub fn adapter_argv(adapter: &str, options_json: Option<&str>) -> Result<Vec<String>> {
    adapter::Adapter::named(adapter)?.argv(&adapter::AdapterOptions::from_json(options_json)?)
}

/// Checks that the program of an adapter's agent is on PATH.
pub fn ensure_available(adapter: &str) -> Result<()> {
    adapter::Adapter::named(adapter)?.ensure_available()
}
