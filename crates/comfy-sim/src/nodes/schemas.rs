//! What `object_info` says about the classes that the simulator computes.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json};

use crate::files::{Files, Folder};

/// The facts of one server version, without its prose. A test makes sure that the text is JSON.
static FACTS: LazyLock<Map<String, Json>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../schemas/0.30.0.json")).unwrap_or_default());

/// Classes whose input `image` offers the pictures of the input folder.
const PICTURE_CHOOSERS: [&str; 2] = ["LoadImage", "LoadImageMask"];

/// Endings that the server takes for pictures, whatever the file holds.
const PICTURE_ENDINGS: [&str; 19] = [
    "avif", "bmp", "gif", "heic", "heif", "ico", "ief", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm",
    "ppm", "svg", "tif", "tiff", "webp",
];

/// The whole `object_info`.
pub(crate) fn object_info(files: &Files) -> Map<String, Json> {
    FACTS.keys().filter_map(|class| Some((class.clone(), object_info_of(class, files)?))).collect()
}

/// The entry of one class.
pub(crate) fn object_info_of(class: &str, files: &Files) -> Option<Json> {
    let mut facts = FACTS.get(class)?.clone();
    if PICTURE_CHOOSERS.contains(&class)
        && let Some(choices) = facts.pointer_mut("/input/required/image/0")
    {
        *choices = files.list(Folder::Input).into_iter().filter(|name| is_picture(name)).collect();
    }
    Some(facts)
}

fn is_picture(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| PICTURE_ENDINGS.contains(&ending.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::files::Upload;
    use crate::nodes::classes;

    fn files() -> (tempfile::TempDir, Files) {
        let directory = tempfile::tempdir().expect("temporary directory");
        let files = Files::new(directory.path());
        (directory, files)
    }

    #[test]
    fn every_class_has_facts_and_every_fact_a_class() {
        let named: Vec<&str> = FACTS.keys().map(String::as_str).collect();
        let computed: Vec<&str> = classes().iter().map(|class| class.name).collect();
        assert_eq!(named, computed);
        for (name, facts) in FACTS.iter() {
            assert_eq!(facts["name"], json!(name));
            for section in ["required", "optional", "hidden"] {
                let inputs = facts["input"][section].as_object().into_iter().flat_map(Map::keys);
                let order = facts["input_order"][section].as_array().into_iter().flatten();
                assert!(inputs.eq(order.map(|name| name.as_str().expect("a name"))), "{name} {section}");
            }
        }
    }

    #[test]
    fn the_facts_hold_no_prose() {
        for (name, facts) in FACTS.iter() {
            assert_eq!(facts["description"], json!(""), "{name}");
            assert!(!facts.to_string().contains("tooltip\":\""), "{name}");
        }
    }

    #[test]
    fn pictures_of_the_input_folder_are_offered() {
        let (_directory, files) = files();
        for name in ["b.png", "a.PNG", "c.txt", "noending", "d.webp"] {
            files.store_upload(Folder::Input, "", name, &Upload::of(b"x", false)).expect("stored");
        }
        files.store_upload(Folder::Input, "sub", "deep.png", &Upload::of(b"x", false)).expect("stored");
        let all = object_info(&files);
        assert_eq!(all.len(), classes().len());
        for class in PICTURE_CHOOSERS {
            assert_eq!(all[class]["input"]["required"]["image"][0], json!(["a.PNG", "b.png", "d.webp"]));
            assert_eq!(all[class]["input"]["required"]["image"][1], json!({"image_upload": true}));
        }
    }

    #[test]
    fn unknown_classes_have_no_entry() {
        let (_directory, files) = files();
        assert!(object_info_of("KSampler", &files).is_none());
    }
}
