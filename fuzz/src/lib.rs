//! What the targets share: a place to work in, and what must hold there whatever the input.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use agent_venv::{Environment, Error, Options, Spec};

const KEPT: &str = "nobody touches this";
const LOGINS: [(&str, &str); 2] = [(".codex", "auth.json"), (".claude", ".credentials.json")];
const LOGIN: &str = r#"{"OPENAI_API_KEY":"sk-fake"}"#;

/// Set by `fuzz/run` to a directory that is nobody else's; the home and the temporary directory lie in it.
const PLACE: &str = "AVENV_FUZZ_PLACE";

/// A registry, a root for ephemeral environments, a home with fake logins, and something outside of all of them.
pub struct Place(PathBuf);

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Place {
    /// As new: what the last input left is removed.
    pub fn new() -> Self {
        let root = std::env::var_os(PLACE).expect("run the targets by fuzz/run");
        let place = Place(root.into());
        for name in ["registry", "ephemeral", "outside", "home", "tmp"] {
            _ = fs::remove_dir_all(place.at(name));
        }
        for name in ["outside", "tmp"] {
            fs::create_dir(place.at(name)).expect("the place can be written");
        }
        fs::write(place.at("outside/kept"), KEPT).expect("the place can be written");
        for (directory, file) in LOGINS {
            let directory = place.at("home").join(directory);
            fs::create_dir_all(&directory).expect("the place can be written");
            fs::write(directory.join(file), LOGIN).expect("the place can be written");
        }
        place
    }

    pub fn at(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    pub fn options(&self) -> Options {
        let mut options = Options::default();
        options.registry_root = Some(self.at("registry"));
        options.ephemeral_root = Some(self.at("ephemeral"));
        options
    }

    /// The directory of a persistent environment that is not fuzzed.
    pub fn directory_of(&self, environment: &Environment) -> PathBuf {
        let directory = environment.path().parent().expect("a profile lies in a directory");
        assert!(directory.starts_with(self.at("registry/envs")), "{directory:?} is not in the registry");
        directory.to_owned()
    }

    /// Something in `directory` that leads outside.
    pub fn link_out(&self, directory: &Path, name: &str) {
        symlink(self.at("outside"), directory.join(name)).expect("the place can be written");
    }

    /// Nothing outside of the registry and the ephemeral root was touched.
    pub fn check_outside(&self) {
        assert_eq!(fs::read_to_string(self.at("outside/kept")).ok().as_deref(), Some(KEPT));
        assert_eq!(names(&self.at("outside")), ["kept"]);
        for (directory, file) in LOGINS {
            let directory = self.at("home").join(directory);
            assert_eq!(names(&directory), [file]);
            assert_eq!(fs::read_to_string(directory.join(file)).ok().as_deref(), Some(LOGIN));
        }
        for name in names(&self.0) {
            assert!(["registry", "ephemeral", "outside", "home", "tmp"].contains(&&*name), "{name} is new");
        }
    }

    /// After a reap nothing is left in the ephemeral root, nor in the registry's corner for staging and trash.
    pub fn check_nothing_left(&self) {
        if let Err(error) = agent_venv::reap(&self.options()) {
            permitted(&error, &["RegistryUnavailable"]);
            return;
        }
        assert_eq!(names(&self.at("ephemeral")), [""; 0], "an ephemeral environment is left");
        assert_eq!(names(&self.at("registry/.agent-venv")), [""; 0], "staging or trash is left");
    }
}

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// The failure is of one of these kinds, and tells what the contract promises.
pub fn permitted(error: &Error, kinds: &[&str]) {
    assert!(kinds.contains(&error.kind()), "{}: {}", error.kind(), error.message());
    let message = error.message();
    assert!(!message.is_empty() && !message.contains(['\n', '\0']), "{message:?} is not one line");
    assert!(!error.payload().is_empty());
    assert!(matches!(error.events().last(), Some(event) if matches!(event.what, agent_venv::Happened::Failed { .. })));
}

/// Each file and directory of a profile, by its path in it: the mode, and what a file holds or a link leads to.
pub type Tree = BTreeMap<PathBuf, (u32, Option<Vec<u8>>)>;

pub fn tree(profile: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(below) = waiting.pop() {
        for entry in fs::read_dir(profile.join(&below)).expect("a profile can be read").flatten() {
            let path = below.join(entry.file_name());
            let metadata = entry.metadata().expect("a profile can be read");
            let content = match metadata.is_dir() {
                true => None,
                // A login that is shared: a link to the host's.
                false if metadata.is_symlink() => {
                    fs::read_link(entry.path()).ok().map(|to| to.as_os_str().as_bytes().to_vec())
                }
                // The mode may forbid it to its owner.
                false => Some(fs::read(entry.path()).unwrap_or_default()),
            };
            if metadata.is_dir() {
                assert_eq!(metadata.mode() & 0o7777, 0o700, "{path:?} is open to others");
                waiting.push(path.clone());
            }
            tree.insert(path, (metadata.mode() & 0o7777, content));
        }
    }
    tree
}

/// The whole life of an ephemeral and of a persistent environment of one spec: the two hold the same, or fail alike.
pub fn live_through(spec: &Spec, place: &Place) -> Option<Tree> {
    const KINDS: [&str; 2] = ["ProfileSetupFailed", "CredentialsMissing"];
    let options = place.options();
    let ephemeral = Environment::ephemeral(spec, &options).map(|environment| {
        assert!(environment.path().starts_with(place.at("ephemeral")));
        let held = tree(environment.path());
        assert!(environment.envp([]).is_ok());
        environment.destroy(&options).expect("it is destroyed");
        assert!(!environment.path().exists());
        held
    });
    let persistent = Environment::create_or_attach("a", spec, &options).map(|environment| {
        let held = tree(environment.path());
        let again = Environment::attach("a", &options).expect("it is found again");
        assert_eq!(again.path(), environment.path());
        assert_eq!(again.adapter_id(), environment.adapter_id());
        assert_eq!(again.env_overrides(), environment.env_overrides());
        if let Err(error) = again.refresh_credentials(None, &options) {
            permitted(&error, &["InvalidEnvironmentSpec", "CredentialsMissing", "CredentialsConflict"]);
        }
        assert_eq!(tree(environment.path()), held, "a refresh by what was recorded changed the profile");
        assert_eq!(agent_venv::list(&options).expect("it is listed"), ["a"]);
        again.destroy(&options).expect("it is destroyed");
        held
    });
    assert_eq!(agent_venv::list(&options).expect("a list"), [""; 0]);
    place.check_nothing_left();
    place.check_outside();
    match (ephemeral, persistent) {
        (Ok(ephemeral), Ok(persistent)) => {
            assert_eq!(ephemeral, persistent);
            Some(persistent)
        }
        (Err(error), Err(other)) => {
            permitted(&error, &KINDS);
            permitted(&other, &KINDS);
            None
        }
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
            // The two lie at paths of different lengths, and a file's may be too long for one of them.
            permitted(&error, &KINDS[..1]);
            None
        }
    }
}

