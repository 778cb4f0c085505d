//! The awaited interface (feature `tokio`).
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_venv::tokio::adapters::{AgentAdapter, ClaudeCode, Codex};
use agent_venv::tokio::{Environment, EnvironmentSpec};
use agent_venv::{Options, Spec};

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
