//! The database of assets: which content is known, and who refers to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::facts::{self, Fingerprint};
use super::roots::{Found, Root};

/// The tag of what is no longer where it was.
pub(super) const MISSING: &str = "missing";

/// Tags that a new database has, though nothing carries them.
const KNOWN_TAGS: [&str; 24] = [
    "checkpoints",
    "classifiers",
    "clip_vision",
    "configs",
    "controlnet",
    "decoder",
    "diffusers",
    "diffusion_models",
    "embeddings",
    "encoder",
    "gligen",
    "hypernetworks",
    "input",
    "loras",
    "missing",
    "models",
    "output",
    "photomaker",
    "rescan",
    "style_models",
    "text_encoders",
    "upscale_models",
    "vae",
    "vae_approx",
];

pub(super) type Tags = BTreeSet<String>;

/// Some bytes that the server knows.
#[derive(Debug, Clone)]
pub(super) struct Content {
    /// `None` while nobody has hashed them.
    pub(super) hash: Option<String>,
    pub(super) size: u64,
    pub(super) mime_type: String,
    /// What kind of picture they are, where they are one.
    pub(super) picture: Map<String, Json>,
}

/// The file that belongs to a reference.
#[derive(Debug, Clone)]
pub(super) struct OwnedFile {
    pub(super) path: PathBuf,
    pub(super) root: Root,
    /// The kind of model that it is.
    pub(super) category: Option<String>,
    /// Its path in its folder; of models, in the folder of their kind.
    pub(super) relative: String,
    fingerprint: Option<Fingerprint>,
}

/// One way to speak of some content: what clients call an asset.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) id: String,
    content: usize,
    pub(super) name: String,
    pub(super) file: Option<OwnedFile>,
    pub(super) preview_id: Option<String>,
    pub(super) user_metadata: Map<String, Json>,
    /// What a scan found out.
    pub(super) scanned: Option<Map<String, Json>>,
    pub(super) tags: Tags,
    pub(super) job_id: Option<String>,
    /// Microseconds since the epoch, like the other times.
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) last_access_time: i64,
    /// A scan has found its file gone: it is in no list.
    is_missing: bool,
    /// It was deleted, which its file does not know of.
    is_deleted: bool,
}

/// What a client says about a new reference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    pub(crate) name: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) user_metadata: Map<String, Json>,
    pub(crate) preview_id: Option<String>,
}

/// What is to be changed about a reference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) name: Option<String>,
    pub(crate) user_metadata: Option<Map<String, Json>>,
    pub(crate) preview_id: Option<String>,
}

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ChangeError {
    NoSuchAsset,
    NoSuchPreview(String),
}

/// What a scan of the folders did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) total: u64,
    pub(crate) created: u64,
    pub(crate) skipped: u64,
}