/// List and attach agree about the `known` names and about those that are listed. Answers whether there was a list.
pub fn agree(known: &[&str], place: &Place) -> bool {
    let options = place.options();
    let listed = match agent_venv::list(&options) {
        Ok(listed) => listed,
        Err(error) => {
            permitted(&error, &["RegistryUnavailable"]);
            return false;
        }
    };
    assert!(listed.is_sorted_by(|a, b| a < b), "{listed:?} is not sorted");
    for name in known.iter().copied().chain(listed.iter().map(String::as_str).take(8)) {
        let exists = listed.iter().any(|listed| listed == name);
        match Environment::attach(name, &options) {
            Ok(environment) => {
                assert!(exists, "{name:?} is attached to, and not listed");
                place.directory_of(&environment);
            }
            Err(error) => {
                permitted(&error, &["EnvironmentNotFound", "RegistryUnavailable"]);
                // A list may trust an index behind which somebody changed a directory, until one name was found missing.
                let exists =
                    exists && agent_venv::list(&options).is_ok_and(|listed| listed.iter().any(|is| is == name));
                assert_eq!(exists, error.kind() != "EnvironmentNotFound", "{name:?}: {}", error.message());
            }
        }
    }
    true
}

/// Repairs twice: the second time there is nothing to do. Answers whether it could.
pub fn repair(place: &Place) -> bool {
    let options = place.options();
    if let Err(error) = agent_venv::repair(&options) {
        permitted(&error, &["RegistryUnavailable"]);
        return false;
    }
    let again = agent_venv::repair(&options).expect("it can be repaired again");
    let changes = [&again.restored, &again.unverified, &again.dropped, &again.removed];
    assert!(again.kept_index.is_none() && changes.iter().all(|change| change.is_empty()), "{again:?}");
    true
}
