//! Puts the files into a folder that the recorded server had from somewhere else, as far as the recording tells what is in
//! them.

use std::path::Path;
use std::time::SystemTime;
use std::{fs, io};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use regex::Regex;
use serde_json::Value;

use super::scenario::{Part, Request, Response, Scenario, Step, string};

/// Scenarios that look at files that no request of theirs had made.
pub(crate) const SCENARIOS: [&str; 4] = ["load_image", "upload_mask", "view", "view_security"];

const FOLDERS: [&str; 3] = ["input", "output", "temp"];

/// How much of a file an answer tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// All of it.
    Whole,
    /// The picture, in another form.
    Picture,
    /// Its colours alone.
    Colors,
}

/// Writes the files into the folders below `base`.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn files(scenario: &Scenario, base: &Path) -> io::Result<()> {
    for folder in FOLDERS {
        fs::create_dir_all(base.join(folder))?;
    }
    for told in [Told::Whole, Told::Picture, Told::Colors] {
        for step in &scenario.steps {
            let (Some(request), Some(response)) = (&step.request, &step.response) else { continue };
            let Some((path, _)) = place(request).filter(|(_, found)| *found == told) else { continue };
            let Some(content) = whole(response) else { continue };
            let time = response.headers.get("Last-Modified");
            write(&base.join(path), &content, time.and_then(|time| httpdate::parse_http_date(time).ok()))?;
        }
    }
    for name in no_pictures(scenario) {
        write(&base.join(name), b"no picture", None)?;
    }
    originals(scenario, base)?;
    // What uploads of the scenario write has not been there before.
    for part in scenario.steps.iter().flat_map(parts).filter(|part| part.name == "image") {
        let path = base.join("input").join(part.filename.unwrap_or_default());
        if path.is_file() && path.parent() == Some(&base.join("input")) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes a file that is not there.
fn write(path: &Path, content: &[u8], modified: Option<SystemTime>) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)?;
    fs::File::options().write(true).open(path)?.set_modified(modified.unwrap_or_else(SystemTime::now))
}

/// The file that a request is about, and how much of it the answer tells.
fn place(request: &Request) -> Option<(String, Told)> {
    let path = request.path.strip_prefix("/api").unwrap_or(&request.path);
    let query = path.strip_prefix("/view?").filter(|_| request.method == "GET")?;
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
    let told = match (value("preview"), value("channel")) {
        (Some(_), _) | (_, Some("a")) => return None,
        (_, Some("rgb")) => Told::Colors,
        (_, Some(_)) => Told::Picture,
        (None, None) => Told::Whole,
    };
    let mut name = value("filename")?;
    let mut folder = value("type").unwrap_or("output");
    for annotated in FOLDERS {
        if let Some(plain) = name.strip_suffix(&format!(" [{annotated}]")) {
            (name, folder) = (plain, annotated);
        }
    }
    let path = format!("{folder}/{}/{name}", value("subfolder").unwrap_or_default());
    // What leaves the folders was served for another reason.
    (FOLDERS.contains(&folder) && !path.contains("..")).then_some((path, told))
}

/// The content of a file that was served in full. A name that broke the answer was one of a file too.
fn whole(response: &Response) -> Option<Vec<u8>> {
    if response.error.is_some() {
        return Some(b"x".to_vec());
    }
    if response.status != Some(200) {
        return None;
    }
    let Some(body) = &response.body else { return Some(Vec::new()) };
    if let Some(base64) = string(body, "base64") {
        return BASE64_STANDARD.decode(base64).ok();
    }
    string(body, "text").or_else(|| Some(body.get("json")?.get().to_owned())).map(String::into_bytes)
}

/// The files that a node could not read, below the folder of the recorded server.
fn no_pictures(scenario: &Scenario) -> Vec<String> {
    let Ok(pattern) = Regex::new(r"cannot identify image file '/srv/data/(input/[^'/.]+\.png)'") else {
        return Vec::new();
    };
    let texts = scenario.received().filter_map(Step::text);
    let names = |text: &str| pattern.captures_iter(text).map(|found| found[1].to_owned()).collect::<Vec<_>>();
    texts.flat_map(names).collect()
}

/// The parts of the form that a step sent.
fn parts(step: &Step) -> Vec<Part> {
    let body = step.request.as_ref().and_then(|request| request.body.as_ref());
    body.and_then(|body| serde_json::from_str(body.get("multipart")?.get()).ok()).unwrap_or_default()
}

/// The pictures that masks were laid upon: those whose result is in the recorded list of the folder.
fn originals(scenario: &Scenario, base: &Path) -> io::Result<()> {
    let steps = || scenario.steps.iter().filter_map(|step| Some((step, step.request.as_ref()?)));
    let listed = steps()
        .filter(|(_, request)| request.path == "/internal/files/input")
        .find_map(|(step, _)| Some(step.response.as_ref()?.body.as_ref()?.get("json")?.get().to_owned()));
    // Newer versions say in which folder a file is.
    let is_listed = |name: &str| {
        let ways = [format!("\"{name} ["), format!("\"{name}\"")];
        listed.as_ref().is_some_and(|listed| ways.iter().any(|way| listed.contains(way)))
    };
    // They all have the size of what was served of the results.
    let picture = steps().find_map(|(step, request)| {
        let (path, _) = place(request)?;
        let content = whole(step.response.as_ref()?)?;
        (path.starts_with("input/") && content.starts_with(b"\x89PNG")).then_some(content)
    });
    let Some(picture) = picture else { return Ok(()) };
    for (step, _) in steps().filter(|(_, request)| request.path == "/upload/mask") {
        let parts = parts(step);
        let part = |name: &str| parts.iter().find(|part| part.name == name);
        let mask = part("image").and_then(|part| part.filename.as_deref());
        let Some(original) = part("original_ref").and_then(|part| part.text.as_deref()) else { continue };
        let Ok(original) = serde_json::from_str::<Value>(original) else { continue };
        let value = |name: &str| original[name].as_str();
        let Some(mut name) = value("filename").filter(|_| mask.is_some_and(is_listed)) else { continue };
        let mut folder = value("type").unwrap_or("output");
        for annotated in FOLDERS {
            if let Some(plain) = name.strip_suffix(&format!(" [{annotated}]")) {
                (name, folder) = (plain, annotated);
            }
        }
        let path = format!("{folder}/{}/{name}", value("subfolder").unwrap_or_default());
        if FOLDERS.contains(&folder) && !path.contains("..") && !name.is_empty() {
            write(&base.join(path), &picture, None)?;
        }
    }
    Ok(())
}
