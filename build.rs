//! Gives the shared library the name and the flag that its users rely on.

/// Number of the binary interface: the suffix of the soname, told at run time by `avenv_abi_version()`.
const ABI_VERSION: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=AGENT_VENV_ABI_VERSION={ABI_VERSION}");
    match std::env::var("CARGO_CFG_TARGET_OS").as_deref() {
        Ok("linux") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libagent_venv.so.{ABI_VERSION}");
            // A process that unloads us would drop the flock that says its environments are alive.
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
        Ok("macos") => {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-install_name,@rpath/libagent_venv.{ABI_VERSION}.dylib");
        }
        _ => {}
    }
}
