//! Puts the files into a folder that the recorded server had from somewhere else, as far as the recording tells what is in
//! them: those of which it served the whole.

use std::path::Path;
use std::time::SystemTime;
use std::{fs, io};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::scenario::{Request, Response, Scenario, string};

/// Scenarios that look at files that no request of theirs had made.
pub(crate) const SCENARIOS: [&str; 2] = ["view", "view_security"];

/// Writes what `GET /view` served into the folders below `base`.
///
/// # Errors
/// A file cannot be written.
pub(crate) fn files(scenario: &Scenario, base: &Path) -> io::Result<()> {
    for folder in ["input", "output", "temp"] {
        fs::create_dir_all(base.join(folder))?;
    }
    for step in &scenario.steps {
        let (Some(request), Some(response)) = (&step.request, &step.response) else { continue };
        let Some((path, content)) = place(request).zip(whole(response)) else { continue };
        let path = base.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, content)?;
        let time =
            response.headers.get("Last-Modified").and_then(|time| httpdate::parse_http_date(time).ok());
        fs::File::options().write(true).open(&path)?.set_modified(time.unwrap_or_else(SystemTime::now))?;
    }
    Ok(())
}

/// The file that a request is about, when it asks for the file as it is.
fn place(request: &Request) -> Option<String> {
    let path = request.path.strip_prefix("/api").unwrap_or(&request.path);
    let query = path.strip_prefix("/view?").filter(|_| request.method == "GET")?;
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref());
    if value("preview").is_some() || value("channel").is_some() {
        return None;
    }
    let mut name = value("filename")?;
    let mut folder = value("type").unwrap_or("output");
    for annotated in ["input", "output", "temp"] {
        if let Some(plain) = name.strip_suffix(&format!(" [{annotated}]")) {
            (name, folder) = (plain, annotated);
        }
    }
    let path = format!("{folder}/{}/{name}", value("subfolder").unwrap_or_default());
    // What leaves the folders was served for another reason.
    (["input", "output", "temp"].contains(&folder) && !path.contains("..")).then_some(path)
}

/// The content of a file that was served in full.
fn whole(response: &Response) -> Option<Vec<u8>> {
    let body = response.body.as_ref().filter(|_| response.status == Some(200))?;
    if let Some(base64) = string(body, "base64") {
        return BASE64_STANDARD.decode(base64).ok();
    }
    string(body, "text").or_else(|| Some(body.get("json")?.get().to_owned())).map(String::into_bytes)
}
