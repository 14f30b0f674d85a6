//! The README's tour of the command, as somebody new types it.

use std::path::{Path, PathBuf};

use comfy_sim::Sim;

use crate::support::{Place, ended};

fn root() -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).to_owned()
}

/// The blocks for the shell below a head line, up to the next of its kind.
fn blocks(page: &str, head: &str) -> Vec<String> {
    let page = page.split(head).nth(1).unwrap().split("\n## ").next().unwrap();
    page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// What ends by itself. The server is there already, and what watches is tested elsewhere.
fn ends(line: &str) -> bool {
    !["cargo ", "comfyctl serve", "comfyctl watch", "--watch-dir"].iter().any(|part| line.contains(part))
}

#[test]
#[cfg(unix)]
fn every_command_of_the_readme_works() {
    let page = std::fs::read_to_string(root().join("README.md")).unwrap();
    let sim =
        tokio::runtime::Runtime::new().unwrap().block_on(Sim::builder().any_model(true).start()).unwrap();
    let place = Place::new();
    for folder in ["examples", "docs/images"] {
        std::fs::create_dir_all(place.path(folder)).unwrap();
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), place.path(folder).join(entry.file_name())).unwrap();
        }
    }
    let program = assert_cmd::cargo::cargo_bin!("comfyctl");
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut lines = 0;
    for block in blocks(&page, "\n## The command\n") {
        let block: Vec<&str> = block.lines().filter(|line| ends(line)).collect();
        lines += block.len();
        let mut shell = place.program("sh");
        // Differences are what `diff` is asked for.
        let script = block.join("\n").replace("comfyctl diff", "! comfyctl diff");
        shell.args(["-euc", &script]).env("PATH", &path).env("COMFYUI_URL", sim.url());
        let ran = ended(shell, "");
        assert_eq!(ran.code, Some(0), "{script}\n{ran}");
    }
    assert!(lines > 20, "{lines}");
    let out = place.names("out");
    assert!(out.contains(&"landscape_00001_.png".to_owned()), "{out:?}");
    assert!(place.names("many").contains(&"index.html".to_owned()));
    assert_eq!(place.names("rows").iter().filter(|name| name.ends_with(".png")).count(), 3);
}
