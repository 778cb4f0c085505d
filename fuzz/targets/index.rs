//! Any bytes as `index.json`, beside an environment that is whole. The first byte says how it stands there.
#![no_main]

use std::fs;

use agent_venv::{Environment, Spec};
use agent_venv_fuzz::{Place, agree, permitted, repair};
use libfuzzer_sys::fuzz_target;

const KNOWN: [&str; 3] = ["a", "b", "c"];

fuzz_target!(|data: &[u8]| {
    let Some((how, index)) = data.split_first() else { return };
    let place = Place::new();
    let options = place.options();
    let spec = Spec::from_json(r#"{"seed_files":{"seed":"x"},"credentials":{"token":"t"}}"#).expect("a good spec");
    let made = Environment::create_or_attach("a", &spec, &options).expect("it is created");
    let directory = place.directory_of(&made);
    if how & 1 != 0 {
        fs::remove_file(directory.join(".committed")).expect("it is marked");
    }
    if how & 2 != 0 {
        place.link_out(&place.at("registry/envs"), "link");
    }
    if how & 4 != 0 {
        fs::remove_dir_all(&directory).expect("it is there");
    }
    fs::write(place.at("registry/index.json"), index).expect("the place can be written");

    agree(&KNOWN, &place);
    match Environment::create_or_attach("b", &spec, &options) {
        Ok(environment) => {
            assert!(environment.path().join("seed").exists());
            agree(&KNOWN, &place);
            environment.destroy(&options).expect("it is destroyed");
        }
        Err(error) => permitted(&error, &["RegistryUnavailable"]),
    }
    place.check_outside();
    if repair(&place) {
        assert!(agree(&KNOWN, &place), "there is no list after a repair");
        let environment = Environment::create_or_attach("c", &spec, &options).expect("all works after a repair");
        assert!(environment.path().join("seed").exists());
    }
    match agent_venv::destroy_by_name("a", &options) {
        Ok(()) => assert_eq!(Environment::attach("a", &options).expect_err("it is gone").kind(), "EnvironmentNotFound"),
        Err(error) => permitted(&error, &["EnvironmentNotFound", "RegistryUnavailable"]),
    }
    agree(&KNOWN, &place);
    place.check_nothing_left();
    place.check_outside();
});
