use comfy_protocol::route;
use comfy_protocol::routes::users::Users;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{Client, Result};

impl Client {
    /// The users of a server that was started with `--multi-user`; of others, only how settings are kept.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn users(&self) -> Result<Users> {
        self.http().call(route::USERS, &[]).read().await
    }

    /// Makes a user and gives its id, which is not the name; see [`ClientBuilder::user`](crate::ClientBuilder::user).
    /// Servers without `--multi-user` do it too, to no effect.
    ///
    /// # Errors
    /// [`ErrorKind::Status`](crate::ErrorKind::Status) when there is a user of that name, or (since 0.8.0) the name is
    /// empty or begins with `__`; or those of the connection.
    pub async fn create_user(&self, name: &str) -> Result<String> {
        self.http().call(route::CREATE_USER, &[]).json(&json!({ "username": name })).read().await
    }

    /// All settings of the editor that were changed, by id.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`](crate::ErrorKind::Unauthorized) when a server with several users does not know the
    /// one of this client, or those of the connection.
    pub async fn settings(&self) -> Result<Map<String, Value>> {
        self.http().call(route::SETTINGS, &[]).read().await
    }

    /// One setting; `None` where it is not set, or is `null`.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedReply`](crate::ErrorKind::UnexpectedReply) when it is of another type, or as
    /// [`settings`](Self::settings).
    pub async fn setting<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>> {
        self.http().call(route::SETTING, &[id]).read().await
    }

    /// Changes several settings: those that `settings`, a map by id or a struct, names. The others stay.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when they cannot be written as JSON, or as
    /// [`settings`](Self::settings).
    pub async fn change_settings<T: Serialize + ?Sized>(&self, settings: &T) -> Result<()> {
        self.http().call(route::CHANGE_SETTINGS, &[]).json(settings).repeatable().done().await
    }

    /// Changes one setting.
    ///
    /// # Errors
    /// As [`change_settings`](Self::change_settings).
    pub async fn change_setting<T: Serialize + ?Sized>(&self, id: &str, value: &T) -> Result<()> {
        self.http().call(route::CHANGE_SETTING, &[id]).json(value).repeatable().done().await
    }
}
