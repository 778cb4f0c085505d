//! Directory-relative file operations that never follow a link: the only place that touches files.

mod dir;
mod host;
mod identity;
mod lock;
mod remove;
mod write;

pub(crate) use dir::{Dir, Id, Kind, id_at, id_of_target};
pub(crate) use host::{
    FileRead, ReadError, Stamp, absolute, boot_id, canonical, check_owner_and_mode, is_executable, is_networked,
    is_passing, make_private_dirs, random, read_child, read_private, read_regular, remove_empty, short_name, stamp,
    temp_dir, user,
};
pub(crate) use identity::{ForkMutex, PerProcess, process_token};
pub(crate) use lock::{Held, LockError, is_named, open_lock_file, try_flock, unlock};
pub(crate) use remove::{Budget, Removed, remove_tree, remove_whatever};
pub(crate) use write::{
    Staging, Writing, create_file, create_link, is_signed, replace_by_link, replace_file, sign, unsign,
};

pub(crate) use rustix::io::Errno;
