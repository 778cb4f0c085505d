//! `cargo bench --bench core`: the parts of the core that are no system calls, or nearly.

#![allow(clippy::expect_used)] // a bench that cannot begin has nothing to measure

use std::hint::black_box;

use agent_venv::{Environment, Options, Spec};
use criterion::{Criterion, criterion_group, criterion_main};

const PLAIN: &str = r#"{"seed_files":{"settings.json":"{\"theme\":\"dark\"}"},"credentials":{".credentials.json":"{\"token\":\"none\"}"}}"#;
const ADAPTER: &str = r#"{"adapter":"claude-code","options":{"login":"none","trusted_directories":["/src"]}}"#;

fn specs(c: &mut Criterion) {
    c.bench_function("parse a spec of two files", |b| b.iter(|| Spec::from_json(black_box(PLAIN)).expect("a spec")));
    c.bench_function("parse a spec of an adapter", |b| b.iter(|| Spec::from_json(black_box(ADAPTER)).expect("a spec")));
    let many: Vec<String> = (0..10_000).map(|n| format!(r#""dir/{n:05}":"content""#)).collect();
    let many = format!(r#"{{"seed_files":{{{}}}}}"#, many.join(","));
    c.bench_function("parse a spec of 10,000 files", |b| b.iter(|| Spec::from_json(black_box(&many)).expect("a spec")));
}

fn registry(c: &mut Criterion) {
    let root = tempfile::tempdir().expect("a directory");
    let mut options = Options::default();
    options.registry_root = Some(root.path().into());
    let spec = Spec::from_json(PLAIN).expect("a spec");
    for n in 0..200 {
        Environment::create_or_attach(&format!("env-{n:06}"), &spec, &options).expect("an environment");
    }
    c.bench_function("list 200 names", |b| b.iter(|| agent_venv::list(black_box(&options)).expect("names")));
    c.bench_function("attach to one of 200", |b| {
        b.iter(|| Environment::attach(black_box("env-000100"), &options).expect("an environment"));
    });
}

criterion_group!(parts, specs, registry);
criterion_main!(parts);
