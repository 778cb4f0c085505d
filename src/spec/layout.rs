//! Which files a profile gets: the adapter's, with the spec's own laid over them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::adapter::{HostLogin, LoginMode, Share};
use crate::error::{Error, Result};
use crate::json::Invalid;
use crate::map;
use crate::secret::Secret;

use super::{RelativePath, Spec};

const PRIVATE: u32 = 0o600;

/// Files to write: content and mode by path.
pub(crate) type Files<'a> = BTreeMap<RelativePath, (Content<'a>, u32)>;

/// What is written at a path.
pub(crate) enum Content<'a> {
    Seed(Cow<'a, [u8]>),
    /// A credential of the caller's own.
    Own(Secret),
    /// A copy of the host's login.
    Copy(HostLogin),
    /// A symbolic link to the host's login, which is this file.
    Link(PathBuf, HostLogin),
}

impl Content<'_> {
    /// What the file holds; nothing for a link.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Content::Seed(bytes) => bytes,
            Content::Own(secret) => secret.bytes(),
            Content::Copy(login) => login.file_content.as_ref().unwrap_or(&login.secret).bytes(),
            Content::Link(..) => &[],
        }
    }
}

type Check = std::result::Result<(), Invalid>;

impl Spec {
    /// Checks that all files go together.
    pub(super) fn check(&self) -> Check {
        for path in self.seed_files.keys().chain(self.adapter_seeds()) {
            self.check_path("seed_files", path)?;
        }
        for path in self.credentials.keys().chain(&self.host_logins()) {
            self.check_path("credentials", path)?;
        }
        if let Some(path) = self.file_modes.keys().find(|path| !self.writes(path)) {
            return Err(Invalid::new(path.field("file_modes"), "is a mode for a path that nothing writes"));
        }
        if let Some((adapter, options)) = &self.adapter {
            adapter.check(options)?;
        }
        if let Some(trust) = self.trust_file()
            && self.is_login(trust)
        {
            let reason = "is where options.trusted_directories go: leave one of the two out";
            return Err(Invalid::new(trust.field("credentials"), reason));
        }
        self.trusting().map(drop)
    }

    fn trust_file(&self) -> Option<&RelativePath> {
        let (adapter, options) = self.adapter.as_ref()?;
        adapter.trust.as_ref().filter(|_| !options.trusted_directories.is_empty()).map(|trust| &trust.file)
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
        // What an adapter seeds where a login goes stands there without one.
        if self.seed_files.contains_key(path) && self.is_login(path) {
            let reason = "is both a seed file and a credential: keep it in credentials alone";
            return Err(Invalid::new(path.field(place), reason));
        }
        match path.ancestors().find(|dir| self.writes(dir)) {
            Some(file) => Err(blocked(place, path, &file)),
            None => Ok(()),
        }
    }

    fn is_seed(&self, path: &RelativePath) -> bool {
        self.seed_files.contains_key(path) || self.adapter_seeds().any(|seed| seed == path)
    }

