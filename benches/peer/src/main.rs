//! Does with the public crate what each line says (see driver.c).

use std::path::Path;
use std::time::Instant;

use agent_venv::{Environment, EnvironmentSpec};

fn spec() -> EnvironmentSpec {
    EnvironmentSpec {
        seed_files: [("settings.json".into(), r#"{"theme":"dark"}"#.into())].into(),
        credentials: [(".credentials.json".into(), r#"{"token":"no secret"}"#.into())].into(),
        ..EnvironmentSpec::default()
    }
}

async fn answer(what: &[&str]) -> Vec<f64> {
    let count: usize = what[what.len() - 1].parse().unwrap();
    let mut samples = Vec::with_capacity(count);
    let mut random = 88172645463325252u64;
    for i in 0..count {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let start = Instant::now();
        match *what {
            ["ephemeral", _] => _ = Environment::ephemeral(spec()).await.unwrap().destroy().await.unwrap(),
            ["attach", root, size, _] => {
                let name = format!("env-{:06}", random % size.parse::<u64>().unwrap());
                _ = Environment::attach(&name, Some(Path::new(root))).await.unwrap();
            }
            ["list", root, _] => _ = Environment::list(Some(Path::new(root))).unwrap(),
            ["new", root, tag, _] => {
                let name = format!("{tag}-{i}");
                // Where many want the lock, it can be waited for in vain.
                while Environment::create_or_attach(&name, spec(), Some(Path::new(root))).await.is_err() {}
            }
            ["destroy", root, tag, _] => {
                _ = Environment::destroy_by_name(&format!("{tag}-{i}"), Some(Path::new(root))).unwrap();
            }
            _ => panic!("unknown: {what:?}"),
        }
        samples.push(start.elapsed().as_secs_f64() * 1e6);
    }
    samples
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let what: Vec<_> = line.split(' ').collect();
        let samples = runtime.block_on(async { answer(&what).await });
        println!("{}", serde_json::to_string(&samples).unwrap());
    }
}
