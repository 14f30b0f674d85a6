//! The table of routes in `docs/coverage.md` says what is so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use comfy_api_client::protocol::route;
use serde_json::Value;

struct Row {
    methods: Vec<String>,
    since: String,
    tests: Vec<String>,
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The table, by route; no route twice.
fn rows() -> BTreeMap<String, Row> {
    let text = fs::read_to_string(here("../../docs/coverage.md")).unwrap();
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [route, methods, since, tests] = cells[..] else { panic!("{line}") };
        let names = |cell: &str| -> Vec<String> {
            cell.split(',')
                .map(|name| name.trim().trim_matches('`').to_owned())
                .filter(|name| name != "–")
                .collect()
        };
        let row = Row { methods: names(methods), since: since.to_owned(), tests: names(tests) };
        assert!(rows.insert(route.trim_matches('`').to_owned(), row).is_none(), "{route} is there twice");
    }
    rows
}

/// All of the code in a folder.
fn code(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.push_str(&code(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    all
}

#[test]
fn every_route_has_a_row_with_its_version_its_methods_and_its_tests() {
    let rows = rows();
    let (library, tests) = (code(&here("src")), code(&here("tests/it")));
    let has_method = |name: &str| {
        ["(", "<"].iter().any(|end| {
            library.contains(&format!("pub fn {name}{end}"))
                || library.contains(&format!("pub async fn {name}{end}"))
        })
    };
    for route in route::ALL {
        let row = rows.get(&route.to_string()).unwrap_or_else(|| panic!("`{route}` has no row"));
        let since = route.since.map_or("cloud".to_owned(), |since| since.to_string());
        assert_eq!(row.since, since, "`{route}`");
        assert!(!row.methods.is_empty() && !row.tests.is_empty(), "`{route}` has a method and a test");
        for method in &row.methods {
            assert!(has_method(method), "`{route}`: there is no method `{method}`");
        }
        for test in &row.tests {
            assert!(tests.contains(&format!("fn {test}(")), "`{route}`: there is no test `{test}`");
        }
    }
    assert_eq!(rows.len(), route::ALL.len(), "there are rows of other routes");
}

#[test]
fn every_route_is_called_somewhere() {
    let (table, library) =
        (fs::read_to_string(here("../comfy-protocol/src/version.rs")).unwrap(), code(&here("src")));
    let mut names = 0;
    for line in table.lines().map(str::trim).filter(|line| line.ends_with(';')) {
        let parts: Vec<&str> = line.split('"').collect();
        let [name, _, " ", _, _] = parts[..] else { continue };
        let name = name.trim().trim_end_matches(':');
        let is_called = library.match_indices(&format!("route::{name}")).any(|(at, found)| {
            // Not only the beginning of a longer name.
            !library[at + found.len()..].starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_')
        });
        assert!(is_called, "route::{name}");
        names += 1;
    }
    assert_eq!(names, route::ALL.len());
}

#[test]
fn the_routes_that_were_found_on_servers_are_all_there() {
    let corpus = std::env::var_os("COMFY_CORPUS").map_or_else(|| here("../../../shared"), PathBuf::from);
    let Ok(bytes) = fs::read(corpus.join("api/routes.json")) else {
        assert!(std::env::var_os("CI").is_none(), "the list of routes is missing");
        eprintln!("skipped: the list of the routes of servers is not at hand");
        return;
    };
    let rows = rows();
    let found: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let local = found.iter().filter(|route| ["local", "both"].contains(&route["runtime"].as_str().unwrap()));
    for route in local.clone() {
        let text = |key: &str| route[key].as_str().unwrap();
        let name = format!("{} {}", text("method"), text("path"));
        let row = rows.get(&name).unwrap_or_else(|| panic!("`{name}` has no row"));
        let since = text("since").trim_start_matches("<=").trim_end_matches(']');
        assert_eq!(row.since, since.rsplit(',').next().unwrap(), "`{name}`");
    }
    assert!(local.count() > 70);
}
