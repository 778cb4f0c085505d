//! The awaited interface (feature `tokio`).
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_venv::tokio::adapters::{AgentAdapter, ClaudeCode, Codex, DataAdapter};
use agent_venv::tokio::{Environment, EnvironmentSpec};
use agent_venv::{LoginState, Options, Spec};
use serde_json::json;

#[tokio::test]
async fn a_program_for_the_public_crate_runs() {
    let spec =
        EnvironmentSpec::builder().env_override("FOO", "$EPHEMERAL_HOME").seed_file("hello.txt", "world").build();
    let mut env = Environment::ephemeral(spec).await.unwrap();
    assert_eq!(env.env_overrides()["FOO"], env.path().to_str().unwrap());
    assert_eq!(std::fs::read_to_string(env.path().join("hello.txt")).unwrap(), "world");
    assert!(env.destroy().await.unwrap());
    assert!(!env.path().exists());
}

#[tokio::test]
async fn persistent_ones_stay_when_dropped_and_ephemeral_ones_do_not() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("registry");
    let kept = Environment::create_or_attach("n", Spec::new(), Some(&root)).await.unwrap();
    let passing = Environment::ephemeral(Spec::new()).await.unwrap();
    let (kept_path, passing_path) = (kept.path().to_owned(), passing.path().to_owned());
    drop((kept, passing));
    assert!(kept_path.exists() && !passing_path.exists());
    assert_eq!(Environment::list(Some(&root)).unwrap(), ["n"]);
    Environment::attach("n", Some(&root)).await.unwrap().destroy().await.unwrap();
    assert_eq!(Environment::destroy_by_name("n", Some(&root)).unwrap_err().kind(), "EnvironmentNotFound");
}

#[tokio::test]
async fn adapters_name_themselves_and_carry_no_login() {
    let claude = ClaudeCode::new().model("m").load_credentials(false).reasoning_effort("high");
    let env = Environment::ephemeral(claude.build_spec().unwrap()).await.unwrap();
    assert_eq!(env.adapter_id(), "claude-code");
    assert!(claude.build_argv("hi", None).ends_with(&["--effort".into(), "high".into()]));
    let codex = Codex::new().model("m").build_argv("hi", Some("/w".as_ref()));
    assert_eq!(codex[..6], ["codex", "exec", "--model", "m", "--cd", "/w"]);
    assert!(Codex::new().build_argv("hi", None).is_empty(), "no model, no command line");
}

#[tokio::test(flavor = "current_thread")]
async fn other_tasks_run_while_a_create_waits_for_the_lock() {
    let home = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.registry_root = Some(home.path().join("registry"));
    options.lock_timeout = Some(Duration::from_secs(60));
    agent_venv::Environment::create_or_attach("other", &Spec::new(), &options).unwrap();
    let lock = std::fs::File::options().write(true).open(home.path().join("registry/.lock")).unwrap();
    lock.lock().unwrap();

    let ticks = Arc::new(AtomicUsize::new(0));
    let counted = ticks.clone();
    let heart = tokio::spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    });
    let create = tokio::spawn(Environment::create_or_attach_with("n", Spec::new(), options));
    while ticks.load(Ordering::Relaxed) < 1000 {
        tokio::task::yield_now().await;
    }
    assert!(!create.is_finished(), "it waits");
    lock.unlock().unwrap();
    assert_eq!(create.await.unwrap().unwrap().name(), Some("n"));
    heart.abort();
}

/// An adapter whose login lies in a file of the test's own.
fn document(login: &std::path::Path) -> String {
    json!({
        "id": "mine",
        "program": "my-agent",
        "env": {"MINE_HOME": "$EPHEMERAL_HOME"},
        "login": [{"profile": "auth", "host": [{"file": login}]}],
        "share": {"link": true},
        "token": {"variable": "MINE_TOKEN"},
        "argv": ["{program}", "--model", "{model}", ["--cd", "{workspace}"], "{extra_argv}"],
    })
    .to_string()
}

async fn made(adapter: &DataAdapter) -> Environment {
    Environment::ephemeral(adapter.build_spec().unwrap()).await.unwrap()
}