#[derive(Debug)]
pub(crate) struct Store {
    contents: Vec<Content>,
    by_hash: HashMap<String, usize>,
    /// In the order in which they were made.
    references: IndexMap<String, Reference>,
    by_path: HashMap<PathBuf, String>,
    known_tags: Tags,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            contents: Vec::new(),
            by_hash: HashMap::new(),
            references: IndexMap::new(),
            by_path: HashMap::new(),
            known_tags: KNOWN_TAGS.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl Store {
    /// Whether there is content of this hash. It stays known when all that refers to it is deleted.
    pub(crate) fn knows(&self, hash: &str) -> bool {
        self.by_hash.contains_key(hash)
    }

    /// A reference that was not deleted.
    pub(super) fn get(&self, id: &str) -> Option<&Reference> {
        self.references.get(id).filter(|reference| !reference.is_deleted)
    }

    fn get_mut(&mut self, id: &str) -> Option<&mut Reference> {
        self.references.get_mut(id).filter(|reference| !reference.is_deleted)
    }

    pub(super) fn content(&self, reference: &Reference) -> &Content {
        &self.contents[reference.content]
    }

    /// What is in lists.
    pub(super) fn listed(&self) -> impl Iterator<Item = &Reference> {
        self.references.values().filter(|reference| !reference.is_deleted && !reference.is_missing)
    }

    /// The file of a reference: its own, or another one of the same content.
    pub(super) fn file_of(&self, reference: &Reference) -> Option<PathBuf> {
        let own = reference.file.as_ref().map(|file| file.path.clone());
        own.filter(|path| path.is_file()).or_else(|| self.file_with(reference.content).map(|(path, _)| path))
    }

    /// A file of this hash, with the name of its reference.
    pub(super) fn file_by_hash(&self, hash: &str) -> Option<(PathBuf, &Reference)> {
        self.file_with(*self.by_hash.get(hash)?)
    }

    fn file_with(&self, content: usize) -> Option<(PathBuf, &Reference)> {
        let mut references = self.listed().filter(|reference| reference.content == content);
        references.find_map(|reference| {
            let path = &reference.file.as_ref()?.path;
            path.is_file().then(|| (path.clone(), reference))
        })
    }

    /// Adds a reference to known content. It owns no file.
    pub(crate) fn refer(&mut self, hash: &str, wish: Wish, now: i64) -> Option<String> {
        let content = *self.by_hash.get(hash)?;
        let digits = hash.rsplit(':').next().unwrap_or(hash);
        let name = wish.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| digits.to_owned());
        Some(self.add(content, name, None, wish, now))
    }

    /// A file has been stored whose content has this hash. What referred to its path refers to the new content then.
    pub(crate) fn stored(
        &mut self,
        found: Found,
        hash: &str,
        mime_type: Option<&str>,
        wish: Wish,
        now: i64,
    ) -> String {
        let own = mime_type.unwrap_or_else(|| facts::mime_type(&found.relative));
        let content = match self.by_hash.get(hash) {
            Some(&content) => content,
            None => {
                let content = self.new_content(&found, own);
                self.contents[content].hash = Some(hash.to_owned());
                self.by_hash.insert(hash.to_owned(), content);
                content
            }
        };
        self.place(content, found, wish, now)
    }

    /// A node has written a file. What is in it is found out later.
    pub(crate) fn written(&mut self, found: Found, prompt_id: &str, now: i64) -> String {
        let content = self.new_content(&found, facts::mime_type(&found.relative));
        let wish = Wish { tags: vec!["uploaded".to_owned()], ..Wish::default() };
        let id = self.place(content, found, wish, now);
        self.reported(&id, prompt_id, now);
        id
    }

    /// A prompt has shown this file.
    pub(crate) fn reported(&mut self, id: &str, prompt_id: &str, now: i64) {
        if let Some(reference) = self.get_mut(id) {
            reference.job_id = Some(prompt_id.to_owned());
            reference.updated_at = now;
        }
    }

    pub(crate) fn was_read(&mut self, id: &str, now: i64) {
        if let Some(reference) = self.get_mut(id) {
            reference.last_access_time = now;
        }
    }

    pub(crate) fn change(&mut self, id: &str, change: Change, now: i64) -> Result<(), ChangeError> {
        if self.get(id).is_none() {
            return Err(ChangeError::NoSuchAsset);
        }
        if let Some(preview) = change.preview_id.as_ref().filter(|preview| self.get(preview).is_none()) {
            return Err(ChangeError::NoSuchPreview(preview.clone()));
        }
        let reference = self.get_mut(id).ok_or(ChangeError::NoSuchAsset)?;
        reference.name = change.name.unwrap_or_else(|| reference.name.clone());
        if let Some(data) = change.user_metadata {
            reference.user_metadata = data;
            reference.name_file();
        }
        reference.preview_id = change.preview_id.or_else(|| reference.preview_id.take());
        reference.updated_at = now;
        Ok(())
    }

