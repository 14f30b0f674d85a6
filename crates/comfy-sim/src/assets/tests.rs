use serde_json::json;

use super::*;
use crate::clock::{Clock, Ticking};
use crate::faults::Faults;
use crate::models::Models;
use crate::requests::Requests;

/// Files with a picture and a text in the input folder, and a database that has scanned them.
fn scanned() -> (tempfile::TempDir, Files, Store) {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::new(directory.path());
    files.prepare().unwrap();
    let input = files.root(Folder::Input);
    std::fs::create_dir(input.join("sub dir")).unwrap();
    std::fs::write(input.join("sub dir/é.json"), "{}").unwrap();
    image::RgbImage::new(5, 4).save(input.join("p (1).png")).unwrap();
    let mut store = Store::default();
    scan(&files, &mut store);
    (directory, files, store)
}

fn scan(files: &Files, store: &mut Store) -> store::Tally {
    let roots = [Root::Input];
    let models = Models::new(ServerVersion::V0_30_0, None, files.base());
    let tally = store.take_in(&roots, roots::files_in(Root::Input, files, &models), 5);
    for (id, path, relative) in store.unread(&roots) {
        let hash = facts::hash_of_file(&path).ok();
        store.found_out(&id, facts::scanned(&path, &relative, 2), hash, 6);
    }
    tally
}

fn list(store: &Store, filter: &Filter) -> Vec<Json> {
    let page = Page { limit: 20, offset: 0, sort: Sort::Name, descending: false, after: None };
    store.list(filter, &page)["assets"].as_array().unwrap().clone()
}