#[tokio::test]
async fn the_status_follows_host_and_profile_until_one_is_forced_on_the_other() {
    let home = tempfile::tempdir().unwrap();
    let host = home.path().join("login");
    std::fs::write(&host, "fake").unwrap();
    let env = made(&DataAdapter::new(&document(&host)).unwrap()).await;
    let login = env.login_status().await.unwrap();
    assert_eq!((login.status, login.files[0].path.as_str()), (LoginState::Same, "auth"));
    std::fs::write(&host, "fake again").unwrap();
    assert_eq!(env.login_status().await.unwrap().status, LoginState::HostNewer);
    env.refresh_credentials(None).await.unwrap();
    std::fs::write(env.path().join("auth"), "the agent's").unwrap();
    assert_eq!(env.login_status().await.unwrap().status, LoginState::ProfileNewer);
    assert_eq!(env.refresh_credentials(None).await.unwrap_err().kind(), "CredentialsConflict");
    let mut options = Options::default();
    options.force = true;
    env.refresh_credentials_with(None, options).await.unwrap();
    assert_eq!(std::fs::read_to_string(env.path().join("auth")).unwrap(), "fake again");
}

#[tokio::test]
async fn a_login_is_shared_or_a_token_that_is_kept_nowhere() {
    let home = tempfile::tempdir().unwrap();
    let (host, token) = (home.path().join("login"), home.path().join("token"));
    std::fs::write(&host, "fake").unwrap();
    let adapter = DataAdapter::new(&document(&host)).unwrap();
    let shared = made(&adapter.clone().login("share")).await;
    assert_eq!(std::fs::read_link(shared.path().join("auth")).unwrap(), host.canonicalize().unwrap());
    assert_eq!(shared.login_status().await.unwrap().status, LoginState::Shared);

    std::fs::write(&token, "fake-token").unwrap();
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let registry = home.path().join("registry");
    let spec = adapter.login("token").token_file(&token).build_spec().unwrap();
    Environment::create_or_attach("n", spec, Some(&registry)).await.unwrap();
    let attached = Environment::attach("n", Some(&registry)).await.unwrap();
    assert_eq!(attached.env_overrides()["MINE_TOKEN"], "fake-token");
    assert_eq!(attached.login_status().await.unwrap().status, LoginState::Token);
    let metadata = std::fs::read_to_string(attached.path().with_file_name("metadata.json")).unwrap();
    assert!(metadata.contains("token_file") && !metadata.contains("fake-token"));
    assert!(!attached.path().join("auth").exists());
}

#[tokio::test]
async fn isolation_and_trust_are_options_of_a_built_in_adapter_too() {
    let adapter =
        DataAdapter::new("claude-code").unwrap().login("none").isolation("strict").trusted_directory("/no/such");
    let variables = ["copilot-cli", "opencode"].map(|id| DataAdapter::new(id).unwrap().config_env_var().to_owned());
    assert_eq!(variables, ["COPILOT_HOME", ""]);
    let env = made(&adapter).await;
    assert!(env.env_overrides()["XDG_CACHE_HOME"].starts_with(env.path().to_str().unwrap()));
    assert!(env.env_unset().contains(&"ANTHROPIC_BASE_URL".into()));
    assert!(std::fs::read_to_string(env.path().join(".claude.json")).unwrap().contains("/no/such"));
    let refused = adapter.login("share").option("isolation", "total").build_spec().unwrap();
    assert_eq!(Environment::ephemeral(refused).await.unwrap_err().payload()["field"], "options.isolation");
}

#[tokio::test]
async fn a_users_document_is_found_by_its_id() {
    let Some(home) = std::env::var_os("XDG_CONFIG_HOME").filter(|_| std::env::var_os("OWN_PROCESS").is_some()) else {
        // Variables are a whole process's: this test again, in one of its own.
        let home = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "a_users_document_is_found_by_its_id"]).env("OWN_PROCESS", "1");
        assert!(child.env("XDG_CONFIG_HOME", home.path()).status().unwrap().success());
        return;
    };
    let (login, documents) =
        (std::path::Path::new(&home).join("login"), std::path::Path::new(&home).join("agent-venv/adapters"));
    assert_eq!(DataAdapter::new("mine").unwrap_err().kind(), "InvalidEnvironmentSpec");
    std::fs::create_dir_all(&documents).unwrap();
    std::fs::write(documents.join("mine.json"), document(&login)).unwrap();
    std::fs::write(&login, "fake").unwrap();
    let adapter = DataAdapter::new("mine").unwrap().model("m").extra_arg("-v");
    assert_eq!((adapter.id(), adapter.cli_bin(), adapter.config_env_var()), ("mine", "my-agent", "MINE_HOME"));
    assert_eq!(adapter.build_argv("p", Some("/w".as_ref())), ["my-agent", "--model", "m", "--cd", "/w", "-v"]);
    let env = made(&adapter).await;
    assert_eq!(std::fs::read_to_string(env.path().join("auth")).unwrap(), "fake");
}