    /// Deletes a reference, which leaves its file alone. Says whether there was one.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        self.get_mut(id).map(|reference| reference.is_deleted = true).is_some()
    }

    /// Adds tags. Gives those that are new, those that were there, and all.
    pub(crate) fn add_tags(&mut self, id: &str, tags: &[String], now: i64) -> Option<[Vec<String>; 3]> {
        let tags = cleaned(tags);
        let reference = self.references.get_mut(id).filter(|reference| !reference.is_deleted)?;
        self.known_tags.extend(tags.iter().cloned());
        let (present, added): (Vec<_>, Vec<_>) =
            tags.into_iter().partition(|tag| reference.tags.contains(tag));
        reference.tags.extend(added.iter().cloned());
        reference.updated_at = now;
        Some([added, present, reference.tags.iter().cloned().collect()])
    }

    /// Removes tags. Gives those that were there, those that were not, and what is left.
    pub(crate) fn remove_tags(&mut self, id: &str, tags: &[String], now: i64) -> Option<[Vec<String>; 3]> {
        let reference = self.get_mut(id)?;
        let (removed, absent): (Vec<_>, Vec<_>) =
            cleaned(tags).into_iter().partition(|tag| reference.tags.contains(tag));
        reference.tags.retain(|tag| !removed.contains(tag));
        reference.updated_at = now;
        Some([removed, absent, reference.tags.iter().cloned().collect()])
    }

    /// How often each tag is carried. What is gone counts for the tag that says so only.
    pub(super) fn tag_counts(&self) -> BTreeMap<&str, u64> {
        let mut counts: BTreeMap<&str, u64> = self.known_tags.iter().map(|tag| (tag.as_str(), 0)).collect();
        for reference in self.references.values().filter(|reference| !reference.is_deleted) {
            for tag in reference.tags.iter().filter(|tag| !reference.is_missing || *tag == MISSING) {
                *counts.entry(tag).or_default() += 1;
            }
        }
        counts
    }

    /// The first half of a scan: takes in the files that are new, and notes which are gone.
    pub(crate) fn take_in(&mut self, roots: &[Root], files: Vec<Found>, now: i64) -> Tally {
        self.look_after(roots);
        let mut tally = Tally { total: files.len() as u64, ..Tally::default() };
        for found in files {
            match self.by_path.get(&found.path).and_then(|id| self.references.get(id)) {
                // A deleted one is neither new nor known.
                Some(reference) if reference.is_deleted => {}
                Some(_) => tally.skipped += 1,
                None => {
                    let content = self.new_content(&found, facts::mime_type(&found.relative));
                    self.contents[content].picture = Map::new();
                    self.place(content, found, Wish::default(), now);
                    tally.created += 1;
                }
            }
        }
        tally
    }

    /// The files whose content a scan has still to look at.
    pub(crate) fn unread(&self, roots: &[Root]) -> Vec<(String, PathBuf, String)> {
        let mut unread = Vec::new();
        for reference in self.listed().filter(|reference| reference.scanned.is_none()) {
            if let Some(file) = reference.file.as_ref().filter(|file| roots.contains(&file.root)) {
                unread.push((reference.id.clone(), file.path.clone(), file.relative.clone()));
            }
        }
        unread
    }

    /// The second half: what was found out about one file. Content that was known under this hash becomes one with it.
    pub(crate) fn found_out(&mut self, id: &str, facts: Map<String, Json>, hash: Option<String>, now: i64) {
        let Some(reference) = self.references.get_mut(id) else { return };
        reference.scanned = Some(facts);
        reference.updated_at = now;
        let content = reference.content;
        if let Some(hash) = hash.filter(|_| self.contents[content].hash.is_none()) {
            match self.by_hash.get(&hash) {
                Some(&known) => reference.content = known,
                None => {
                    self.contents[content].hash = Some(hash.clone());
                    self.by_hash.insert(hash, content);
                }
            }
        }
    }

    /// Notes which files of these folders are gone or have been changed, and which are back.
    fn look_after(&mut self, roots: &[Root]) {
        let mut states: HashMap<usize, bool> = HashMap::new();
        for reference in self.references.values_mut().filter(|reference| !reference.is_deleted) {
            let Some(file) = &reference.file else { continue };
            if roots.contains(&file.root) {
                let there = Fingerprint::of(&file.path);
                reference.is_missing = there.is_none();
                set(&mut reference.tags, there != file.fingerprint);
            }
            let is_there = !reference.tags.contains(MISSING);
            *states.entry(reference.content).or_default() |= is_there;
        }
        for reference in self.references.values_mut().filter(|reference| reference.file.is_none()) {
            if let Some(is_there) = states.get(&reference.content) {
                set(&mut reference.tags, !is_there);
            }
        }
    }

    fn new_content(&mut self, found: &Found, mime_type: &str) -> usize {
        let size = found.path.metadata().map_or(0, |data| data.len());
        let picture = facts::picture(&found.path, mime_type);
        self.contents.push(Content { hash: None, size, mime_type: mime_type.to_owned(), picture });
        self.contents.len() - 1
    }

    /// Makes `content` the content of a file's reference, which is made when there is none.
    fn place(&mut self, content: usize, found: Found, mut wish: Wish, now: i64) -> String {
        wish.tags.extend(found.tags());
        let fingerprint = Fingerprint::of(&found.path);
        let Found { path, root, category, relative } = found;
        let name =
            wish.name.clone().unwrap_or_else(|| relative.rsplit('/').next().unwrap_or_default().to_owned());
        if let Some(reference) = self.by_path.get(&path).and_then(|id| self.references.get_mut(id)) {
            reference.content = content;
            reference.name = name;
            reference.updated_at = now;
            reference.scanned = None;
            (reference.is_missing, reference.is_deleted) = (false, false);
            if let Some(file) = &mut reference.file {
                file.fingerprint = fingerprint;
            }
            reference.tags.extend(wish.tags);
            reference.tags.remove(MISSING);
            return reference.id.clone();
        }
        let file = OwnedFile { path: path.clone(), root, category, relative, fingerprint };
        let id = self.add(content, name, Some(file), wish, now);
        if let Some(reference) = self.references.get_mut(&id) {
            reference.tags.remove(MISSING);
        }
        self.by_path.insert(path, id.clone());
        id
    }

    fn add(&mut self, content: usize, name: String, file: Option<OwnedFile>, wish: Wish, now: i64) -> String {
        let tags = cleaned(&wish.tags);
        self.known_tags.extend(tags.iter().cloned());
        let id = uuid::Uuid::new_v4().to_string();
        let mut reference = Reference {
            id: id.clone(),
            content,
            name,
            file,
            // One that does not exist is left out without a word.
            preview_id: wish.preview_id.filter(|preview| self.get(preview).is_some()),
            user_metadata: wish.user_metadata,
            scanned: None,
            tags: tags.into_iter().collect(),
            job_id: None,
            created_at: now,
            updated_at: now,
            last_access_time: now,
            is_missing: false,
            is_deleted: false,
        };
        reference.name_file();
        self.references.insert(id.clone(), reference);
        id
    }
}

impl Reference {
    /// Puts the name of its file among the data of its user.
    fn name_file(&mut self) {
        if let Some(file) = &self.file {
            self.user_metadata.insert("filename".into(), file.relative.as_str().into());
        }
    }
}

fn set(tags: &mut Tags, is_missing: bool) {
    if is_missing {
        tags.insert(MISSING.to_owned());
    } else {
        tags.remove(MISSING);
    }
}

/// Tags without blanks around them, each once, in their order by name.
fn cleaned(tags: &[String]) -> Vec<String> {
    let tags: Tags =
        tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
    tags.into_iter().collect()
}
