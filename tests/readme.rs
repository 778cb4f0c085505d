//! What the README shows is what was run: each quick start is a file that a test runs, quoted whole.

use std::path::Path;

#[test]
fn every_quick_start_is_quoted_from_the_file_that_is_tested() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md"))?;
    for (language, file) in [
        ("c", "bindings/c/examples/quickstart.c"),
        ("cpp", "bindings/cpp/examples/quickstart.cpp"),
        ("go", "bindings/go/example/main.go"),
        ("js", "bindings/node/examples/quickstart.mjs"),
        ("python", "bindings/python/examples/quickstart.py"),
        ("rust", "bindings/rust/quickstart.rs"),
    ] {
        let quoted = format!("```{language}\n{}```\n", std::fs::read_to_string(root.join(file))?);
        assert!(readme.contains(&quoted), "README.md does not quote {file} as it is");
    }
    Ok(())
}
