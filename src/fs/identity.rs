//! Which process this is, told without process ids: those repeat, and differ between namespaces.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use super::host::random;

/// A number of this process's own, never 0. A forked child has another one.
pub(crate) fn process_token() -> u64 {
    let token = token_page();
    // The process id in the token tells parent and child apart where the kernel can't wipe memory on fork.
    let pid = if IS_WIPED.load(Ordering::Acquire) { 0 } else { u64::from(std::process::id()) };
    let known = token.load(Ordering::Acquire);
    if known != 0 && known & 0xffff_ffff == pid {
        return known;
    }
    let new = random() << 32 | pid;
    match token.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => new,
        Err(other_thread) => other_thread,
    }
}

/// Whether the kernel wipes the page of the token on fork.
static IS_WIPED: AtomicBool = AtomicBool::new(false);

/// The token, in memory that reads as zero in a forked child (where the kernel can do that).
fn token_page() -> &'static AtomicU64 {
    static PAGE: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());
    let present = PAGE.load(Ordering::Acquire);
    let page = if present.is_null() { publish(&PAGE, new_page()) } else { present };
    // SAFETY: PAGE only ever holds a valid, aligned atomic that is never freed.
    unsafe { &*page }
}

/// Stores `new` unless another thread was first; answers what is stored. Whoever loses leaks one page.
fn publish<T>(place: &AtomicPtr<T>, new: *mut T) -> *mut T {
    match place.compare_exchange(ptr::null_mut(), new, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => new,
        Err(other_thread) => other_thread,
    }
}

fn new_page() -> *mut AtomicU64 {
    wiped_page().map_or_else(|| Box::into_raw(Box::new(AtomicU64::new(0))), NonNull::as_ptr)
}

#[cfg(target_os = "linux")]
fn wiped_page() -> Option<NonNull<AtomicU64>> {
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
    let size = size_of::<AtomicU64>(); // the kernel makes whole pages of it
    // SAFETY: a new private mapping at an address of the kernel's choice touches no memory that exists.
    let memory =
        unsafe { mmap_anonymous(ptr::null_mut(), size, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE) };
    let memory = memory.ok()?;
    // SAFETY: the mapping is ours, of this size, and nothing reads it yet. It stays mapped if the advice is refused: it
    // then works as any memory does.
    let advised = unsafe { madvise(memory, size, Advice::LinuxWipeOnFork) };
    IS_WIPED.store(advised.is_ok(), Ordering::Release);
    NonNull::new(memory.cast())
}

#[cfg(not(target_os = "linux"))]
fn wiped_page() -> Option<NonNull<AtomicU64>> {
    None
}

/// A value of which each process has its own: a forked child starts with a new one, and never waits for a lock that a
/// thread of its parent held.
pub(crate) struct PerProcess<T: 'static> {
    current: AtomicPtr<Node<T>>,
}

struct Node<T: 'static> {
    token: u64,
    value: T,
    /// The parent's, never used again; kept so that leak checkers see that it is not lost.
    _inherited: *mut Node<T>,
}

impl<T: Default + Send + Sync> PerProcess<T> {
    pub const fn new() -> Self {
        PerProcess { current: AtomicPtr::new(ptr::null_mut()) }
    }

    pub fn get(&'static self) -> &'static T {
        let token = process_token();
        loop {
            let current = self.current.load(Ordering::Acquire);
            // SAFETY: `current` is null or came from Box::into_raw below, and no node is ever freed once stored.
            let node = unsafe { current.as_ref() };
            if let Some(node) = node.filter(|node| node.token == token) {
                return &node.value;
            }
            let new = Box::into_raw(Box::new(Node { token, value: T::default(), _inherited: current }));
            if self.current.compare_exchange(current, new, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // SAFETY: `new` came from Box::into_raw just now and was not stored, so nobody else knows it.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }
}

/// A lock that a forked child never waits for in vain: a thread of its parent may have held it at the fork, and is not
/// there to give it back.
pub(crate) struct ForkMutex<T> {
    /// Where whoever holds it gives it back: the process that made it, or a child in which somebody has got it once.
    works_in: AtomicU64,
    mutex: Mutex<T>,
}

/// How long a child doubts whether another thread of its own has just got the lock.
const DOUBT: Duration = Duration::from_millis(100);

impl<T> ForkMutex<T> {
    pub fn new(value: T) -> Self {
        ForkMutex { works_in: AtomicU64::new(process_token()), mutex: Mutex::new(value) }
    }

    /// `None` where it was held at the fork that made this process.
    pub fn lock(&self) -> Option<MutexGuard<'_, T>> {
        let process = process_token();
        let works_here = || self.works_in.load(Ordering::Acquire) == process;
        let began = Instant::now();
        while !works_here() {
            // Tried, and never waited for: how threads wait is the parent's state, too.
            if let Some(guard) = self.mutex.try_lock() {
                self.works_in.store(process, Ordering::Release);
                return Some(guard);
            }
            if began.elapsed() > DOUBT {
                return None;
            }
            thread::yield_now();
        }
        Some(self.mutex.lock())
    }

    pub fn get_mut(&mut self) -> &mut T {
        self.mutex.get_mut()
    }
}
