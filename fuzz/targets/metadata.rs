//! Any bytes as an environment's `metadata.json`. The first byte says how it stands there.
#![no_main]

use std::fs;

use agent_venv::{Environment, Spec};
use agent_venv_fuzz::{Place, agree, permitted, repair};
use libfuzzer_sys::fuzz_target;

const KNOWN: [&str; 2] = ["a", "b"];

fuzz_target!(|data: &[u8]| {
    let Some((how, metadata)) = data.split_first() else { return };
    let place = Place::new();
    let options = place.options();
    let spec = Spec::from_json(r#"{"seed_files":{"seed":"x"},"credentials":{"token":"t"}}"#).expect("a good spec");
    let made = Environment::create_or_attach("a", &spec, &options).expect("it is created");
    let directory = place.directory_of(&made);
    if how & 1 != 0 {
        fs::remove_file(directory.join(".committed")).expect("it is marked");
    }
    if how & 2 != 0 {
        fs::remove_dir_all(directory.join("profile")).expect("it is there");
        place.link_out(&directory, "profile");
    }
    if how & 4 != 0 {
        fs::remove_file(place.at("registry/index.json")).expect("it is there");
    }
    fs::write(directory.join("metadata.json"), metadata).expect("the place can be written");

    agree(&KNOWN, &place);
    match Environment::attach("a", &options) {
        Ok(environment) => use_it(&environment, &spec, &place),
        Err(error) => permitted(&error, &["EnvironmentNotFound", "RegistryUnavailable"]),
    }
    if how & 8 != 0 && repair(&place) {
        assert!(agree(&KNOWN, &place), "there is no list after a repair");
    }
    match Environment::create_or_attach("a", &spec, &options) {
        Ok(environment) => use_it(&environment, &spec, &place),
        Err(error) => permitted(&error, &["RegistryUnavailable", "AdapterMismatch", "ProfileSetupFailed"]),
    }
    place.check_outside();
    // Through a handle from before: its environment may have become another.
    if let Err(error) = made.destroy(&options) {
        permitted(&error, &["RegistryUnavailable"]);
    }
    match agent_venv::destroy_by_name("a", &options) {
        Ok(()) => {}
        Err(error) => permitted(&error, &["EnvironmentNotFound", "RegistryUnavailable"]),
    }
    if agree(&KNOWN, &place) {
        let error = Environment::attach("a", &options).expect_err("it is gone");
        assert_eq!(error.kind(), "EnvironmentNotFound", "{}", error.message());
    }
    repair(&place);
    agree(&KNOWN, &place);
    place.check_nothing_left();
    place.check_outside();
});

fn use_it(environment: &Environment, spec: &Spec, place: &Place) {
    place.directory_of(environment);
    let block = environment.envp([]).expect("it stands");
    assert_eq!(block.len(), environment.env_overrides().len());
    for spec in [None, Some(spec)] {
        if let Err(error) = environment.refresh_credentials(spec, &place.options()) {
            let kinds = [
                "InvalidEnvironmentSpec",
                "CredentialsMissing",
                "CredentialsConflict",
                "EnvironmentNotFound",
                "RegistryUnavailable",
                "ProfileSetupFailed",
            ];
            permitted(&error, &kinds);
        }
    }
}
