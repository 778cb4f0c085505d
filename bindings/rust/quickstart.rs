//! A profile for Claude Code, and a child that is started in it.

use std::process::Command;

use agent_venv::{Environment, Options, Spec};

fn main() -> agent_venv::Result<()> {
    let spec = Spec::for_adapter("claude-code", Some(r#"{"load_credentials": false}"#))?;
    let env = Environment::ephemeral(&spec, &Options::default())?;
    println!("profile: {}", env.path().display());

    let mut child = Command::new("sh");
    child.args(["-c", "echo set: $CLAUDE_CONFIG_DIR"]).envs(env.env_overrides());
    env.env_unset().iter().for_each(|name| _ = child.env_remove(name));
    child.status().map(drop).unwrap_or_else(|error| eprintln!("sh: {error}"));
    env.destroy(&Options::default())
}
