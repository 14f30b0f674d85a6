//! Who uses the server, and where the files of each are.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::files::{FilesError, inside, refuse_links_outside};
use crate::version::ServerVersion;
use crate::wire;

/// Whom everything belongs to where users are not told apart.
const DEFAULT: &str = "default";

/// The header that names the user where they are.
const HEADER: &str = "comfy-user";

/// Begins the names that belong to the server.
const RESERVED: &str = "__";

const SETTINGS: &str = "comfy.settings.json";

/// The users and their folders, which are in `user` of the base directory.
#[derive(Debug)]
pub(crate) struct Users {
    root: PathBuf,
    version: ServerVersion,
    multi_user: bool,
    /// Names by id.
    names: Mutex<IndexMap<String, String>>,
}

/// A user: a name of a folder that has been looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User(String);

/// Why there is no new user.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoUser {
    #[error("username not provided")]
    NoName,
    #[error("System User prefix not allowed")]
    Reserved,
    #[error("Duplicate username.")]
    Taken,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Users {
    /// The users that a base directory knows.
    pub(crate) fn new(base: &Path, version: ServerVersion, multi_user: bool) -> Self {
        let root = base.join("user");
        let names = fs::read(root.join("users.json")).ok();
        let names = names.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { root, version, multi_user, names: Mutex::new(names) }
    }

    pub(crate) fn is_multi_user(&self) -> bool {
        self.multi_user
    }

    /// Names by id.
    pub(crate) fn names(&self) -> IndexMap<String, String> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the folder of the one user is there.
    pub(crate) fn is_migrated(&self) -> bool {
        self.root.join(DEFAULT).is_dir()
    }

    /// Who sends a request; `None` when that is nobody that the server knows.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Option<User> {
        if !self.multi_user {
            return Some(User(DEFAULT.to_owned()));
        }
        let id = headers.get(HEADER)?.to_str().ok()?;
        // An id is the name of a folder, also one that somebody wrote into the list by hand.
        let is_name = !id.is_empty() && !id.starts_with('.') && !id.contains(['/', '\\', ':', '\0']);
        let reserved = self.version >= ServerVersion::V0_8_0 && id.starts_with(RESERVED);
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        (is_name && !reserved && names.contains_key(id)).then(|| User(id.to_owned()))
    }

    /// Adds a user and returns its id, which is the name with another ending each time.
    pub(crate) fn add(&self, name: &str) -> Result<String, NoUser> {
        let trimmed = name.trim();
        if trimmed.is_empty() {
            return Err(NoUser::NoName);
        }
        if self.version >= ServerVersion::V0_8_0 && trimmed.starts_with(RESERVED) {
            return Err(NoUser::Reserved);
        }
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        // As it was sent: with a blank more it is another one.
        if names.values().any(|taken| taken == name) {
            return Err(NoUser::Taken);
        }
        let id = format!("{}_{}", id_text(trimmed), uuid::Uuid::new_v4());
        names.insert(id.clone(), trimmed.to_owned());
        fs::create_dir_all(&self.root)?;
        fs::write(self.root.join("users.json"), wire::to_json(&*names))?;
        Ok(id)
    }

    /// The folder of a user, which may not exist yet.
    pub(crate) fn root(&self, user: &User) -> PathBuf {
        self.root.join(&user.0)
    }

    /// The path of something in a user's folder, whether it exists or not. `..` may only lead back into it, and no
    /// symbolic link leads out.
    pub(crate) fn resolve(&self, user: &User, relative: &str) -> Result<PathBuf, FilesError> {
        let root = self.root(user);
        let path = inside(&root, &user.0, relative)?;
        if root.exists() {
            refuse_links_outside(&root, &path)?;
        }
        Ok(path)
    }

    /// The settings of a user. What cannot be read counts as none.
    pub(crate) fn settings(&self, user: &User) -> io::Result<Json> {
        let root = self.root(user);
        fs::create_dir_all(&root)?;
        let text = fs::read_to_string(root.join(SETTINGS)).unwrap_or_default();
        Ok(comfy_protocol::json::from_str(&text).unwrap_or_else(|_| Json::Object(Map::new())))
    }

    /// Replaces the settings of a user.
    pub(crate) fn set_settings(&self, user: &User, settings: &Json) -> io::Result<()> {
        let root = self.root(user);
        fs::create_dir_all(&root)?;
        fs::write(root.join(SETTINGS), wire::to_indented_json(settings))
    }

    /// Keeps two requests from changing settings at a time.
    pub(crate) fn change_settings(
        &self,
        user: &User,
        change: impl FnOnce(&mut Map<String, Json>),
    ) -> io::Result<()> {
        // The lock of the names will do: both are rare.
        let _guard = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let Json::Object(mut settings) = self.settings(user)? else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the settings are no object"));
        };
        change(&mut settings);
        self.set_settings(user, &Json::Object(settings))
    }
}

