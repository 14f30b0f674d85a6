//! Files as they come: pictures, sound, video, and what is none of them. Seeds: files that servers wrote.
#![no_main]

use std::io::Cursor;

use comfy_workflow::convert::ConvertOptions;
use comfy_workflow::{Workflow, metadata};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let at_once = metadata::read(data);
    let piecewise = metadata::read_from(Cursor::new(data));
    assert_eq!(at_once.as_ref().ok(), piecewise.as_ref().ok());
    if let Ok(metadata) = &at_once {
        for problem in &metadata.problems {
            assert!(!problem.contains(char::is_control), "{problem:?}");
        }
    }
    match Workflow::read(data) {
        Ok(document) => drop(document.into_workflow(comfy_fuzz::schemas(), &ConvertOptions::new())),
        Err(error) => {
            assert!(!error.to_string().contains(|c: char| c.is_control() && c != '\n'), "{error:?}")
        }
    }
});
