//! Which files a profile gets: the adapter's, with the spec's own laid over them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::error::Result;
use crate::json::Invalid;
use crate::secret::Secret;

use super::{RelativePath, Spec};

const PRIVATE: u32 = 0o600;

/// Files to write: content and mode by path.
pub(crate) type Files<T> = BTreeMap<RelativePath, (T, u32)>;

type Check = std::result::Result<(), Invalid>;

impl Spec {
    /// Checks that all files go together.
    pub(super) fn check(&self) -> Check {
        let adapter_seeds = self.adapter.iter().flat_map(|(adapter, _)| adapter.seed_files.keys());
        for path in self.seed_files.keys().chain(adapter_seeds) {
            self.check_path("seed_files", path)?;
        }
        for path in self.credentials.keys().chain(&self.host_logins()) {
            self.check_path("credentials", path)?;
        }
        match self.file_modes.keys().find(|path| !self.writes(path)) {
            Some(path) => Err(Invalid::new(path.field("file_modes"), "is a mode for a path that nothing writes")),
            None => Ok(()),
        }
    }

    /// Checks a path that was just added to `place`.
    pub(super) fn check_added(&self, place: &str, path: &RelativePath) -> Check {
        self.check_path(place, path)?;
        match self.below(path) {
            Some(file) => {
                Err(Invalid::new(path.field(place), format!("is a directory on the way to {:?}", file.as_str())))
            }
            None => Ok(()),
        }
    }

    fn check_path(&self, place: &str, path: &RelativePath) -> Check {
        if self.is_seed(path) && self.is_login(path) {
            let reason = "is both a seed file and a credential: keep it in credentials alone";
            return Err(Invalid::new(path.field(place), reason));
        }
        match path.ancestors().find(|dir| self.writes(dir)) {
            Some(file) => Err(blocked(place, path, &file)),
            None => Ok(()),
        }
    }

    fn is_seed(&self, path: &RelativePath) -> bool {
        let adapter = self.adapter.as_ref();
        self.seed_files.contains_key(path) || adapter.is_some_and(|(adapter, _)| adapter.seed_files.contains_key(path))
    }

    pub(super) fn is_login(&self, path: &RelativePath) -> bool {
        self.credentials.contains_key(path) || self.host_logins().contains(path)
    }

    fn writes(&self, path: &RelativePath) -> bool {
        self.is_seed(path) || self.is_login(path)
    }

    /// A file that needs `path` to be a directory.
    fn below(&self, path: &RelativePath) -> Option<RelativePath> {
        let first = |place: Option<&RelativePath>| place.filter(|file| file.is_below(path)).cloned();
        let start = (Bound::Included(path.as_directory()), Bound::Unbounded);
        let own = first(self.seed_files.range(start.clone()).next().map(|(file, _)| file))
            .or_else(|| first(self.credentials.range(start).next().map(|(file, _)| file)));
        own.or_else(|| {
            let (adapter, _) = self.adapter.as_ref()?;
            let logins = self.host_logins();
            adapter.seed_files.keys().chain(&logins).find(|file| file.is_below(path)).cloned()
        })
    }

    /// Where logins that are read from the host go; a credential of the spec's own takes the place of one.
    fn host_logins(&self) -> BTreeSet<RelativePath> {
        let wanted = self.adapter.iter().filter(|(_, options)| options.load_credentials);
        let paths = wanted.flat_map(|(adapter, _)| adapter.login.iter().map(|login| login.profile.clone()));
        paths.filter(|path| !self.credentials.contains_key(path) && !self.creators.contains(path)).collect()
    }

    fn mode(&self, path: &RelativePath) -> u32 {
        self.file_modes.get(path).copied().unwrap_or(PRIVATE)
    }

    /// The seed files.
    pub(crate) fn seeds(&self) -> Files<&[u8]> {
        let adapter = self.adapter.iter().flat_map(|(adapter, _)| &adapter.seed_files);
        let all = adapter.chain(&self.seed_files);
        all.map(|(path, content)| (path.clone(), (content.as_slice(), self.mode(path)))).collect()
    }

    /// The credentials that the spec itself holds.
    pub(crate) fn literal_credentials(&self) -> Files<Secret> {
        let literal = self.credentials.iter();
        literal.map(|(path, secret)| (path.clone(), (secret.clone(), self.mode(path)))).collect()
    }

    /// All credentials: those of the spec, and the host's login as it is now.
    pub(crate) fn all_credentials(&self) -> Result<Files<Secret>> {
        let mut files = self.literal_credentials();
        if let Some((adapter, _)) = &self.adapter {
            for (path, secret) in adapter.read_logins(&self.host_logins())? {
                let mode = self.mode(&path);
                files.insert(path, (secret, mode));
            }
        }
        Ok(files)
    }
}

fn blocked(place: &str, path: &RelativePath, file: &RelativePath) -> Invalid {
    Invalid::new(path.field(place), format!("needs a directory where {:?} is a file", file.as_str()))
}
