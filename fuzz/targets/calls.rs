//! Any sequence of calls of the C ABI: arguments of all kinds, NULL, and use after destroy. What the header forbids (a use
//! after free) is not done.
#![no_main]

use std::ffi::{CStr, CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::ptr::null_mut;

use agent_venv::ffi::adapter::*;
use agent_venv::ffi::environment::*;
use agent_venv::ffi::error::*;
use agent_venv::ffi::housekeeping::*;
use agent_venv::ffi::library::*;
use agent_venv::ffi::options::*;
use agent_venv::ffi::spec::*;
use agent_venv_fuzz::Place;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const SLOTS: usize = 3;
const MOST_CALLS: usize = 64;

const TEXTS: [&[u8]; 22] = [
    b"",
    b"a",
    b"b/c",
    b"../outside/kept",
    b"/outside",
    b"\xff",
    b"A",
    b"A=B",
    b"$EPHEMERAL_HOME/x",
    b"generic",
    b"codex",
    b"claude-code",
    b"{",
    b"{}",
    br#"{"load_credentials":false}"#,
    br#"{"model":"m","extra_argv":["x"]}"#,
    br#"{"adapter":"codex"}"#,
    br#"{"adapter_id":"mine","seed_files":{"a":"x","b/c":"y"},"credentials":{"token":"t"}}"#,
    br#"{"adapter_id":"mine","env_overrides":{"A":"$EPHEMERAL_HOME"},"file_modes":{"a":448},"seed_files":{"a":"x"}}"#,
    br#"{"id":"own","program":"sh","login":[{"profile":"l","host":[{"file":"~/.codex/auth.json"}]}]}"#,
    br#"{"id":"own","argv":["{program}",["--m","{model}"],"{extra_argv}"],"program":"true"}"#,
    b"{\"seed_files\":{\"a\":\"1\",\"a\":\"2\"}}",
];

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first)
    }

    /// NULL, one of the table, or bytes of the input.
    fn text(&mut self) -> Option<CString> {
        match self.byte() {
            0 => None,
            n if n < 200 => CString::new(TEXTS[n % TEXTS.len()]).ok(),
            n => {
                let (text, rest) = self.0.split_at((n - 200).min(self.0.len()));
                self.0 = rest;
                CString::new(text.split(|byte| *byte == 0).next().unwrap_or_default()).ok()
            }
        }
    }

    /// A root: what is no root of ours lies nowhere or is refused.
    fn root(&mut self, place: &Place) -> Option<CString> {
        let below = match self.byte() % 8 {
            0 => return None,
            1 => return CString::new("").ok(),
            2 => return CString::new(b"\xff".as_slice()).ok(),
            3 => "outside/kept",
            4 => "outside/kept/no",
            5 => "registry/envs/nested",
            6 => "ephemeral",
            _ => "registry",
        };
        CString::new(place.at(below).as_os_str().as_bytes()).ok()
    }
}

fn pointer(text: &Option<CString>) -> *const c_char {
    text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr())
}

/// Text that an object lends; None for NULL.
fn lent<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: it is NULL, or lives as long as its object, which is not freed while the text is used.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_str().expect("it is UTF-8"))
}

fn check_json(text: *const c_char) {
    if let Some(text) = lent(text) {
        serde_json::from_str::<Value>(text).expect("it is JSON");
    }
}

/// Status, error and output agree; the error is freed.
unsafe fn check(status: avenv_status, asked: bool, error: *mut avenv_error, output: Option<bool>) {
    assert!((0..=12).contains(&status), "status {status}");
    if let Some(output) = output {
        assert_eq!(output, status == 0, "output");
    }
    if !asked {
        return;
    }
    assert_eq!(error.is_null(), status == 0, "error");
    unsafe {
        assert_eq!(avenv_error_status(error), status);
        let message = lent(avenv_error_message(error));
        check_json(avenv_error_payload_json(error));
        check_json(avenv_error_events_json(error));
        if status != 0 {
            assert_eq!(lent(avenv_error_kind(error)), lent(avenv_status_kind(status)));
            let message = message.expect("an error has a message");
            assert!(!message.is_empty() && !message.contains('\n'));
            assert!(status != 10 || message.contains("was destroyed"), "{message}");
        }
        avenv_error_free(error);
    }
}

fuzz_target!(|data: &[u8]| {
    let place = Place::new();
    // SAFETY: each pointer is NULL, or valid by the header's rules.
    unsafe { call_all(&mut Input(data), &place) };
    place.check_outside();
});

