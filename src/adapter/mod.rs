//! Adapters: what an agent needs, as data. The built-in ones use nothing that a caller's own cannot.

mod argv;
mod expiry;
mod find;
mod login;
pub(crate) mod members;
mod options;
mod share;
mod token;
mod trust;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::error::{Error, Failure, Result};
use crate::json::{self, Fields, Invalid};
use crate::map;
use crate::spec::{RelativePath, check_prefix, check_variable};

use argv::Part;
pub use find::BUILTIN_JSON;
pub(crate) use login::{HostLogin, Login, MAX_BYTES as MAX_LOGIN, RETRIES, RETRY_EVERY, read_whole};
pub(crate) use options::{AdapterOptions, Isolation, LoginMode};
pub(crate) use share::Share;
use trust::Trust;

const FIELDS: &str = "id, program, prefix, env, env_unset, seed_files, login, token, share, trust, strict, argv, leaks";

/// An adapter's definition, checked.
pub(crate) struct Adapter {
    pub id: String,
    pub program: String,
    pub prefix: String,
    pub variables: Variables,
    /// What else is set and unset where isolation is strict.
    pub strict: Variables,
    pub seed_files: BTreeMap<RelativePath, Vec<u8>>,
    pub login: Vec<Login>,
    /// The variable that hands a long-lived token to the agent.
    pub token: Option<String>,
    pub share: Option<Share>,
    pub trust: Option<Trust>,
    /// The document as it was given.
    pub definition: Value,
    argv: Vec<Part>,
}

/// Variables to set for the agent, and those that it must not inherit.
#[derive(Default)]
pub(crate) struct Variables {
    pub env: BTreeMap<String, String>,
    pub env_unset: Vec<String>,
}

impl Adapter {
    /// The adapter with this id, or the definition that `text` itself is (it begins with `{`).
    pub fn named(text: &str) -> Result<Arc<Self>> {
        let value = if text.trim_start().starts_with('{') { json::parse(text, "adapter")? } else { Value::from(text) };
        Ok(Self::from_value(value)?)
    }

    /// The same, from a spec's `adapter` field.
    pub fn from_value(value: Value) -> Result<Arc<Self>, Invalid> {
        match value {
            Value::String(id) => Self::by_id(&id),
            value => Self::define(value).map(Arc::new),
        }
    }

    fn define(value: Value) -> Result<Self, Invalid> {
        let definition = value.clone();
        let mut fields = Fields::of(value, "adapter", "adapter")?;
        let id = fields.required_string("id")?;
        if id.is_empty() || id.contains('\0') {
            return Err(Invalid::new("adapter.id", "is empty or holds NUL"));
        }
        let program = fields.required_string("program")?;
        if program.is_empty() || program.contains(['/', '\0']) {
            return Err(Invalid::new("adapter.program", "must be a program's name, as it is looked up on PATH"));
        }
        let prefix = fields.string("prefix")?.unwrap_or_else(|| "agent-venv-".into());
        check_prefix("adapter.prefix", &prefix)?;
        let variables = Variables::read(&mut fields)?;
        let strict = match fields.take("strict") {
            Some(value) => {
                let mut fields = Fields::of(value, "adapter.strict", "adapter.strict")?;
                let strict = Variables::read(&mut fields)?;
                fields.finish("env, env_unset")?;
                strict
            }
            None => Variables::default(),
        };
        let seed_files = fields.map("seed_files", json::string)?;
        let seed_files = map::try_map(
            seed_files
                .into_iter()
                .map(|(path, text)| Ok((RelativePath::read(&path, "adapter.seed_files")?, text.into_bytes()))),
        )?;
        let login = Login::list(fields.list("login")?)?;
        let token = fields.take("token").map(read_token_variable).transpose()?;
        let share = fields.take("share").map(|value| Share::read(value, "adapter.share")).transpose()?;
        let trust = fields.take("trust").map(|value| Trust::read(value, "adapter.trust")).transpose()?;
        if let (Some(i), Some(Share::Link)) = (login.iter().position(|login| login.members.is_some()), &share) {
            let reason = "can't be shared by a link, which would share the whole file: leave out share.link";
            return Err(Invalid::new(format!("adapter.login[{i}].members"), reason));
        }
        if trust.as_ref().is_some_and(|trust| login.iter().any(|login| login.profile == trust.file)) {
            return Err(Invalid::new(
                "adapter.trust.file",
                "is a file that a login goes to: trust can't be written into it",
            ));
        }
        let argv = argv::template(fields.list("argv")?)?;
        // For who reads the document.
        fields.strings("leaks")?;
        fields.finish(FIELDS)?;
        Ok(Adapter { id, program, prefix, variables, strict, seed_files, login, token, share, trust, definition, argv })
    }

    /// Refuses options that ask for what this agent can't do.
    pub fn check(&self, options: &AdapterOptions) -> Result<(), Invalid> {
        let refused = |what: &str| Err(Invalid::new("options.login", format!("{what}; use \"copy\" or \"none\"")));
        match (options.login, &self.token, &self.share) {
            (LoginMode::Token, None, _) => {
                refused(&format!("is \"token\", and adapter {:?} takes no token by a variable", self.id))
            }
            (LoginMode::Share, _, Some(Share::Refused(reason))) => {
                refused(&format!("is \"share\", which adapter {:?} cannot: {reason}", self.id))
            }
            (LoginMode::Share, _, None) => {
                refused(&format!("is \"share\", and adapter {:?} does not say how its login can be shared", self.id))
            }
            _ => Ok(()),
        }
    }

    /// What is set and unset, in the order in which it counts.
    pub fn variables(&self, options: &AdapterOptions) -> impl Iterator<Item = &Variables> {
        let strict = (options.isolation == Isolation::Strict).then_some(&self.strict);
        std::iter::once(&self.variables).chain(strict)
    }

    /// Looks the agent's program up on PATH.
    pub fn ensure_available(&self) -> Result<()> {
        ensure_on_path(&self.id, &self.program)
    }

    /// The command line for an unattended run; the prompt goes to the agent's standard input.
    pub fn argv(&self, options: &AdapterOptions) -> Result<Vec<String>> {
        if self.argv.is_empty() {
            return Err(Error::invalid("adapter.argv", format!("adapter {:?} has no command line template", self.id)));
        }
        Ok(argv::fill(&self.argv, &self.program, options)?)
    }
}

impl Variables {
    fn read(fields: &mut Fields) -> Result<Self, Invalid> {
        let env = fields.map("env", json::string)?;
        for (name, value) in &env {
            check_variable(&json::at(&fields.name("env"), name), name, value)?;
        }
        let env_unset = fields.strings("env_unset")?;
        for (i, name) in env_unset.iter().enumerate() {
            check_variable(&format!("{}[{i}]", fields.name("env_unset")), name, "")?;
        }
        Ok(Variables { env, env_unset })
    }
}

fn read_token_variable(value: Value) -> Result<String, Invalid> {
    let mut fields = Fields::of(value, "adapter.token", "adapter.token")?;
    let name = fields.required_string("variable")?;
    check_variable(&fields.name("variable"), &name, "")?;
    fields.finish("variable")?;
    Ok(name)
}

pub(crate) fn ensure_on_path(adapter_id: &str, program: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|dir| crate::fs::is_executable(&dir.join(program))) {
        return Ok(());
    }
    let (adapter_id, cli_bin) = (adapter_id.to_owned(), program.to_owned());
    Err(Failure::AdapterUnavailable { adapter_id, cli_bin }.into())
}
