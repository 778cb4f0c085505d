//! Environment blocks: an array of strings that ends with NULL.

use std::ffi::{CStr, OsStr, OsString, c_char};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::ptr;

use zeroize::Zeroize;

use crate::ffi::guard::Output;

/// The entries of a caller's block; those of this process for NULL.
///
/// # Safety
/// `base` is NULL or an array of strings that ends with NULL.
pub(super) unsafe fn base(base: *const *const c_char) -> Vec<OsString> {
    if base.is_null() {
        let joined = |(name, value): (OsString, OsString)| [name, value].join(OsStr::new("="));
        return std::env::vars_os().map(joined).collect();
    }
    let mut entries = Vec::new();
    for i in 0.. {
        // SAFETY: the array ends with NULL, and no entry before this one was NULL.
        let entry = unsafe { *base.add(i) };
        if entry.is_null() {
            break;
        }
        // SAFETY: each entry before the NULL is a string.
        let entry = unsafe { CStr::from_ptr(entry) };
        entries.push(OsString::from_vec(entry.to_bytes().to_vec()));
    }
    entries
}

/// One allocation: its size in words, the pointers, NULL, and the strings. So it can be freed whatever the caller did
/// to the pointers.
pub(super) struct Block {
    words: Box<[usize]>,
    count: usize,
    entries: Vec<OsString>,
}

impl Block {
    pub fn new(entries: Vec<OsString>) -> Self {
        let bytes: usize = entries.iter().map(|entry| entry.len() + 1).sum();
        let size = 1 + entries.len() + 1 + bytes.div_ceil(size_of::<usize>());
        let mut words = vec![0; size].into_boxed_slice();
        words[0] = size;
        Block { words, count: entries.len(), entries }
    }
}

impl Output for Block {
    type Raw = *mut c_char;

    fn into_raw(self) -> *mut *mut c_char {
        let block = Box::into_raw(self.words).cast::<*mut c_char>();
        // SAFETY: the block has room for its size, `count` pointers and NULL, and behind these for all strings with
        // their ends; it is zeroed, so that NULL and the ends stand already.
        unsafe {
            let pointers = block.add(1);
            let mut string = pointers.add(self.count + 1).cast::<c_char>();
            for (i, entry) in self.entries.iter().enumerate() {
                *pointers.add(i) = string;
                ptr::copy_nonoverlapping(entry.as_bytes().as_ptr().cast(), string, entry.len());
                string = string.add(entry.len() + 1);
            }
            self.entries.into_iter().for_each(|entry| entry.into_vec().zeroize());
            pointers
        }
    }
}

/// # Safety
/// `envp` is NULL or came from [`Block::into_raw`], and is not used again.
pub(super) unsafe fn free(envp: *mut *mut c_char) {
    if envp.is_null() {
        return;
    }
    // SAFETY: the word before the pointers is the size of the whole, which was a box of that many words.
    unsafe {
        let block = envp.sub(1).cast::<usize>();
        let mut block = Box::from_raw(ptr::slice_from_raw_parts_mut(block, *block));
        // A token may be among them.
        block.zeroize();
    }
}
