//! Persistent environments, through the crate's public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use agent_venv::{Environment, Failure, Options, Result, Spec};

fn options(root: &Path) -> Options {
    let mut options = Options::default();
    options.registry_root = Some(root.join("registry"));
    options
}

fn spec() -> Spec {
    Spec::from_json(
        r#"{"adapter_id":"mine","env_overrides":{"MINE":"$EPHEMERAL_HOME/x"},
            "seed_files":{"a/b.txt":"seed"},"credentials":{"login.json":"{}"}}"#,
    )
    .unwrap()
}

fn kinds(environment: &Environment) -> Vec<String> {
    let events = serde_json::to_value(environment.events()).unwrap();
    events.as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

fn failure<T>(result: Result<T>) -> Failure {
    result.err().expect("a failure").failure().clone()
}

#[test]
fn created_once_and_attached_to_ever_after() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let first = Environment::create_or_attach("my app", &spec(), &options).unwrap();
    assert_eq!(kinds(&first), ["env.created", "profile.materialized", "credentials.copied", "registry.written"]);
    fs::write(first.path().join("a/b.txt"), "changed").unwrap();

    let second = Environment::create_or_attach("my app", &spec(), &options).unwrap();
    let third = Environment::attach("my app", &options).unwrap();
    for other in [&second, &third] {
        assert_eq!(kinds(other), ["env.attached", "registry.read"]);
        assert_eq!(other.path(), first.path());
        assert_eq!(other.env_overrides(), first.env_overrides());
        assert_eq!(other.adapter_id(), "mine");
        assert_eq!(other.name(), Some("my app"));
    }
    assert_eq!(first.env_overrides()["MINE"], format!("{}/x", first.path().display()));
    assert_eq!(fs::read_to_string(first.path().join("a/b.txt")).unwrap(), "changed");
    drop((first, second));
    assert!(third.path().join("login.json").exists(), "dropping a handle only detaches");
    assert_eq!(agent_venv::list(&options).unwrap(), ["my app"]);
}

#[test]
fn what_is_written_is_private_and_in_the_shared_format() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let environment = Environment::create_or_attach("n", &spec(), &options).unwrap();
    let root = home.path().join("registry").canonicalize().unwrap();
    let index: serde_json::Value = serde_json::from_slice(&fs::read(root.join("index.json")).unwrap()).unwrap();
    let slug = index["entries"]["n"].as_str().unwrap();
    assert_eq!(index["schema_version"], 1);
    assert_eq!(environment.path(), root.join(slug).join("profile"));
    let metadata: serde_json::Value =
        serde_json::from_slice(&fs::read(root.join(slug).join("metadata.json")).unwrap()).unwrap();
    assert_eq!(metadata["name"], "n");
    assert_eq!(metadata["adapter_id"], "mine");
    assert_eq!(metadata["credentials_loaded"], true);
    assert_eq!(metadata["env_overrides"]["MINE"], format!("{}/x", environment.path().display()));
    assert_eq!(metadata["created_at"].as_str().unwrap().len(), "2026-05-10T12:00:00Z".len());
    assert_eq!(fs::read_dir(root.join(".agent-venv")).unwrap().count(), 0, "nothing of ours is left there");
    let mut stack = vec![root];
    while let Some(path) = stack.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o7777, wanted, "{path:?}");
        if metadata.is_dir() {
            stack.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
}

#[test]
fn destroyed_by_handle_or_name_and_gone_for_all() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let handle = Environment::create_or_attach("n", &spec(), &options).unwrap();
    let other = Environment::attach("n", &options).unwrap();
    handle.destroy(&options).unwrap();
    handle.destroy(&options).unwrap();
    assert_eq!(kinds(&handle)[4..], ["registry.written", "env.destroyed"]);
    assert!(!handle.path().exists());
    other.destroy(&options).expect("somebody else's destruction counts");
    let root = home.path().join("registry").canonicalize().unwrap().to_str().unwrap().to_owned();
    let not_found = Failure::EnvironmentNotFound { name: "n".into(), registry_root: root };
    assert_eq!(failure(Environment::attach("n", &options)), not_found);
    assert_eq!(failure(agent_venv::destroy_by_name("n", &options)), not_found);
    assert_eq!(failure(other.refresh_credentials(Some(&spec()), &options)).kind(), "InternalInvariantViolation");
    Environment::create_or_attach("n", &spec(), &options).unwrap();
    agent_venv::destroy_by_name("n", &options).unwrap();
    assert!(agent_venv::list(&options).unwrap().is_empty());
}

#[test]
fn a_stale_handle_harms_nobody() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let stale = Environment::create_or_attach("n", &spec(), &options).unwrap();
    agent_venv::destroy_by_name("n", &options).unwrap();
    let new = Environment::create_or_attach("n", &spec(), &options).unwrap();
    assert_eq!(failure(stale.refresh_credentials(None, &options)).kind(), "EnvironmentNotFound");
    stale.destroy(&options).unwrap();
    assert!(new.path().join("login.json").exists());
    assert_eq!(agent_venv::list(&options).unwrap(), ["n"]);
}

#[test]
fn another_adapter_is_a_mismatch_that_names_both() {
    let home = tempfile::tempdir().unwrap();
    let mut options = options(home.path());
    Environment::create_or_attach("n", &spec(), &options).unwrap();
    let mismatch = |actual: &str| Failure::AdapterMismatch {
        name: "n".into(),
        expected_adapter_id: "mine".into(),
        actual_adapter_id: actual.into(),
    };
    assert_eq!(failure(Environment::create_or_attach("n", &Spec::new(), &options)), mismatch("generic"));
    options.expected_adapter = Some("codex".into());
    assert_eq!(failure(Environment::attach("n", &options)), mismatch("codex"));
}

