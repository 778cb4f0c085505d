//! A spec as JSON: refused with its field, or an environment holds exactly what it says.
//!
//! The input is the text, or, after a zero byte, instructions for one that is well formed: few changes to a text leave it so.
#![no_main]

use agent_venv::{Failure, Spec};
use agent_venv_fuzz::{Place, live_through};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};

const COMPONENTS: [&str; 10] = ["a", "b", "ab", "c", "a.b", "\u{e9}", "..", "", "$EPHEMERAL_HOME", "\n"];

fn composed(data: &[u8]) -> String {
    let mut bytes = data.iter().copied().map(usize::from);
    let mut next = || bytes.next();
    let mut fields: [Map<String, Value>; 4] = Default::default();
    let mut paths = Vec::new();
    while let (Some(what), Some(value)) = (next(), next()) {
        let path = match what % 4 {
            // A mode is for a file that is there.
            2 if !paths.is_empty() => String::clone(&paths[what / 4 % paths.len()]),
            _ => (0..what / 4 % 3 + 1).map_while(|_| next()).map(|n| COMPONENTS[n % 10]).collect::<Vec<_>>().join("/"),
        };
        let value = match what % 4 {
            2 => json!(value * 2),
            _ => json!(COMPONENTS[value % 10].repeat(value)),
        };
        paths.push(path.clone());
        fields[what % 4].insert(path, value);
    }
    let [seed_files, credentials, file_modes, env_overrides] = fields;
    json!({"seed_files": seed_files, "credentials": credentials, "file_modes": file_modes, "env_overrides": env_overrides})
        .to_string()
}

fuzz_target!(|data: &[u8]| {
    let text = match data.split_first() {
        Some((0, instructions)) => composed(instructions),
        _ => String::from_utf8_lossy(data).into_owned(),
    };
    let text = text.as_str();
    let spec = match Spec::from_json(text) {
        Ok(spec) => spec,
        Err(error) => {
            assert!(matches!(error.failure(), Failure::InvalidEnvironmentSpec { field, .. } if !field.is_empty()));
            return;
        }
    };
    let place = Place::new();
    let Some(held) = live_through(&spec, &place) else { return };
    let value: Value = serde_json::from_str(text).expect("what was taken is JSON");
    let modes = &value["file_modes"];
    for field in ["seed_files", "credentials"] {
        for (path, content) in value[field].as_object().into_iter().flatten() {
            let mode = modes[path].as_u64().unwrap_or(0o600);
            let (is, found) = &held[path.as_ref() as &std::path::Path];
            assert_eq!(u64::from(*is), mode, "mode of {path:?}");
            if mode & 0o400 != 0 {
                assert_eq!(found.as_deref(), content.as_str().map(str::as_bytes), "content of {path:?}");
            }
        }
    }
});
