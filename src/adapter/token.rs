//! A long-lived token, handed to the agent by a variable and kept nowhere.

use crate::error::Result;
use crate::fs::{self, ReadError};
use crate::secret::Secret;

use super::login::on_host;
use super::options::TokenSource;
use super::{Adapter, AdapterOptions};

const MAX_BYTES: usize = 64 << 10;

impl Adapter {
    /// Reads the token from where the options say, else from the variable that the agent itself reads.
    pub fn read_token(&self, variable: &str, options: &AdapterOptions) -> Result<Secret> {
        let (place, read) = match &options.token {
            Some(TokenSource::File(file)) => (file.clone(), from_file(file)),
            Some(TokenSource::Variable(name)) => (format!("${name}"), from_variable(name)),
            None => (format!("${variable}"), from_variable(variable)),
        };
        read.and_then(checked).map_err(|problem| self.missing(vec![place], Some(problem)))
    }
}

fn from_variable(name: &str) -> Result<Secret, String> {
    let value = std::env::var_os(name).ok_or("the variable is not set: set it, or name another by token_env")?;
    Ok(Secret::new(std::os::unix::ffi::OsStringExt::into_vec(value)))
}

fn from_file(file: &str) -> Result<Secret, String> {
    let path = on_host(file).ok_or("no home directory is known: set HOME")?;
    let content = fs::read_private(&path, MAX_BYTES).map_err(|error| match error {
        ReadError::Missing => "the file does not exist: write the token there".to_owned(),
        error => format!("the file {error}"),
    })?;
    Ok(Secret::new(content.content))
}

/// Without the line's end; something that a variable can hold.
fn checked(token: Secret) -> Result<Secret, String> {
    let text = str::from_utf8(token.bytes()).map_err(|_| "the token is not UTF-8")?;
    let text = text.trim_end_matches(['\r', '\n']);
    match text {
        "" => Err("the token is empty".into()),
        text if text.contains(|c: char| c.is_control() && !c.is_ascii_whitespace()) => {
            Err("what is there is no token: it holds a control character".into())
        }
        text => Ok(Secret::new(text.as_bytes().to_vec())),
    }
}
