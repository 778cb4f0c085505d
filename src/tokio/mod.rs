//! The same, awaited: for programs that run on tokio, and for those that were written for the public `agent-venv` crate.
//!
//! Each call does its work on one of tokio's blocking threads. A call whose future is dropped goes on to its end there; an
//! ephemeral environment that it makes is then removed at once.
//!
//! ```no_run
//! use agent_venv::tokio::adapters::{AgentAdapter, ClaudeCode};
//! use agent_venv::tokio::Environment;
//!
//! # async fn example() -> agent_venv::Result<()> {
//! let mut env = Environment::ephemeral(ClaudeCode::new().build_spec()?).await?;
//! println!("{} {:?}", env.path().display(), env.env_overrides());
//! env.destroy().await?;
//! # Ok(())
//! # }
//! ```

pub mod adapters;
mod data_adapter;
mod spec;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::{Event, LoginStatus, Options, Spec};

pub use spec::{EnvironmentSpec, EnvironmentSpecBuilder};

/// What an environment can be made from.
pub trait IntoSpec {
    /// The spec, checked.
    fn into_spec(self) -> Result<Spec>;
}

impl IntoSpec for Spec {
    fn into_spec(self) -> Result<Spec> {
        Ok(self)
    }
}

/// An [`Environment`](crate::Environment) whose calls are awaited.
///
/// Dropping it removes an ephemeral environment, on the dropping thread, and detaches from a persistent one.
#[derive(Debug)]
pub struct Environment {
    inner: Arc<crate::Environment>,
    /// For later calls too.
    options: Options,
    env_overrides: HashMap<String, String>,
}

impl Environment {
    /// Makes an environment that lives until it is destroyed or dropped.
    pub async fn ephemeral<S: IntoSpec>(spec: S) -> Result<Self> {
        Self::ephemeral_with(spec, Options::default()).await
    }

    /// [`ephemeral`](Self::ephemeral) with options.
    pub async fn ephemeral_with<S: IntoSpec>(spec: S, options: Options) -> Result<Self> {
        let spec = spec.into_spec()?;
        let later = options.clone();
        blocking(move || crate::Environment::ephemeral(&spec, &options)).await.map(|inner| Self::new(inner, later))
    }

    /// Attaches to the environment `name`, creating it where there is none.
    pub async fn create_or_attach<S: IntoSpec>(name: &str, spec: S, registry_root: Option<&Path>) -> Result<Self> {
        Self::create_or_attach_with(name, spec, at(registry_root)).await
    }

    /// [`create_or_attach`](Self::create_or_attach) with options.
    pub async fn create_or_attach_with<S: IntoSpec>(name: &str, spec: S, options: Options) -> Result<Self> {
        let (name, spec) = (name.to_owned(), spec.into_spec()?);
        let later = options.clone();
        let created = blocking(move || crate::Environment::create_or_attach(&name, &spec, &options)).await;
        created.map(|inner| Self::new(inner, later))
    }

    /// Attaches to the environment `name`, and never creates it.
    pub async fn attach(name: &str, registry_root: Option<&Path>) -> Result<Self> {
        Self::attach_with(name, at(registry_root)).await
    }

    /// [`attach`](Self::attach) with options.
    pub async fn attach_with(name: &str, options: Options) -> Result<Self> {
        let name = name.to_owned();
        let later = options.clone();
        blocking(move || crate::Environment::attach(&name, &options)).await.map(|inner| Self::new(inner, later))
    }

    /// The names of all persistent environments, sorted. Not awaited, as in the public crate.
    pub fn list(registry_root: Option<&Path>) -> Result<Vec<String>> {
        crate::list(&at(registry_root))
    }

    /// Destroys the environment `name`. Not awaited, as in the public crate; answers true.
    pub fn destroy_by_name(name: &str, registry_root: Option<&Path>) -> Result<bool> {
        crate::destroy_by_name(name, &at(registry_root)).map(|()| true)
    }

    fn new(inner: crate::Environment, options: Options) -> Self {
        let env_overrides = inner.env_overrides().into_iter().collect();
        Environment { inner: Arc::new(inner), options, env_overrides }
    }

    /// The profile directory.
    pub fn path(&self) -> &Path {
        self.inner.path()
    }

    /// The variables to set for the agent.
    pub fn env_overrides(&self) -> &HashMap<String, String> {
        &self.env_overrides
    }

    /// The variables that the agent must not inherit.
    pub fn env_unset(&self) -> Vec<String> {
        self.inner.env_unset()
    }

    /// Which adapter this environment is for.
    pub fn adapter_id(&self) -> &str {
        self.inner.adapter_id()
    }

    /// The name; `None` for an ephemeral environment.
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }

    /// `"ephemeral"` or `"persistent"`.
    pub fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    /// What was done through this handle, in order.
    pub fn events(&self) -> Vec<Event> {
        self.inner.events()
    }

    /// How the profile's login stands to the host's now; see [`login_status`](crate::Environment::login_status).
    pub async fn login_status(&self) -> Result<LoginStatus> {
        let inner = self.inner.clone();
        blocking(move || inner.login_status()).await
    }

    /// Replaces the credentials by the host's login as it is now; see
    /// [`refresh_credentials`](crate::Environment::refresh_credentials).
    pub async fn refresh_credentials(&self, spec: Option<Spec>) -> Result<()> {
        self.refresh_credentials_with(spec, self.options.clone()).await
    }

    /// [`refresh_credentials`](Self::refresh_credentials) with options of its own, such as `force`.
    pub async fn refresh_credentials_with(&self, spec: Option<Spec>, options: Options) -> Result<()> {
        let inner = self.inner.clone();
        blocking(move || inner.refresh_credentials(spec.as_ref(), &options)).await
    }

    /// Removes the profile; see [`destroy`](crate::Environment::destroy). Answers true.
    pub async fn destroy(&mut self) -> Result<bool> {
        let (inner, options) = (self.inner.clone(), self.options.clone());
        blocking(move || inner.destroy(&options)).await.map(|()| true)
    }
}

fn at(registry_root: Option<&Path>) -> Options {
    Options { registry_root: registry_root.map(Path::to_owned), ..Options::default() }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match ::tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Error::misuse("the tokio runtime is shutting down, and takes no more work")),
    }
}
