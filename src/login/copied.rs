//! Which logins were copied into a profile, so that a later look can tell which side has changed since.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::secret::Secret;
use crate::spec::{Content, Files, RelativePath};

/// A fingerprint of each login that was copied: 64 bits of a hash with the environment's own salt, so that equal logins of two
/// profiles can't be told by them.
#[derive(Clone, Default)]
pub(crate) struct Copied {
    salt: String,
    prints: BTreeMap<String, String>,
}

impl Copied {
    pub fn new(salt: &str, files: &Files<'_>) -> Self {
        let mut copied = Copied { salt: salt.to_owned(), prints: BTreeMap::new() };
        copied.add(files);
        copied
    }

    /// From what was recorded.
    pub fn from_record(salt: &str, record: Option<&Value>) -> Self {
        let prints = record.and_then(Value::as_object).into_iter().flatten();
        let prints = prints.filter_map(|(path, print)| Some((path.clone(), print.as_str()?.to_owned())));
        Copied { salt: salt.to_owned(), prints: prints.collect() }
    }

    /// What is recorded; `None` where there is nothing.
    pub fn record(&self) -> Option<Value> {
        let prints = self.prints.iter().map(|(path, print)| (path.clone(), Value::from(print.as_str())));
        (!self.prints.is_empty()).then(|| Value::Object(prints.collect::<Map<_, _>>()))
    }

    /// Notes what was copied later.
    pub fn add(&mut self, files: &Files<'_>) {
        for (path, (content, _)) in files {
            match content {
                Content::Copy(login) => _ = self.prints.insert(path.as_str().to_owned(), self.print(&login.secret)),
                _ => _ = self.prints.remove(path.as_str()),
            }
        }
    }

    /// Whether this is what was copied to `path`; `None` where nothing was.
    pub fn is(&self, path: &RelativePath, secret: &Secret) -> Option<bool> {
        self.prints.get(path.as_str()).map(|print| *print == self.print(secret))
    }

    fn print(&self, secret: &Secret) -> String {
        let digest = Sha256::new().chain_update(&self.salt).chain_update(secret.bytes()).finalize();
        digest.iter().take(8).fold(String::new(), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        })
    }
}
