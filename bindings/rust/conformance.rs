//! The conformance program: this crate, driven by a suite.
//!
//! It answers requests on standard input, one line of JSON each, as a caller of the crate would.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use agent_venv::{Environment, Error, Options, Spec};
use serde_json::{Map, Value, json};

/// Why there is no answer.
enum Failed {
    /// The library said so.
    Library(Error),
    /// What came in cannot be carried out.
    NotARequest(String),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed::Library(error)
    }
}

type Result<T> = std::result::Result<T, Failed>;

fn not_a_request<T>(reason: impl Into<String>) -> Result<T> {
    Err(Failed::NotARequest(reason.into()))
}

/// A request's fields, each of the type that its operation needs.
struct Request(Map<String, Value>);

impl Request {
    fn parse(line: &[u8]) -> Result<Self> {
        match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => Ok(Request(fields)),
            Ok(_) => not_a_request("a request must be an object"),
            Err(error) => not_a_request(format!("a line is not JSON: {error}")),
        }
    }

    fn text(&self, field: &str) -> Result<&str> {
        match self.0.get(field) {
            Some(Value::String(text)) => Ok(text),
            _ => not_a_request(format!("{field} must be a string")),
        }
    }

    fn texts(&self, field: &str) -> Result<Vec<&str>> {
        let values = self.0.get(field).and_then(Value::as_array);
        match values.and_then(|values| values.iter().map(Value::as_str).collect()) {
            Some(texts) => Ok(texts),
            None => not_a_request(format!("{field} must be a list of strings")),
        }
    }

    fn spec(&self, field: &str) -> Result<Option<Spec>> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(spec @ Value::Object(_)) => Ok(Some(Spec::from_json(&spec.to_string())?)),
            Some(_) => not_a_request(format!("{field} must be an object")),
        }
    }

    fn name(&self) -> Result<&str> {
        self.text("name")
    }

    fn options(&self) -> Result<Options> {
        let mut options = Options::default();
        options.registry_root = Some(self.text("registry_root")?.into());
        Ok(options)
    }

    fn create(&self, spec: Option<&Spec>) -> Result<Environment> {
        let empty = Spec::new();
        Ok(Environment::create_or_attach(self.name()?, spec.unwrap_or(&empty), &self.options()?)?)
    }

    fn attach(&self) -> Result<Environment> {
        Ok(Environment::attach(self.name()?, &self.options()?)?)
    }

    fn is_listed(&self) -> Result<bool> {
        let name = self.name()?;
        Ok(agent_venv::list(&self.options()?)?.iter().any(|listed| listed == name))
    }
}

fn carry_out(request: &Request) -> Result<Value> {
    match request.text("op")? {
        "ephemeral_lifecycle" => ephemeral_lifecycle(request),
        "persistent_create_attach_idempotent" => persistent_create_attach_idempotent(request),
        "persistent_attach_only" | "persistent_attach_missing" => Ok(shown(&request.attach()?)),
        "persistent_list" => persistent_list(request),
        "persistent_destroy_by_name" => persistent_destroy_by_name(request),
        "persistent_attach_mismatch" => persistent_attach_mismatch(request),
        "x_attach" => x_attach(request),
        "x_login_status" => x_login_status(request),
        "x_refresh" => x_refresh(request),
        "x_refresh_destroyed" => x_refresh_destroyed(request),
        "x_destroy" => x_destroy(request),
        "x_destroy_by_name" => x_destroy_by_name(request),
        "x_repair" => Ok(json!({ "report": agent_venv::repair(&request.options()?)? })),
        "x_reap" => x_reap(request),
        "x_ensure_available" => x_ensure_available(request),
        op => not_a_request(format!("no operation is called {op:?}")),
    }
}

fn ephemeral_lifecycle(request: &Request) -> Result<Value> {
    let options = Options::default();
    let env = Environment::ephemeral(&request.spec("spec")?.unwrap_or_default(), &options)?;
    let files = files_in(env.path());
    let inspection = json!({
        "path": env.path(),
        "exists": env.path().exists(),
        "env_overrides": env.env_overrides(),
        "files_present": files.keys().collect::<Vec<_>>(),
        "file_modes": files,
    });
    env.destroy(&options)?;
    let after = json!({ "path_exists": env.path().exists() });
    Ok(json!({ "inspection": inspection, "after_destroy": after, "events": env.events() }))
}

fn persistent_create_attach_idempotent(request: &Request) -> Result<Value> {
    let spec = request.spec("spec")?;
    let first = request.create(spec.as_ref())?;
    let second = request.create(spec.as_ref())?;
    let events = [first.events(), second.events()].concat();
    Ok(json!({
        "paths": [first.path(), second.path()],
        "second_path_files_present": paths_in(second.path()),
        "events": events,
    }))
}

fn persistent_list(request: &Request) -> Result<Value> {
    let spec = request.spec("spec")?.unwrap_or_default();
    let options = request.options()?;
    for name in request.texts("names")? {
        Environment::create_or_attach(name, &spec, &options)?;
    }
    Ok(json!({ "names_listed": agent_venv::list(&options)? }))
}

fn persistent_destroy_by_name(request: &Request) -> Result<Value> {
    let env = request.create(request.spec("spec")?.as_ref())?;
    env.destroy(&request.options()?)?;
    Ok(json!({
        "created_path": env.path(),
        "path_exists_after": env.path().exists(),
        "name_in_index_after": request.is_listed()?,
        "events": env.events(),
    }))
}

