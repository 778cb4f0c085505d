//! Which logins were copied into a profile, so that a later look can tell which side has changed since.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::map;
use crate::secret::Secret;
use crate::spec::{Content, Files, RelativePath};

/// What SHA-256 hashes at a time.
const BLOCK: usize = 64;

/// A fingerprint of each login that was copied: 64 bits of a hash with the environment's own salt, so that equal logins of two
/// profiles can't be told by them.
///
/// While a copy is being replaced there are two for it: whoever dies in between must not make a foreign login of either.
#[derive(Clone, Default)]
pub(crate) struct Copied {
    salt: Arc<str>,
    prints: BTreeMap<String, Vec<String>>,
}

impl Copied {
    pub fn new(salt: impl Into<Arc<str>>, files: &Files<'_>) -> Self {
        let mut copied = Copied { salt: salt.into(), prints: BTreeMap::new() };
        copied.settle(files);
        copied
    }

    /// From what was recorded.
    pub fn from_record(salt: impl Into<Arc<str>>, record: Option<&Value>) -> Self {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let prints = record.and_then(Value::as_object).into_iter().flatten();
        let prints = prints
            .map(|(path, prints)| (path.clone(), prints.as_array().into_iter().flatten().filter_map(text).collect()));
        Copied { salt: salt.into(), prints: map::map(prints) }
    }

    /// What is recorded; `None` where there is nothing.
    pub fn record(&self) -> Option<Value> {
        let mut record = Map::new();
        for (path, prints) in &self.prints {
            record.insert(path.clone(), prints.as_slice().into());
        }
        (!record.is_empty()).then_some(Value::Object(record))
    }

    /// Notes what is about to be copied, beside what was. Answers whether there is anything new.
    pub fn expect(&mut self, files: &Files<'_>) -> bool {
        let mut new = false;
        for (path, (content, _)) in files {
            if let Content::Copy(login) = content {
                let print = self.print(&login.secret);
                let prints = self.prints.entry(path.as_str().to_owned()).or_default();
                if !prints.contains(&print) {
                    prints.push(print);
                    new = true;
                }
            }
        }
        new
    }

    /// Notes what was copied, in the place of what was before.
    pub fn settle(&mut self, files: &Files<'_>) {
        for (path, (content, _)) in files {
            match content {
                Content::Copy(login) => {
                    _ = self.prints.insert(path.as_str().to_owned(), vec![self.print(&login.secret)]);
                }
                _ => _ = self.prints.remove(path.as_str()),
            }
        }
    }

    /// Whether this is what was copied to `path`; `None` where nothing was.
    pub fn is(&self, path: &RelativePath, secret: &Secret) -> Option<bool> {
        self.prints.get(path.as_str()).map(|prints| prints.contains(&self.print(secret)))
    }

    fn print(&self, secret: &Secret) -> String {
        // In whole blocks, which are hashed where they stand: of a part of one the hasher would keep a copy on the stack.
        let length = self.salt.len() + secret.bytes().len();
        let mut blocks = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(BLOCK)));
        blocks.extend_from_slice(self.salt.as_bytes());
        blocks.extend_from_slice(secret.bytes());
        blocks.resize(length.next_multiple_of(BLOCK), 0);
        let digest = Sha256::digest(&*blocks);
        digest.iter().take(8).fold(String::new(), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        })
    }
}
