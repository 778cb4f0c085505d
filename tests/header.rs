//! The header is generated, and what stands in the tree is current.

use std::path::Path;

#[test]
fn checked_in_header_is_what_the_source_generates() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    let mut generated = Vec::new();
    cbindgen::Builder::new().with_crate(root).with_config(config).generate()?.write(&mut generated);
    let header = root.join("include/agent_venv.h");
    if std::env::var_os("AGENT_VENV_WRITE_HEADER").is_some() {
        std::fs::create_dir_all(root.join("include"))?;
        std::fs::write(&header, &generated)?;
    }
    let current = std::fs::read(&header)? == generated;
    assert!(current, "include/agent_venv.h is not what src/ffi generates: run `make header`");
    Ok(())
}