fn names(store: &Store, filter: &Filter) -> Vec<String> {
    list(store, filter).iter().map(|asset| asset["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_scanned_file_is_described_with_all_that_was_found_out() {
    let (_directory, files, store) = scanned();
    let [picture, text] = list(&store, &Filter::default()).try_into().unwrap();
    assert_eq!(picture["preview_url"], "/api/view?type=input&filename=p%20%281%29.png");
    assert_eq!(picture["metadata"]["width"], 5);
    assert_eq!(text["preview_url"], "/api/view?type=input&filename=%C3%A9.json&subfolder=sub%20dir");
    let path = files.root(Folder::Input).join("sub dir/é.json").display().to_string();
    let metadata = json!({
        "filename": "sub dir/é.json", "content_length": 2, "format": "json", "file_path": path,
        "content_type": "application/json",
    });
    assert_eq!(text["metadata"], metadata);
    assert_eq!((&text["name"], &text["loader_path"]), (&json!("é.json"), &json!("sub dir/é.json")));
    assert_eq!(text["tags"], json!(["input"]));
    assert_eq!(text["created_at"], "1970-01-01T00:00:00.000005");
}

#[test]
fn a_file_that_is_gone_is_in_no_list_and_comes_back() {
    let (_directory, files, mut store) = scanned();
    let id = list(&store, &Filter::default())[1]["id"].as_str().unwrap().to_owned();
    let hash = hash_of(b"{}");
    store.refer(&hash, Wish { name: Some("other".into()), ..Wish::default() }, 7).unwrap();
    let path = files.root(Folder::Input).join("sub dir/é.json");
    let elsewhere = files.root(Folder::Output).join("é.json");
    std::fs::rename(&path, &elsewhere).unwrap();
    assert_eq!(scan(&files, &mut store), store::Tally { total: 1, created: 0, skipped: 1 });
    assert_eq!(names(&store, &Filter::default()), ["other", "p (1).png"]);
    assert_eq!(store.describe(&id).unwrap()["tags"], json!(["input", "missing"]));
    assert_eq!(
        names(&store, &Filter { include_tags: vec!["missing".into()], ..Filter::default() }),
        ["other"]
    );
    assert_eq!(store.tags("missing", true, true), [("missing".to_owned(), 2)]);
    assert_eq!(store.tags("input", true, true), [("input".to_owned(), 1)]);
    std::fs::rename(&elsewhere, &path).unwrap();
    scan(&files, &mut store);
    assert_eq!(store.tags("missing", true, true), [("missing".to_owned(), 0)]);
    assert_eq!(store.describe(&id).unwrap()["tags"], json!(["input"]));
}

#[test]
fn a_deleted_asset_leaves_its_content_known_and_its_file_unclaimed() {
    let (_directory, files, mut store) = scanned();
    let id = list(&store, &Filter::default())[1]["id"].as_str().unwrap().to_owned();
    assert!(store.delete(&id));
    assert!(!store.delete(&id));
    assert_eq!(store.describe(&id), None);
    let hash = hash_of(b"{}");
    assert!(store.knows(&hash));
    assert!(store.file_by_hash(&hash).is_none());
    assert_eq!(scan(&files, &mut store), store::Tally { total: 2, created: 0, skipped: 1 });
    // What is stored there again is the asset that it was.
    let found =
        Found::in_folder(&files, Folder::Input, &files.root(Folder::Input).join("sub dir/é.json")).unwrap();
    assert_eq!(store.stored(found, &hash, None, Wish::default(), 8), id);
}

#[test]
fn metadata_is_filtered_by_value_by_any_of_several_and_by_absence() {
    let (_directory, _files, store) = scanned();
    let found = |metadata: Json| {
        names(&store, &Filter { metadata: metadata.as_object().unwrap().clone(), ..Filter::default() })
    };
    assert_eq!(found(json!({"kind": "image"})), ["p (1).png"]);
    assert_eq!(found(json!({"kind": null})), ["é.json"]);
    assert_eq!(found(json!({"format": ["json", "png"]})), ["p (1).png", "é.json"]);
    assert_eq!(found(json!({"format": "json", "kind": "image"})), [""; 0]);
}

#[test]
fn pages_follow_each_other_in_both_directions_of_a_list_of_equal_times() {
    let (_directory, _files, mut store) = scanned();
    for _ in 0..5 {
        store.refer(&hash_of(b"{}"), Wish::default(), 9).unwrap();
    }
    for descending in [true, false] {
        let mut page = Page { limit: 3, offset: 0, sort: Sort::CreatedAt, descending, after: None };
        let mut seen = Vec::new();
        loop {
            let list = store.list(&Filter::default(), &page);
            seen.extend(list["assets"].as_array().unwrap().iter().map(|asset| asset["id"].to_string()));
            let Some(cursor) = list.get("next_cursor").and_then(Json::as_str) else { break };
            page.after = Some(Cursor::parse(cursor, Sort::CreatedAt, descending).unwrap());
        }
        assert_eq!(seen.len(), 7);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 7);
    }
}

#[test]
fn an_output_gets_an_id_that_stays_when_it_is_shown_again() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::new(directory.path());
    files.prepare().unwrap();
    let options = Options { assets: options::Assets::On, ..Options::default() };
    let lasting = Lasting {
        clock: Ticking::new(Clock::System, None),
        faults: Faults::default(),
        requests: Requests::default(),
    };
    let assets = Assets::new(&options, Arc::new(lasting)).unwrap();
    std::fs::write(files.root(Folder::Output).join("a.txt"), "x").unwrap();
    let ui = json!({"text": ["t"], "files": [
        {"filename": "a.txt", "subfolder": "", "type": "output"},
        {"filename": "none.txt", "subfolder": "", "type": "output"},
    ]});
    let Json::Object(mut ui) = ui else { unreachable!() };
    assets.identify(&mut ui, &files, "first");
    let id = ui["files"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ui["files"][1].get("id"), None);
    assets.shown_again(&ui, "second");
    let asset = assets.store().describe(&id).unwrap();
    assert_eq!((&asset["job_id"], &asset["prompt_id"]), (&json!("second"), &json!("second")));
    assert_eq!(asset["tags"], json!(["output", "uploaded"]));
    assert_eq!(asset.get("hash"), None);
}
