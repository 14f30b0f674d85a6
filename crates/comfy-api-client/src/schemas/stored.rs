//! Schemas in a folder, for programs that run for a moment.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use comfy_workflow::schema::Schemas;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// After this long a file counts for nothing.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The largest answer that is stored or read, in bytes.
const LARGEST: u64 = 256 << 20;

/// The longest first line of a file.
const LONGEST_HEAD: u64 = 16 << 10;

const FORMAT: &str = "comfyui-node-schemas-1";
const PREFIX: &str = "schemas-";
const SUFFIX: &str = ".json.gz";

/// A folder with a file for every server: its answer, compressed, behind a line that says whose and when.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    folder: PathBuf,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    format: String,
    /// The server's address without credentials.
    server: String,
    version: String,
    /// When it was asked, in seconds since 1970.
    asked: u64,
}

impl Store {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What is stored for this version of a server, unless it is too old or not to be read.
    pub(crate) async fn read(&self, server: &str, version: &str) -> Option<Schemas> {
        let path = self.path(server);
        let (server, version) = (server.to_owned(), version.to_owned());
        let work = move || read(&path, &server, &version, now());
        tokio::task::spawn_blocking(work).await.ok()?
    }

    /// Stores an answer. Where that fails the next program asks again.
    pub(crate) async fn write(&self, server: String, version: String, body: Bytes) {
        // What has no version cannot be told from what comes after it.
        if version.is_empty() || body.len() as u64 > LARGEST {
            return;
        }
        let (folder, path) = (self.folder.clone(), self.path(&server));
        let head = Head { format: FORMAT.into(), server, version, asked: now() };
        let work = move || {
            if let Err(error) = write(&folder, &path, &head, &body) {
                tracing::debug!(%error, path = %path.display(), "the node schemas cannot be stored");
            }
            remove_old(&folder);
        };
        let _ = tokio::task::spawn_blocking(work).await;
    }

    fn path(&self, server: &str) -> PathBuf {
        let hash = Sha256::digest(server.as_bytes());
        let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{PREFIX}{hash}{SUFFIX}"))
    }
}

fn read(path: &Path, server: &str, version: &str, now: u64) -> Option<Schemas> {
    let file = std::fs::File::open(path).ok()?;
    let mut text = BufReader::new(GzDecoder::new(BufReader::new(file)).take(LARGEST));
    let mut head = Vec::new();
    text.by_ref().take(LONGEST_HEAD).read_until(b'\n', &mut head).ok()?;
    let head: Head = serde_json::from_slice(&head).ok()?;
    let age = now.checked_sub(head.asked)?;
    if (head.format.as_str(), head.server.as_str(), head.version.as_str()) != (FORMAT, server, version)
        || age > LONGEST.as_secs()
    {
        return None;
    }
    let mut body = Vec::new();
    // A file that was cut off or changed has another checksum.
    text.read_to_end(&mut body).ok()?;
    let schemas = Schemas::from_slice(&body).ok()?;
    tracing::debug!(classes = schemas.len(), age, "node schemas from the store");
    Some(schemas)
}

/// Under a temporary name first: a file is complete or not there.
fn write(folder: &Path, path: &Path, head: &Head, body: &[u8]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let part = tempfile::Builder::new().prefix(PREFIX).suffix(".part").tempfile_in(folder)?;
    let mut writer = GzEncoder::new(io::BufWriter::new(part), Compression::fast());
    serde_json::to_writer(&mut writer, head)?;
    writer.write_all(b"\n")?;
    writer.write_all(body)?;
    let part = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    part.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Removes what counts for nothing any more: files of servers long gone, and parts of writers that were cut off.
fn remove_old(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.starts_with(PREFIX) && (name.ends_with(SUFFIX) || name.ends_with(".part"));
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|then| then.elapsed().ok());
        if is_ours && age.is_some_and(|age| age > LONGEST) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "http://127.0.0.1:8188";

    fn stored(asked: u64) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Store::new(folder.path().join("cache")).path(SERVER);
        let head = Head { format: FORMAT.into(), server: SERVER.into(), version: "0.30.0".into(), asked };
        write(path.parent().unwrap(), &path, &head, br#"{"SaveImage": {"output_node": true}}"#).unwrap();
        (folder, path)
    }

    #[test]
    fn what_was_stored_is_read_for_the_same_server_and_version_only() {
        let (_folder, path) = stored(1000);
        assert!(read(&path, SERVER, "0.30.0", 1001).unwrap().get("SaveImage").unwrap().output_node);
        assert!(read(&path, SERVER, "0.30.1", 1001).is_none());
        assert!(read(&path, "http://127.0.0.1:8189", "0.30.0", 1001).is_none());
    }

    #[test]
    fn what_is_older_than_a_day_or_from_the_future_does_not_count() {
        let (_folder, path) = stored(1000);
        assert!(read(&path, SERVER, "0.30.0", 1000 + 86_400).is_some());
        assert!(read(&path, SERVER, "0.30.0", 1001 + 86_400).is_none());
        assert!(read(&path, SERVER, "0.30.0", 999).is_none());
    }

    #[test]
    fn a_file_that_is_cut_off_changed_or_foreign_does_not_count() {
        let (_folder, path) = stored(1000);
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(read(&path, SERVER, "0.30.0", 1001).is_none(), "cut at {length}");
        }
        // Behind the head of the compression, whose own time and system mean nothing. The bits that fill its last byte
        // mean nothing either.
        for place in 10..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 0x10;
            std::fs::write(&path, changed).unwrap();
            let schemas = read(&path, SERVER, "0.30.0", 1001);
            let same = |schemas: Schemas| schemas.get("SaveImage").is_some_and(|schema| schema.output_node);
            assert!(schemas.is_none_or(same), "changed at {place}");
        }
        std::fs::write(&path, "{}").unwrap();
        assert!(read(&path, SERVER, "0.30.0", 1001).is_none());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(read(&path, SERVER, "0.30.0", 1001).is_none());
    }

    #[test]
    fn what_is_old_is_removed_and_files_of_others_stay() {
        let (_folder, path) = stored(1000);
        let folder = path.parent().unwrap();
        let old = SystemTime::now() - LONGEST - Duration::from_secs(60);
        let others = folder.join("notes.txt");
        let part = folder.join("schemas-abc.part");
        for file in [&path, &others, &part] {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
            file.set_modified(old).unwrap();
        }
        remove_old(folder);
        assert!(!path.exists() && !part.exists() && others.exists());
    }

    #[test]
    fn names_of_files_tell_nothing() {
        let path = Store::new("cache".into()).path("https://gpu.example/comfy");
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.len() == PREFIX.len() + 32 + SUFFIX.len(), "{name}");
        assert!(!name.contains("gpu"));
    }
}
