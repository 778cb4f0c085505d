//! Command line templates.
//!
//! A template is a list of arguments. `{program}`, `{model}`, `{reasoning_effort}` and `{workspace}` stand for their
//! values; `{name:quoted}` for the value as a JSON string, which is how TOML quotes too; an argument `{extra_argv}` for all
//! of the caller's. A list within the list is left out where one of its values was not given; elsewhere a value that was
//! not given is an error.

use serde_json::Value;

use crate::json::{self, Invalid};

use super::AdapterOptions;

pub(crate) enum Part {
    Argument(Vec<Piece>),
    Optional(Vec<Vec<Piece>>),
    Extra,
}

pub(crate) enum Piece {
    Text(String),
    Value { name: Name, quoted: bool },
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Name {
    Program,
    Model,
    ReasoningEffort,
    Workspace,
}

pub(crate) fn template(parts: Vec<Value>) -> Result<Vec<Part>, Invalid> {
    let parts = parts.into_iter().enumerate();
    parts
        .map(|(i, part)| {
            let field = format!("adapter.argv[{i}]");
            match part {
                Value::String(text) if text == "{extra_argv}" => Ok(Part::Extra),
                Value::Array(arguments) => {
                    let arguments = arguments.into_iter();
                    let arguments = arguments.map(|argument| pieces(&json::string(argument, &field)?, &field));
                    Ok(Part::Optional(arguments.collect::<Result<_, _>>()?))
                }
                other => Ok(Part::Argument(pieces(&json::string(other, &field)?, &field)?)),
            }
        })
        .collect()
}

fn pieces(text: &str, field: &str) -> Result<Vec<Piece>, Invalid> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or_else(|| Invalid::new(field, "has a { without its }"))?;
        let (name, quoted) = match name.strip_suffix(":quoted") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let name = match name {
            "program" => Name::Program,
            "model" => Name::Model,
            "reasoning_effort" => Name::ReasoningEffort,
            "workspace" => Name::Workspace,
            _ => {
                let reason = "names an unknown value; known are {program}, {model}, {reasoning_effort}, {workspace}, \
                              and {extra_argv} as an argument of its own";
                return Err(Invalid::new(field, reason));
            }
        };
        pieces.push(Piece::Text(before.to_owned()));
        pieces.push(Piece::Value { name, quoted });
        rest = behind;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

pub(crate) fn fill(parts: &[Part], program: &str, options: &AdapterOptions) -> Result<Vec<String>, Invalid> {
    let value = |name: Name| match name {
        Name::Program => Ok(program),
        Name::Model => options.model.as_deref().ok_or("model"),
        Name::ReasoningEffort => options.reasoning_effort.as_deref().ok_or("reasoning_effort"),
        Name::Workspace => options.workspace.as_deref().ok_or("workspace"),
    };
    let argument = |pieces: &Vec<Piece>| {
        let texts = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Value { name, quoted: true } => value(*name).map(|value| Value::from(value).to_string()),
            Piece::Value { name, quoted: false } => value(*name).map(str::to_owned),
        });
        texts.collect::<Result<String, &str>>()
    };
    let mut argv = Vec::new();
    for part in parts {
        match part {
            Part::Extra => argv.extend(options.extra_argv.iter().cloned()),
            Part::Argument(pieces) => argv.push(argument(pieces).map_err(|option| {
                Invalid::new(format!("options.{option}"), "is missing: the command line needs it")
            })?),
            Part::Optional(arguments) => {
                if let Ok(arguments) = arguments.iter().map(argument).collect::<Result<Vec<_>, _>>() {
                    argv.extend(arguments);
                }
            }
        }
    }
    Ok(argv)
}
