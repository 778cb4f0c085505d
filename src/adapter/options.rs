//! The options that a caller gives an adapter.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Result;
use crate::json::{self, Fields, Invalid};

const FIELDS: &str = "model, reasoning_effort, load_credentials, extra_argv, workspace, isolation, login, token_env, \
                      token_file, trusted_directories";

/// What becomes of the host's login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LoginMode {
    /// The profile gets a copy.
    #[default]
    Copy,
    /// The profile has none of its own.
    None,
    /// The agent gets a long-lived token by a variable.
    Token,
    /// The agent uses the host's login in place.
    Share,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Isolation {
    #[default]
    Standard,
    /// Also what else variables can close.
    Strict,
}

/// Where a token is taken from at each attach. Never the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenSource {
    #[serde(rename = "token_env")]
    Variable(String),
    #[serde(rename = "token_file")]
    File(String),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct AdapterOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<String>,
    pub login: LoginMode,
    pub isolation: Isolation,
    #[serde(flatten)]
    pub token: Option<TokenSource>,
    /// Absolute paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trusted_directories: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_argv: Vec<String>,
    /// The agent's working directory, for its command line only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
}

impl AdapterOptions {
    /// An object of options; `None` for the defaults.
    pub fn from_json(text: Option<&str>) -> Result<Self> {
        let value = text.map(|text| json::parse(text, "options")).transpose()?;
        Ok(Self::from_value(value)?)
    }

    pub fn from_value(value: Option<Value>) -> Result<Self, Invalid> {
        let value = value.unwrap_or_else(|| Value::Object(Map::new()));
        let mut fields = Fields::of(value, "options", "options")?;
        let options = AdapterOptions {
            model: fields.string("model")?,
            reasoning_effort: fields.string("reasoning_effort")?,
            login: login(&mut fields)?,
            isolation: fields
                .choice("isolation", &[("standard", Isolation::Standard), ("strict", Isolation::Strict)])?
                .unwrap_or_default(),
            token: token(&mut fields)?,
            trusted_directories: trusted(&mut fields)?,
            extra_argv: fields.strings("extra_argv")?,
            workspace: fields.string("workspace")?,
        };
        fields.finish(FIELDS)?;
        let given = match options.token {
            Some(TokenSource::Variable(_)) => "options.token_env",
            Some(TokenSource::File(_)) => "options.token_file",
            None => return Ok(options),
        };
        if options.login != LoginMode::Token {
            let reason = "is for login \"token\" alone: set options.login to it, or leave this out";
            return Err(Invalid::new(given, reason));
        }
        Ok(options)
    }
}

/// `login`, and `load_credentials` as its older form.
fn login(fields: &mut Fields) -> Result<LoginMode, Invalid> {
    let modes = [
        ("copy", LoginMode::Copy),
        ("none", LoginMode::None),
        ("token", LoginMode::Token),
        ("share", LoginMode::Share),
    ];
    let mode = fields.choice("login", &modes)?;
    match (mode, fields.boolean("load_credentials")?) {
        (Some(LoginMode::Copy), Some(false)) => {
            Err(Invalid::new("options.login", "is \"copy\" while load_credentials is false: give one of the two"))
        }
        (Some(mode), _) => Ok(mode),
        (None, Some(false)) => Ok(LoginMode::None),
        (None, _) => Ok(LoginMode::Copy),
    }
}

fn token(fields: &mut Fields) -> Result<Option<TokenSource>, Invalid> {
    match (fields.string("token_env")?, fields.string("token_file")?) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Invalid::new("options.token_file", "is given beside token_env: give one of the two")),
        (Some(name), None) if name.is_empty() || name.contains(['=', '\0']) => {
            Err(Invalid::new("options.token_env", "must name a variable: not empty, without = and NUL"))
        }
        (Some(name), None) => Ok(Some(TokenSource::Variable(name))),
        (None, Some(file)) if !(file.starts_with('/') || file.starts_with("~/")) || file.contains('\0') => {
            Err(Invalid::new("options.token_file", "must begin with / or ~/"))
        }
        (None, Some(file)) => Ok(Some(TokenSource::File(file))),
    }
}

fn trusted(fields: &mut Fields) -> Result<Vec<String>, Invalid> {
    let directories = fields.strings("trusted_directories")?;
    for (i, directory) in directories.iter().enumerate() {
        let refused = |reason| Err(Invalid::new(format!("options.trusted_directories[{i}]"), reason));
        if !directory.starts_with('/') {
            return refused("must be an absolute path");
        }
        // Agents' files could not name it safely.
        if directory.chars().any(char::is_control) {
            return refused("holds a control character");
        }
    }
    Ok(directories)
}