#[test]
fn a_moved_registry_still_works() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    Environment::create_or_attach("n", &spec(), &options).unwrap();
    fs::rename(home.path().join("registry"), home.path().join("moved")).unwrap();
    let mut moved = Options::default();
    moved.registry_root = Some(home.path().join("moved"));
    let environment = Environment::attach("n", &moved).unwrap();
    assert_eq!(environment.env_overrides()["MINE"], format!("{}/x", environment.path().display()));
    assert!(environment.path().starts_with(home.path().canonicalize().unwrap().join("moved")));
}

#[test]
fn a_registry_that_does_not_exist_is_empty_and_stays_away() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    assert!(agent_venv::list(&options).unwrap().is_empty());
    assert_eq!(failure(Environment::attach("n", &options)).kind(), "EnvironmentNotFound");
    assert_eq!(failure(agent_venv::destroy_by_name("n", &options)).kind(), "EnvironmentNotFound");
    agent_venv::repair(&options).unwrap();
    agent_venv::reap(&options).unwrap();
    assert!(!home.path().join("registry").exists());
}

#[test]
fn names_that_are_none_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let long = "x".repeat(1025);
    for name in ["", "a\0b", &long] {
        match failure(Environment::create_or_attach(name, &spec(), &options)) {
            Failure::InvalidEnvironmentSpec { field, .. } => assert_eq!(field, "name"),
            other => panic!("{other:?}"),
        }
    }
    assert!(!home.path().join("registry").exists());
    for name in ["..", "a/b", "\u{1f600}", "a\nb", "__proto__", &"x".repeat(1024)] {
        let environment = Environment::create_or_attach(name, &spec(), &options).unwrap();
        assert_eq!(Environment::attach(name, &options).unwrap().path(), environment.path());
    }
    assert_eq!(agent_venv::list(&options).unwrap().len(), 6);
}

#[test]
fn repair_restores_what_is_committed_and_does_so_twice() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let environment = Environment::create_or_attach("n", &spec(), &options).unwrap();
    let index = home.path().join("registry/index.json");
    for damage in [Some("{"), Some("[]"), None] {
        match damage {
            Some(text) => fs::write(&index, text).unwrap(),
            None => fs::remove_file(&index).unwrap(),
        }
        assert_eq!(failure(agent_venv::list(&options)).kind(), "RegistryUnavailable");
        let report = agent_venv::repair(&options).unwrap();
        assert_eq!(report.restored, ["n"]);
        assert_eq!(report.kept_index.is_some(), damage.is_some());
        assert_eq!(agent_venv::list(&options).unwrap(), ["n"]);
        let again = agent_venv::repair(&options).unwrap();
        assert!(again.restored.is_empty() && again.kept_index.is_none(), "{again:?}");
    }
    assert!(environment.path().join("login.json").exists());
}

#[test]
fn a_name_taken_out_by_others_stays_gone_though_another_entry_has_its_directory() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let environment = Environment::create_or_attach("myapp", &spec(), &options).unwrap();
    let slug = environment.path().parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let index = format!(r#"{{"schema_version":1,"entries":{{"other":"envs/{slug}"}}}}"#);
    fs::write(home.path().join("registry/index.json"), index).unwrap();
    assert_eq!(failure(Environment::attach("myapp", &options)).kind(), "EnvironmentNotFound");

    // The index is ours again.
    Environment::create_or_attach("new", &spec(), &options).unwrap();
    assert_eq!(agent_venv::list(&options).unwrap(), ["new"]);
    assert_eq!(failure(Environment::attach("myapp", &options)).kind(), "EnvironmentNotFound");
}

#[test]
fn repair_without_an_index_lets_go_of_what_can_not_be_read() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let environment = Environment::create_or_attach("myapp", &spec(), &options).unwrap();
    fs::write(environment.path().with_file_name("metadata.json"), "{").unwrap();
    fs::remove_file(home.path().join("registry/index.json")).unwrap();
    assert_eq!(failure(agent_venv::list(&options)).kind(), "RegistryUnavailable");

    let report = agent_venv::repair(&options).unwrap();
    assert_eq!(report.unreadable, [environment.path().parent().unwrap().to_str().unwrap()]);
    assert!(environment.path().exists(), "what can't be read is left");
    assert!(agent_venv::list(&options).unwrap().is_empty());
    Environment::create_or_attach("other", &spec(), &options).unwrap();
}

#[test]
fn refresh_works_from_another_handle_since_the_adapter_is_recorded() {
    let home = tempfile::tempdir().unwrap();
    let options = options(home.path());
    let login = home.path().join("host-login");
    fs::write(&login, "old").unwrap();
    let adapter = serde_json::json!({
        "id": "own", "program": "own", "login": [{"profile": "login", "host": [{"file": login}]}],
    });
    let spec = Spec::for_adapter(&adapter.to_string(), None).unwrap();
    Environment::create_or_attach("n", &spec, &options).unwrap();
    fs::write(&login, "new").unwrap();
    let attached = Environment::attach("n", &options).unwrap();
    attached.refresh_credentials(None, &options).unwrap();
    assert_eq!(fs::read_to_string(attached.path().join("login")).unwrap(), "new");
    assert_eq!(kinds(&attached), ["env.attached", "registry.read", "credentials.refreshed"]);
}
