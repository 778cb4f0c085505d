//! Directories that an agent shall trust without asking, in the agent's own format.

use serde_json::{Map, Value};

use crate::fs;
use crate::json::{self, Fields, Invalid};
use crate::spec::RelativePath;

const DIRECTORY: &str = "{directory}";
/// The path as a JSON string, which is how TOML quotes too.
const QUOTED: &str = "{directory:quoted}";

/// Where an agent keeps which directories it trusts.
pub(crate) struct Trust {
    pub file: RelativePath,
    step: Step,
}

enum Step {
    /// Merged into the file's object, once for each directory.
    Json(Map<String, Value>),
    /// Appended to the file's text.
    Append(String),
}

impl Trust {
    pub fn read(value: Value, path: &str) -> Result<Self, Invalid> {
        let mut fields = Fields::of(value, path, path)?;
        let file = RelativePath::read(&fields.required_string("file")?, &fields.name("file"))?;
        let step = match (fields.take("json"), fields.string("append")?) {
            (Some(Value::Object(object)), None) => Step::Json(object),
            (Some(other), None) => return Err(json::wrong_type(&fields.name("json"), "an object", &other)),
            (None, Some(text)) => Step::Append(text),
            _ => return Err(Invalid::new(path, "must have either json or append")),
        };
        fields.finish("file, json, append")?;
        Ok(Trust { file, step })
    }

    /// The file's content with the directories in it; `content` is what it would be without.
    pub fn apply(&self, content: &[u8], directories: &[String]) -> Result<Vec<u8>, Invalid> {
        let refused = |reason: &str| Invalid::new(self.file.field("seed_files"), reason);
        let text = str::from_utf8(content)
            .map_err(|_| refused("is not UTF-8, so options.trusted_directories cannot be added"))?;
        let directories = directories.iter().map(|directory| resolved(directory));
        match &self.step {
            Step::Json(patch) => {
                let whole = if text.trim().is_empty() { Ok(Value::Object(Map::new())) } else { json::parse(text, "") };
                let Ok(Value::Object(mut whole)) = whole else {
                    return Err(refused("is no JSON object, so options.trusted_directories cannot be added"));
                };
                for directory in directories {
                    merge(&mut whole, patch, &directory);
                }
                serde_json::to_vec_pretty(&whole).map_err(|_| refused("can't be written as JSON"))
            }
            Step::Append(template) => {
                let given = text;
                let mut text = given.to_owned();
                for directory in directories {
                    // It may say something else of it, or the same in another form.
                    if given.contains(&directory) {
                        let reason = format!(
                            "names {directory:?} already: leave it out there, or out of options.trusted_directories"
                        );
                        return Err(refused(&reason));
                    }
                    let addition = filled_in(template, &directory);
                    if text.contains(&addition) {
                        continue;
                    }
                    if !text.is_empty() && !text.ends_with('\n') {
                        text.push('\n');
                    }
                    text.push_str(&addition);
                }
                Ok(text.into_bytes())
            }
        }
    }
}

/// As the agent sees it when it is started there: its working directory has no links in it.
fn resolved(directory: &str) -> String {
    match fs::canonical(directory.as_ref()) {
        Ok(path) if !path.to_string_lossy().contains(char::is_control) => path.to_string_lossy().into_owned(),
        _ => directory.to_owned(),
    }
}

fn filled_in(template: &str, directory: &str) -> String {
    // In one pass: a directory's name may hold a placeholder.
    let quoted = Value::from(directory).to_string();
    let parts: Vec<_> = template.split(QUOTED).map(|part| part.replace(DIRECTORY, directory)).collect();
    parts.join(&quoted)
}

fn merge(into: &mut Map<String, Value>, patch: &Map<String, Value>, directory: &str) {
    for (key, value) in patch {
        let key = filled_in(key, directory);
        match (into.get_mut(&key), value) {
            (Some(Value::Object(there)), Value::Object(patch)) => merge(there, patch, directory),
            (_, Value::Object(patch)) => {
                let mut new = Map::new();
                merge(&mut new, patch, directory);
                into.insert(key, Value::Object(new));
            }
            (_, Value::String(text)) => _ = into.insert(key, Value::from(filled_in(text, directory))),
            (_, value) => _ = into.insert(key, value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(document: Value) -> Trust {
        Trust::read(document, "trust").unwrap_or_else(|invalid| panic!("{invalid:?}"))
    }

    fn apply(trust: &Trust, content: &str) -> String {
        let applied = trust.apply(content.as_bytes(), &["/no/such \"dir".into(), "/no/b".into()]);
        String::from_utf8(applied.unwrap_or_else(|invalid| panic!("{invalid:?}"))).unwrap_or_default()
    }

    #[test]
    fn json_is_merged_and_keeps_what_is_there() {
        let patch = serde_json::json!({"projects": {"{directory}": {"trusted": true, "as": "{directory}!"}}});
        let trust = trust(serde_json::json!({"file": "a.json", "json": patch}));
        let merged: Value =
            serde_json::from_str(&apply(&trust, r#"{"x":1,"projects":{"/no/b":{"y":2}}}"#)).unwrap_or_default();
        let expected = serde_json::json!({"x": 1, "projects": {
            "/no/such \"dir": {"trusted": true, "as": "/no/such \"dir!"},
            "/no/b": {"y": 2, "trusted": true, "as": "/no/b!"}}});
        assert_eq!(merged, expected);
        assert!(trust.apply(b"[]", &["/a".into()]).is_err());
        assert!(trust.apply(b"{", &["/a".into()]).is_err());
    }

    #[test]
    fn text_is_appended_and_refused_where_the_directory_is_named_already() {
        let trust = trust(serde_json::json!({"file": "c.toml", "append": "[p.{directory:quoted}]\nt = 1\n"}));
        let once = apply(&trust, "model = 1");
        assert_eq!(once, "model = 1\n[p.\"/no/such \\\"dir\"]\nt = 1\n[p.\"/no/b\"]\nt = 1\n");
        let twice = trust.apply(b"", &["/no/b".into(), "/no/b".into()]).unwrap_or_default();
        assert_eq!(twice, b"[p.\"/no/b\"]\nt = 1\n");
        let refused = trust.apply(b"[p.'/no/b']\nt = 0\n", &["/no/b".into()]);
        assert!(refused.is_err_and(|invalid| invalid.reason.contains("names \"/no/b\" already")));
    }
}
