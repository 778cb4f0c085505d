//! An adapter's definition and, after a zero byte, its options: refused, or all that is made of them works.
#![no_main]

use agent_venv::{Spec, adapter_argv, ensure_available};
use agent_venv_fuzz::{Place, live_through, permitted};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let (definition, options) = match text.split_once('\0') {
        Some((definition, options)) => (definition, Some(options)),
        None => (text, None),
    };
    if let Err(error) = adapter_argv(definition, options) {
        permitted(&error, &["InvalidEnvironmentSpec"]);
    }
    if let Err(error) = ensure_available(definition) {
        permitted(&error, &["InvalidEnvironmentSpec", "AdapterUnavailable"]);
    }
    match Spec::for_adapter(definition, options) {
        Ok(spec) => _ = live_through(&spec, &Place::new()),
        Err(error) => permitted(&error, &["InvalidEnvironmentSpec"]),
    }
});
