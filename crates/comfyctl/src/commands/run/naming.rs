//! `--name`: what the saved files are called.

use comfy_api_client::workflow::schema::Schemas;
use comfy_api_client::{OutputFile, Workflow};
use serde_json::Value;

use crate::failure::Failure;

impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A template of names, such as `{title}/{seed}-{index}.{ext}`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Value(Placeholder),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placeholder {
    PromptId,
    Node,
    Title,
    Index,
    Filename,
    Stem,
    Ext,
    Seed,
    Row,
    Label,
}

const PLACEHOLDERS: [(&str, Placeholder); 10] = [
    ("prompt_id", Placeholder::PromptId),
    ("node", Placeholder::Node),
    ("title", Placeholder::Title),
    ("index", Placeholder::Index),
    ("filename", Placeholder::Filename),
    ("stem", Placeholder::Stem),
    ("ext", Placeholder::Ext),
    ("seed", Placeholder::Seed),
    ("row", Placeholder::Row),
    ("label", Placeholder::Label),
];

/// What a run has in common for all its files.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) prompt_id: &'a str,
    pub(crate) workflow: &'a Workflow,
    /// Which of several it is.
    pub(crate) row: Option<Row<'a>>,
}

/// A row of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) index: usize,
    pub(crate) label: &'a str,
}

impl Template {
    /// Reads a template; `{{` and `}}` are braces.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            plain.push_str(&rest[..brace]);
            let from = &rest[brace..];
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.push_str(&from[..1]);
                rest = after;
                continue;
            }
            let inner = from.strip_prefix('{').and_then(|from| from.split_once('}'));
            let Some((name, after)) = inner else {
                return Err("a brace has no partner; a brace itself is written twice, `{{`".to_owned());
            };
            let Some((_, placeholder)) = PLACEHOLDERS.iter().find(|(known, _)| *known == name) else {
                let known: Vec<String> =
                    PLACEHOLDERS.iter().map(|(known, _)| format!("{{{known}}}")).collect();
                return Err(format!("there is no {{{name}}}; there are {}", known.join(", ")));
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Value(*placeholder));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        if pieces.is_empty() {
            return Err("it is empty".to_owned());
        }
        let parts = || text.split(['/', '\\']);
        if parts().any(|part| part.trim() == "..") || parts().next().is_some_and(str::is_empty) {
            return Err("it leads out of the folder; the folder is chosen with `-o DIR`".to_owned());
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// Finds out before anything runs whether the workflow has what the template asks for.
    pub(crate) fn check(&self, workflow: &Workflow) -> Result<(), Failure> {
        if self.pieces.contains(&Piece::Value(Placeholder::Seed)) && seed(workflow).is_none() {
            let message = format!("`--name {}`: the workflow has no noise seed that is a number", self.text);
            return Err(Failure::usage("usage", message).with_hint("take `{seed}` out of the template"));
        }
        Ok(())
    }

    /// The name of a file, which is the `index`-th of its run. What comes from the workflow and the server does not lead
    /// into subfolders.
    pub(crate) fn name(&self, output: &OutputFile, index: usize, run: &Run<'_>) -> String {
        let filename = plain(&output.file.filename);
        let (stem, ext) = match filename.rsplit_once('.') {
            Some((stem, ext)) if !stem.is_empty() => (stem, ext),
            _ => (filename.as_str(), ""),
        };
        let mut name = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Value(Placeholder::PromptId) => name.push_str(&plain(run.prompt_id)),
                Piece::Value(Placeholder::Node) => name.push_str(&plain(output.node.as_str())),
                Piece::Value(Placeholder::Title) => {
                    let node = run.workflow.node(output.node.as_str());
                    let title = node.map(|node| node.title().unwrap_or(&node.class_type));
                    name.push_str(&plain(title.unwrap_or(output.node.as_str())));
                }
                Piece::Value(Placeholder::Index) => name.push_str(&index.to_string()),
                Piece::Value(Placeholder::Filename) => name.push_str(&filename),
                Piece::Value(Placeholder::Stem) => name.push_str(stem),
                Piece::Value(Placeholder::Ext) => name.push_str(ext),
                // A run alone is the first row.
                Piece::Value(Placeholder::Row) => {
                    name.push_str(&(run.row.map_or(0, |row| row.index) + 1).to_string());
                }
                Piece::Value(Placeholder::Label) => {
                    name.push_str(&plain(run.row.map_or("run", |row| row.label)));
                }
                Piece::Value(Placeholder::Seed) => {
                    name.push_str(&seed(run.workflow).unwrap_or_default());
                }
            }
        }
        // A file without its extension opens nowhere.
        let has_ext = name.rsplit_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case(ext));
        if !ext.is_empty() && !has_ext {
            name = format!("{name}.{ext}");
        }
        name
    }
}

/// The first noise seed of a workflow.
fn seed(workflow: &Workflow) -> Option<String> {
    let seeds = workflow.noise_seeds(&Schemas::new());
    seeds.into_iter().map(|seed| seed.value).find(Value::is_number).map(|seed| seed.to_string())
}

fn plain(text: &str) -> String {
    text.replace(['/', '\\'], "_")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn named(template: &str, filename: &str) -> String {
        let workflow = json!({
            "3": {"class_type": "KSampler", "inputs": {"seed": 42}},
            "9": {"class_type": "SaveImage", "inputs": {}, "_meta": {"title": "a/b"}},
        });
        let workflow = Workflow::from_value(workflow).unwrap();
        let output = json!({"filename": filename, "subfolder": "", "type": "output"});
        let outputs = json!({"images": [output]});
        let outputs: comfy_api_client::protocol::NodeOutput = serde_json::from_value(outputs).unwrap();
        let (key, file) = outputs.files().next().unwrap();
        let output = OutputFile::new("9", key, file);
        let template = Template::parse(template).unwrap();
        template.check(&workflow).unwrap();
        template.name(&output, 3, &Run { prompt_id: "p", workflow: &workflow, row: None })
    }

    #[test]
    fn every_placeholder_is_filled_in() {
        let all = "{prompt_id}/{node}-{title}-{index}-{seed}/{stem}.{ext}";
        assert_eq!(named(all, "x_1.png"), "p/9-a_b-3-42/x_1.png");
        assert_eq!(named("{{{filename}}}", "x.png"), "{x.png}.png");
    }

    #[test]
    fn an_extension_is_added_where_it_is_missing() {
        assert_eq!(named("v1.5-{index}", "x.png"), "v1.5-3.png");
        assert_eq!(named("cat.PNG", "x.png"), "cat.PNG");
        assert_eq!(named("{title}", "x"), "a_b");
    }

    #[test]
    fn names_of_the_server_lead_nowhere() {
        assert_eq!(named("a/{filename}", "../../x.png"), "a/.._.._x.png");
        assert_eq!(named("{stem}", ".png"), ".png");
    }

    #[test]
    fn what_is_no_template_says_why() {
        for (wrong, why) in [
            ("{nodes}", "there is no {nodes}; there are {prompt_id}, {node}, {title}, {index}"),
            ("{node", "a brace has no partner"),
            ("node}", "a brace has no partner"),
            ("", "it is empty"),
            ("../{node}", "it leads out of the folder"),
            ("/tmp/{node}", "it leads out of the folder"),
        ] {
            let error = Template::parse(wrong).unwrap_err();
            assert!(error.starts_with(why), "{wrong}: {error}");
        }
        let template = Template::parse("{seed}").unwrap();
        assert!(template.check(&Workflow::default()).is_err());
    }
}