    /// What the adapter seeds, the file with the directories to trust too.
    fn adapter_seeds(&self) -> impl Iterator<Item = &RelativePath> {
        self.adapter.iter().flat_map(|(adapter, _)| adapter.seed_files.keys()).chain(self.trust_file())
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
            let logins = self.host_logins();
            self.adapter_seeds().chain(&logins).find(|file| file.is_below(path)).cloned()
        })
    }

    /// Where logins of the host go, as copies or links; a credential of the spec's own takes the place of one.
    fn host_logins(&self) -> BTreeSet<RelativePath> {
        let wanted = self.adapter.iter().filter(|(adapter, options)| match options.login {
            LoginMode::Copy => true,
            LoginMode::Share => matches!(adapter.share, Some(Share::Link)),
            LoginMode::None | LoginMode::Token => false,
        });
        let paths = wanted.flat_map(|(adapter, _)| adapter.login.iter().map(|login| login.profile.clone()));
        map::set(paths.filter(|path| !self.credentials.contains_key(path) && !self.creators.contains(path)))
    }

    fn mode(&self, path: &RelativePath) -> u32 {
        self.file_modes.get(path).copied().unwrap_or(PRIVATE)
    }

    /// The seed files, and the credentials as they are now.
    pub(crate) fn files(&self) -> Result<(Files<'_>, Files<'static>)> {
        let (mut seeds, credentials) = (self.seeds()?, self.all_credentials()?);
        seeds.retain(|path, _| !credentials.contains_key(path));
        Ok((seeds, credentials))
    }

    fn seeds(&self) -> Result<Files<'_>> {
        let adapter = self.adapter.iter().flat_map(|(adapter, _)| &adapter.seed_files);
        let all = adapter.chain(&self.seed_files);
        let mut files: Files<'_> =
            map::map(all.map(|(path, content)| (path.clone(), (Content::Seed(content.into()), self.mode(path)))));
        if let Some((path, content)) = self.trusting()? {
            let mode = self.mode(&path);
            files.insert(path, (Content::Seed(content.into()), mode));
        }
        Ok(files)
    }

    /// The seed file that the directories to trust are written into, where there are any.
    fn trusting(&self) -> std::result::Result<Option<(RelativePath, Vec<u8>)>, Invalid> {
        let Some((adapter, options)) = &self.adapter else { return Ok(None) };
        let Some(trust) = adapter.trust.as_ref().filter(|_| !options.trusted_directories.is_empty()) else {
            return Ok(None);
        };
        let without = self.seed_files.get(&trust.file).or_else(|| adapter.seed_files.get(&trust.file));
        let content = trust.apply(without.map_or(&[], Vec::as_slice), &options.trusted_directories)?;
        Ok(Some((trust.file.clone(), content)))
    }

    /// All credentials: those of the spec, and the host's login as it is now.
    pub(crate) fn all_credentials(&self) -> Result<Files<'static>> {
        let own = self.credentials.iter();
        let mut files: Files<'static> =
            map::map(own.map(|(path, secret)| (path.clone(), (Content::Own(secret.clone()), self.mode(path)))));
        let Some((adapter, options)) = &self.adapter else { return Ok(files) };
        if self.shares_by_variable() {
            // It must be there to be used.
            adapter.read_logins(&adapter.login.iter().map(|login| login.profile.clone()).collect())?;
        }
        for (path, host) in adapter.read_logins(&self.host_logins())? {
            let mode = self.mode(&path);
            let file = host.file.as_ref().map(|file| file.path.clone());
            let content = match (options.login, file) {
                (LoginMode::Share, Some(file)) => Content::Link(file, host),
                (LoginMode::Share, None) => {
                    let reason =
                        "is \"share\", and the host's login is in the Keychain, to which no link leads; use \"copy\"";
                    return Err(Error::invalid("options.login", reason));
                }
                _ => Content::Copy(host),
            };
            files.insert(path, (content, mode));
        }
        Ok(files)
    }

    /// Whether the agent uses the host's login in place, led there by a variable.
    pub(crate) fn shares_by_variable(&self) -> bool {
        let adapter = self.adapter.as_ref();
        adapter.is_some_and(|(adapter, options)| {
            options.login == LoginMode::Share && matches!(adapter.share, Some(Share::Variable(_)))
        })
    }

    /// The variable that leads to the login where it is not in the profile, with its value now. It is handed over at each
    /// attach, and recorded nowhere: it may be a token.
    pub(crate) fn handed(&self) -> Result<Option<(String, Secret)>> {
        let Some((adapter, options)) = &self.adapter else { return Ok(None) };
        match (options.login, &adapter.token, &adapter.share) {
            (LoginMode::Token, Some(variable), _) => {
                Ok(Some((variable.clone(), adapter.read_token(variable, options)?)))
            }
            (LoginMode::Share, _, Some(Share::Variable(variable))) => {
                let directory = adapter.login.iter().find_map(|login| login.moved_directory());
                let directory = directory.unwrap_or_default().into_os_string();
                Ok(Some((variable.clone(), Secret::new(directory.into_vec()))))
            }
            _ => Ok(None),
        }
    }
}

fn blocked(place: &str, path: &RelativePath, file: &RelativePath) -> Invalid {
    Invalid::new(path.field(place), format!("needs a directory where {:?} is a file", file.as_str()))
}
