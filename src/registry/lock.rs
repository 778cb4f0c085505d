//! The registry's lock: advisory, exclusive, shared with other implementations.

use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::fs::{self, Errno};
use crate::options::Options;

use super::Registry;

pub(super) const FILE: &str = ".lock";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(2);

/// Held until it is dropped. A holder that dies frees it.
pub(super) struct Lock {
    pub file: OwnedFd,
    /// Whether the registry was sound when it was locked.
    pub sound: bool,
}

impl Registry {
    pub(super) fn lock(&self, options: &Options) -> Result<Lock> {
        let timeout = options.lock_timeout.unwrap_or(DEFAULT_TIMEOUT);
        // None: further away than this clock reaches.
        let deadline = Instant::now().checked_add(timeout);
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(lock) = self.try_lock()? {
                return Ok(lock);
            }
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let reason = format!(
                    "another process has held the lock for {} ms: try again, or find out which (fuser, lslocks)",
                    timeout.as_millis()
                );
                return Err(self.unavailable(FILE, &reason));
            }
            // Jitter, so that those who wait don't wake as one.
            let jitter = (fs::random() >> 56) as u32;
            thread::sleep((pause * (256 + jitter) / 512).min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The lock, unless somebody holds it.
    pub(super) fn try_lock(&self) -> Result<Option<Lock>> {
        loop {
            let file = fs::open_lock_file(&self.dir, FILE).map_err(|error| self.trouble(FILE, error))?;
            match fs::try_flock(&file) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(self.trouble(FILE, error)),
            }
            let mut lock = Lock { file, sound: false };
            // Somebody may have removed the whole registry meanwhile, and made it anew.
            let stands = fs::is_named(&lock.file, &self.dir, FILE).map_err(|error| self.trouble(FILE, error))?;
            if !stands {
                return Ok(None);
            }
            lock.sound = self.is_sound_or_blank();
            return Ok(Some(lock));
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Unlocked, not only closed: a child that another thread forked meanwhile shares the descriptor, and would hold
        // the lock for as long as it lives.
        fs::unlock(&self.file);
    }
}
