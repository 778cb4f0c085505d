//! Replacing the credentials of an ephemeral environment.

use std::thread;

use crate::adapter::{RETRIES, RETRY_EVERY};
use crate::error::Result;
use crate::fs::{self, Staging};
use crate::login::{self, Copied, Ready};
use crate::options::Options;
use crate::profile::{Profile, Written};
use crate::spec::Files;

use super::Home;

impl Home {
    /// Replaces credentials, if `prepare` lets it; it is told whether it is the last try. For one thread at a time: no other
    /// process writes here, so that what was read is still what the host has.
    pub fn refresh(
        &self,
        copied: &mut Copied,
        options: &Options,
        mut credentials: Files<'_>,
        prepare: impl Fn(&login::Profile<'_>, &mut Files<'_>, bool) -> Result<Ready>,
    ) -> Result<Written> {
        let path = self.path();
        self.with_profile(|dir, process| {
            for tries in (0..=RETRIES).rev() {
                let profile = login::Profile { dir, path: &path, copied };
                if prepare(&profile, &mut credentials, tries == 0)? == Ready::Yes {
                    break;
                }
                thread::sleep(RETRY_EVERY);
            }
            copied.expect(&credentials);
            let staging = Staging { dir: process, name: &format!(".new-{}", fs::short_name(fs::random())) };
            let profile = Profile { dir, path: &path, durable: options.durable };
            let written = profile.replace(&credentials, &staging)?;
            copied.settle(&credentials);
            Ok(written)
        })
    }
}