fn persistent_attach_mismatch(request: &Request) -> Result<Value> {
    let second_spec = Spec::from_json(&json!({ "adapter_id": request.text("second_adapter_id")? }).to_string())?;
    let first = request.create(request.spec("first_spec")?.as_ref())?;
    let second = request.create(Some(&second_spec))?;
    let mut answer = shown(&second);
    answer["events"] = json!([first.events(), second.events()].concat());
    Ok(answer)
}

fn x_attach(request: &Request) -> Result<Value> {
    let mut options = request.options()?;
    options.expected_adapter = Some(request.text("adapter_id")?.into());
    Ok(shown(&Environment::attach(request.name()?, &options)?))
}

fn x_login_status(request: &Request) -> Result<Value> {
    let env = request.attach()?;
    Ok(json!({ "login": env.login_status()?, "events": env.events() }))
}

fn x_refresh(request: &Request) -> Result<Value> {
    let spec = request.spec("spec")?;
    let mut options = request.options()?;
    options.force = match request.0.get("force") {
        None => false,
        Some(Value::Bool(force)) => *force,
        Some(_) => return not_a_request("force must be a boolean"),
    };
    let env = request.attach()?;
    env.refresh_credentials(spec.as_ref(), &options)?;
    Ok(json!({ "path": env.path(), "files_present": paths_in(env.path()), "events": env.events() }))
}

fn x_refresh_destroyed(request: &Request) -> Result<Value> {
    let spec = request.spec("spec")?;
    let env = request.create(spec.as_ref())?;
    env.destroy(&request.options()?)?;
    env.refresh_credentials(spec.as_ref(), &request.options()?)?;
    Ok(json!({ "events": env.events() }))
}

fn x_destroy(request: &Request) -> Result<Value> {
    let env = request.attach()?;
    env.destroy(&request.options()?)?;
    env.destroy(&request.options()?)?;
    Ok(json!({
        "path": env.path(),
        "path_exists_after": env.path().exists(),
        "name_in_index_after": request.is_listed()?,
        "events": env.events(),
    }))
}

fn x_destroy_by_name(request: &Request) -> Result<Value> {
    let mut options = request.options()?;
    options.lock_timeout = match request.0.get("lock_timeout_ms") {
        None | Some(Value::Null) => None,
        Some(timeout) => match timeout.as_u64() {
            Some(ms) => Some(Duration::from_millis(ms)),
            None => return not_a_request("lock_timeout_ms must be an integer, 0 or more"),
        },
    };
    agent_venv::destroy_by_name(request.name()?, &options)?;
    Ok(json!({ "name_in_index_after": request.is_listed()? }))
}

fn x_reap(request: &Request) -> Result<Value> {
    let mut options = request.options()?;
    options.ephemeral_root = Some(request.text("ephemeral_root")?.into());
    Ok(json!({ "report": agent_venv::reap(&options)? }))
}

fn x_ensure_available(request: &Request) -> Result<Value> {
    let adapter = json!({ "id": request.text("adapter_id")?, "program": request.text("cli_bin")? });
    agent_venv::ensure_available(&adapter.to_string())?;
    Ok(json!({}))
}

fn shown(env: &Environment) -> Value {
    json!({
        "path": env.path(),
        "files_present": paths_in(env.path()),
        "env_overrides": env.env_overrides(),
        "events": env.events(),
    })
}

fn paths_in(profile: &Path) -> Vec<String> {
    files_in(profile).into_keys().collect()
}

/// Regular files and their modes, by their path below the profile.
fn files_in(profile: &Path) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let mut folders = vec![profile.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(path),
                Ok(metadata) if metadata.is_file() => {
                    let below = path.strip_prefix(profile).unwrap_or(&path).to_string_lossy().into_owned();
                    found.insert(below, metadata.permissions().mode() & 0o777);
                }
                _ => {}
            }
        }
    }
    found
}

fn answer(line: &[u8]) -> Value {
    let mut answer = json!({ "case_id": "", "ok": true, "events": [] });
    let done = Request::parse(line).and_then(|request| {
        if let Ok(case_id) = request.text("case_id") {
            answer["case_id"] = case_id.into();
        }
        carry_out(&request)
    });
    match done {
        Ok(Value::Object(fields)) => fields.into_iter().for_each(|(name, value)| answer[name] = value),
        Ok(_) => {}
        Err(Failed::Library(error)) => {
            answer["error"] = json!({
                "kind": error.kind(),
                "message": error.message(),
                "payload": error.payload(),
                "events": error.events(),
            });
        }
        Err(Failed::NotARequest(message)) => {
            answer["ok"] = false.into();
            answer["error"] = json!({ "kind": "InternalInvariantViolation", "message": message });
        }
    }
    answer
}

fn say(words: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{words}")?;
    out.flush()
}

fn main() -> io::Result<()> {
    let capabilities: Value = serde_json::from_str(agent_venv::CAPABILITIES_JSON)?;
    say(&json!({
        "protocol": "agent-venv.conformance",
        "version": 2,
        "language": capabilities["language"],
        "package_version": capabilities["package_version"],
        "spec_version": capabilities["spec_version"],
    }))?;
    for line in io::stdin().lock().split(b'\n') {
        say(&answer(&line?))?;
    }
    Ok(())
}