unsafe fn call_all(input: &mut Input, place: &Place) {
    let mut specs = [null_mut::<avenv_spec>(); SLOTS];
    let mut options = [null_mut::<avenv_options>(); SLOTS];
    let mut environments = [null_mut::<avenv_environment>(); SLOTS];
    for _ in 0..MOST_CALLS {
        if input.0.is_empty() {
            break;
        }
        let function = input.byte() % 36;
        let which = input.byte();
        let spec = which % SLOTS;
        let option = which / SLOTS % SLOTS;
        let environment = which / SLOTS / SLOTS % SLOTS;
        let asked = which < 216;
        let (spec, option, environment) = (&mut specs[spec], &mut options[option], &mut environments[environment]);
        let mut error = null_mut::<avenv_error>().wrapping_byte_add(8); // poison, to be overwritten
        let told = if asked { &raw mut error } else { null_mut() };
        let mut text = null_mut::<c_char>().wrapping_byte_add(8);
        unsafe {
            // What fails only; outputs are checked beside their calls.
            let status = match function {
                0 => {
                    avenv_spec_free(std::mem::replace(spec, null_mut()));
                    let status = avenv_spec_parse(pointer(&input.text()), spec, told);
                    check(status, asked, error, Some(!spec.is_null()));
                    continue;
                }
                1 => {
                    avenv_spec_free(std::mem::replace(spec, null_mut()));
                    let status = avenv_spec_for_adapter(pointer(&input.text()), pointer(&input.text()), spec, told);
                    check(status, asked, error, Some(!spec.is_null()));
                    continue;
                }
                2 => avenv_spec_set_env(*spec, pointer(&input.text()), pointer(&input.text()), told),
                3 | 4 => {
                    let (path, data) = (input.text(), input.text());
                    let len = match input.byte() {
                        255 => usize::MAX,
                        _ => data.as_ref().map_or(input.byte() % 2, |data| data.as_bytes().len()),
                    };
                    let data = pointer(&data).cast();
                    if function == 3 {
                        // The highest bit makes modes that are none.
                        let mode = input.byte() as u32 * if input.byte() % 8 == 0 { 1 << 24 } else { 2 };
                        avenv_spec_add_seed_file(*spec, pointer(&path), data, len, mode, told)
                    } else {
                        avenv_spec_add_credential(*spec, pointer(&path), data, len, told)
                    }
                }
                5 => {
                    avenv_spec_free(std::mem::replace(spec, null_mut()));
                    continue;
                }
                6 => {
                    avenv_options_free(std::mem::replace(option, avenv_options_new()));
                    continue;
                }
                7 => avenv_options_set_registry_root(*option, pointer(&input.root(place)), told),
                8 => avenv_options_set_ephemeral_root(*option, pointer(&input.root(place)), told),
                9 => avenv_options_set_expected_adapter(*option, pointer(&input.text()), told),
                10 => avenv_options_set_lock_timeout_ms(*option, input.byte() as i64 - 2, told),
                11 => avenv_options_set_durable(*option, input.byte() % 2 == 0, told),
                12 => avenv_options_set_force(*option, input.byte() % 2 == 0, told),
                13..=16 => {
                    avenv_environment_free(std::mem::replace(environment, null_mut()));
                    let status = match function {
                        13 => avenv_environment_create_ephemeral(*spec, *option, environment, told),
                        14 | 15 => avenv_environment_create_or_attach(
                            pointer(&input.text()),
                            *spec,
                            *option,
                            environment,
                            told,
                        ),
                        _ => avenv_environment_attach(pointer(&input.text()), *option, environment, told),
                    };
                    check(status, asked, error, Some(!environment.is_null()));
                    continue;
                }
                17 => {
                    lent(avenv_environment_path(*environment));
                    lent(avenv_environment_name(*environment));
                    lent(avenv_environment_kind(*environment));
                    lent(avenv_environment_adapter_id(*environment));
                    check_json(avenv_environment_env_overrides_json(*environment));
                    check_json(avenv_environment_env_unset_json(*environment));
                    continue;
                }
                18 => {
                    let base = [c"A=1".as_ptr(), c"no equals sign".as_ptr(), c"B=\xff".as_ptr(), std::ptr::null()];
                    let base = if input.byte() % 2 == 0 { base.as_ptr() } else { std::ptr::null() };
                    let mut envp = null_mut();
                    let status = avenv_environment_envp(*environment, base, &raw mut envp, told);
                    check(status, asked, error, Some(!envp.is_null()));
                    avenv_envp_free(envp);
                    continue;
                }
                19 => avenv_environment_events_json(*environment, &raw mut text, told),
                20 | 21 => avenv_environment_refresh_credentials(*environment, *spec, *option, told),
                22 | 23 => avenv_environment_destroy(*environment, *option, told),
                24 => {
                    avenv_environment_free(std::mem::replace(environment, null_mut()));
                    continue;
                }
                25 => avenv_registry_root(*option, &raw mut text, told),
                26 => avenv_registry_list_json(*option, &raw mut text, told),
                27 => avenv_registry_destroy(pointer(&input.text()), *option, told),
                28 => avenv_registry_repair(*option, &raw mut text, told),
                29 => {
                    avenv_give_back();
                    continue;
                }
                30 => avenv_reap(*option, &raw mut text, told),
                31 => avenv_adapter_argv_json(pointer(&input.text()), pointer(&input.text()), &raw mut text, told),
                32 => avenv_adapter_ensure_available(pointer(&input.text()), told),
                33 => avenv_environment_login_status_json(*environment, &raw mut text, told),
                34 => avenv_adapter_definition_json(pointer(&input.text()), &raw mut text, told),
                // All outputs NULL.
                _ => avenv_environment_attach(pointer(&input.text()), *option, null_mut(), told),
            };
            let has_text = [19, 25, 26, 28, 30, 31, 33, 34].contains(&function);
            check(status, asked, error, has_text.then_some(!text.is_null()));
            if has_text {
                if function != 25 {
                    check_json(text);
                }
                avenv_string_free(text);
            }
        }
    }
    for slot in 0..SLOTS {
        unsafe {
            avenv_environment_free(environments[slot]);
            avenv_options_free(options[slot]);
            avenv_spec_free(specs[slot]);
        }
    }
}
