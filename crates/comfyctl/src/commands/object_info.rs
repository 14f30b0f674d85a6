//! `--object-info`: node schemas in a file.

use std::io::Read;
use std::path::Path;

use comfy_api_client::workflow::schema::Schemas;
use flate2::read::MultiGzDecoder;

use crate::exit::Exit;
use crate::failure::{Failure, one_line};

/// More than any server describes, in bytes.
const LARGEST: u64 = 1 << 30;

const HINT: &str = "save the body of a server's `/object_info` in a file, as JSON or packed by gzip";

/// Reads the schemas of a file, JSON or packed by gzip, whatever its name.
pub(crate) fn read(path: &Path) -> Result<Schemas, Failure> {
    let shown = one_line(&path.display().to_string());
    let bytes = bytes(path).map_err(|error| {
        Failure::of_file("object_info", &format!("cannot read {shown}"), &error).with_hint(HINT)
    })?;
    let wrong = |reason: &str| {
        Failure::usage("object_info", format!("{shown} has no node schemas: {reason}")).with_hint(HINT)
    };
    let schemas = Schemas::from_slice(&bytes).map_err(|error| wrong(&error.to_string()))?;
    if schemas.is_empty() {
        return Err(wrong("it is an empty object"));
    }
    // Any object of objects can be read as schemas.
    if schemas.iter().all(|(_, schema)| schema.category.is_empty() && schema.outputs.is_empty()) {
        let keys: Vec<String> =
            schemas.iter().take(3).map(|(name, _)| format!("`{}`", one_line(name))).collect();
        return Err(wrong(&format!("its entries, such as {}, describe no node classes", keys.join(", "))));
    }
    Ok(schemas)
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    if !bytes.starts_with(b"\x1f\x8b") {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(bytes.as_slice()).take(LARGEST).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// Adds to the failure to reach a server that it can be done without.
pub(crate) fn or_a_file(failure: Failure) -> Failure {
    match failure.exit {
        Exit::Unreachable => failure.with_another_hint("no server is needed with `--object-info FILE`"),
        _ => failure,
    }
}