/// A name with a dash for each run of characters that ids do not have.
fn id_text(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut in_gap = false;
    for character in name.chars() {
        let fits = character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
        if fits {
            text.push(character);
        } else if !in_gap {
            text.push('-');
        }
        in_gap = !fits;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(multi_user: bool, version: ServerVersion) -> (tempfile::TempDir, Users) {
        let base = tempfile::tempdir().unwrap();
        let users = Users::new(base.path(), version, multi_user);
        (base, users)
    }

    fn asked_by(id: &str) -> HeaderMap {
        HeaderMap::from_iter([(HEADER.parse().unwrap(), id.parse().unwrap())])
    }

    #[test]
    fn ids_are_made_of_names() {
        let (_base, users) = users(true, ServerVersion::V0_30_0);
        let id = users.add("web uü/x.A-b_c").unwrap();
        assert!(id.starts_with("web-u-x-A-b_c_"), "{id}");
        assert!(matches!(users.add("web uü/x.A-b_c"), Err(NoUser::Taken)));
        assert!(matches!(users.add("  "), Err(NoUser::NoName)));
        assert!(matches!(users.add("__x"), Err(NoUser::Reserved)));
        assert_eq!(users.of(&asked_by(&id)), Some(User(id)));
        assert_eq!(users.of(&asked_by("default")), None);
        assert_eq!(users.of(&HeaderMap::new()), None);
    }

    #[test]
    fn users_are_known_after_a_restart() {
        let (base, users) = users(true, ServerVersion::V0_3_64);
        let id = users.add("__old").unwrap();
        let again = Users::new(base.path(), ServerVersion::V0_3_64, true);
        assert_eq!(again.names()[&id], "__old");
        assert!(again.of(&asked_by(&id)).is_some());
        let newer = Users::new(base.path(), ServerVersion::V0_8_0, true);
        assert!(newer.of(&asked_by(&id)).is_none());
    }

    #[test]
    fn an_id_that_is_a_path_is_nobodys() {
        let (base, users) = users(true, ServerVersion::V0_30_0);
        users.add("a").unwrap();
        fs::write(base.path().join("user/users.json"), r#"{"../x": "x", "..": "y", "/etc": "z"}"#).unwrap();
        let users = Users::new(base.path(), ServerVersion::V0_30_0, true);
        for id in ["../x", "..", "/etc"] {
            assert_eq!(users.of(&asked_by(id)), None, "{id}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn nothing_outside_a_users_folder_is_reached() {
        let (base, users) = users(false, ServerVersion::V0_30_0);
        let user = users.of(&HeaderMap::new()).unwrap();
        fs::create_dir_all(users.root(&user)).unwrap();
        std::os::unix::fs::symlink(base.path(), users.root(&user).join("link")).unwrap();
        for out in ["..", "../x", "/etc/passwd", "a/../../x", "link/users.json", "link"] {
            assert!(matches!(users.resolve(&user, out), Err(FilesError::Outside)), "{out}");
        }
        for inside in ["", ".", "a/b.json", "../default/a", "a/../b"] {
            assert!(users.resolve(&user, inside).is_ok(), "{inside}");
        }
        assert!(matches!(users.resolve(&user, "a\0b"), Err(FilesError::BadName)));
    }
}
