//! The C ABI. Each export decodes its arguments, makes one call into the core, and encodes the answer; the conventions
//! are told once, at the top of the header (`cbindgen.toml` holds that text).
//!
//! Every export's body is one `guard!`, which keeps panics in, checks and clears the outputs, and leaves `errno` alone.
#![allow(non_camel_case_types)]
// The contract of every export is the header's: pointers are NULL or valid, and strings end with NUL.
#![allow(clippy::missing_safety_doc)]

mod guard;
mod text;

// In the order of the header.
pub mod library;
pub mod error;
pub mod spec;
pub mod options;
pub mod environment;
pub mod housekeeping;
pub mod adapter;
