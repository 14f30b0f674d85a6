use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;

use bytes::Bytes;
use comfy_protocol::route;
use comfy_protocol::routes::users::{SplitPath, UserEntry, UserFile};
use serde::de::DeserializeOwned;

use super::awaitable;
use crate::{Client, Response, Result};

/// Files that the server keeps for its user, such as the workflows that the editor has saved (in `workflows`). Paths
/// have `/` between their parts, whatever the server's system.
///
/// Beside what is said below, all of this can fail with [`ErrorKind::Unauthorized`](crate::ErrorKind::Unauthorized) for
/// a path that leads out of the user's folder, and with [`Status`](crate::ErrorKind::Status) or `Unauthorized` when a
/// server with several users does not know the one of this client.
impl Client {
    /// The files in a folder of the user; `.` for the user's own.
    ///
    /// ```no_run
    /// # async fn example(client: comfy_api_client::Client) -> comfy_api_client::Result<()> {
    /// let names: Vec<String> = client.user_files("workflows").recurse(true).await?;
    /// for file in client.user_files("workflows").full_info().await? {
    ///     println!("{}: {} bytes", file.path, file.size);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn user_files(&self, folder: &str) -> UserFiles<'_> {
        UserFiles {
            client: self,
            folder: folder.to_owned(),
            recurse: false,
            form: Form::Path,
            entry: PhantomData,
        }
    }

    /// The files and folders below a folder of the user, all the way down; everything for an empty path.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such folder,
    /// [`Status`](crate::ErrorKind::Status) for a file or a path that leads out, or those of the connection.
    pub async fn user_entries(&self, folder: &str) -> Result<Vec<UserEntry>> {
        let folder = (!folder.is_empty()).then_some(folder);
        self.http().call(route::USER_ENTRIES, &[]).query_if("path", folder).read().await
    }

    /// What is in a file of the user.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when it is not there, or those of the connection.
    pub async fn user_file(&self, path: &str) -> Result<Bytes> {
        self.http().call(route::USER_FILE, &[&twice_encoded(path)]).bytes().await
    }

    /// The same in pieces as they come, for files that are not to be held in memory.
    ///
    /// # Errors
    /// As [`user_file`](Self::user_file).
    pub async fn user_file_content(&self, path: &str) -> Result<Response> {
        let call = self.http().call(route::USER_FILE, &[&twice_encoded(path)]).unhurried();
        Ok(Response::new(self.clone(), self.http().step(call.send()).await??))
    }

    /// Stores a file for the user, with the folders above it. Nothing is overwritten unless that is
    /// [asked for](StoreUserFile::overwrite). Await the result for what the server has now.
    pub fn store_user_file(&self, path: &str, content: impl Into<Bytes>) -> StoreUserFile<'_> {
        StoreUserFile { client: self, path: path.to_owned(), content: content.into(), overwrite: false }
    }

    /// Moves a file of the user, or gives it another name. Nothing is overwritten unless that is
    /// [asked for](MoveUserFile::overwrite). Await the result for what the server has now.
    pub fn move_user_file(&self, from: &str, to: &str) -> MoveUserFile<'_> {
        MoveUserFile { client: self, from: from.to_owned(), to: to.to_owned(), overwrite: false }
    }

    /// Deletes a file of the user.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when it is not there, or those of the connection.
    pub async fn delete_user_file(&self, path: &str) -> Result<()> {
        self.http().call(route::DELETE_USER_FILE, &[&twice_encoded(path)]).done().await
    }
}

/// Servers decode a path once more while there is a `%` in it.
fn twice_encoded(path: &str) -> String {
    path.replace('%', "%25")
}

/// A question for the files in a folder of the user, about to be asked; made by [`Client::user_files`]. Await it for
/// their paths from that folder on, or for what [`full_info`](Self::full_info) and [`split`](Self::split) give.
///
/// Awaiting fails with [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such folder.
#[derive(Debug)]
#[must_use = "nothing is asked unless this is awaited"]
pub struct UserFiles<'a, Entry = String> {
    client: &'a Client,
    folder: String,
    recurse: bool,
    form: Form,
    entry: PhantomData<fn() -> Entry>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Path,
    FullInfo,
    Split,
}

impl<'a, Entry> UserFiles<'a, Entry> {
    /// Whether to list the files of the folders below too; not unless set.
    pub fn recurse(mut self, recurse: bool) -> Self {
        self.recurse = recurse;
        self
    }

    /// Asks for sizes and times too.
    pub fn full_info(self) -> UserFiles<'a, UserFile> {
        self.form(Form::FullInfo)
    }

    /// Asks for the paths in parts.
    pub fn split(self) -> UserFiles<'a, SplitPath> {
        self.form(Form::Split)
    }

    fn form<Other>(self, form: Form) -> UserFiles<'a, Other> {
        UserFiles {
            client: self.client,
            folder: self.folder,
            recurse: self.recurse,
            form,
            entry: PhantomData,
        }
    }
}

impl<'a, Entry: DeserializeOwned + Send + 'static> IntoFuture for UserFiles<'a, Entry> {
    type Output = Result<Vec<Entry>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let call = self.client.http().call(route::USER_FILES, &[]).query("dir", &self.folder);
            let call = call.query_if("recurse", self.recurse.then_some("true"));
            match self.form {
                Form::Path => call,
                Form::FullInfo => call.query("full_info", "true"),
                Form::Split => call.query("split", "true"),
            }
            .read()
            .await
        })
    }
}

/// A file about to be stored for the user; made by [`Client::store_user_file`]. Await it to store it.
///
/// Awaiting fails with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when there is a file of that name already.
#[derive(Debug)]
#[must_use = "nothing is stored unless this is awaited"]
pub struct StoreUserFile<'a> {
    client: &'a Client,
    path: String,
    content: Bytes,
    overwrite: bool,
}

impl StoreUserFile<'_> {
    /// Whether to overwrite what is there; not unless set.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    async fn send(self) -> Result<UserFile> {
        let call = self.client.http().call(route::STORE_USER_FILE, &[&twice_encoded(&self.path)]);
        let call = call.query("overwrite", self.overwrite.to_string()).query("full_info", "true");
        let call = call.body(self.content, "application/octet-stream");
        // Without overwriting, the second of two attempts would meet the file of the first.
        if self.overwrite { call.repeatable() } else { call }.read().await
    }
}

awaitable!(StoreUserFile -> UserFile);

/// A file of the user about to be moved; made by [`Client::move_user_file`]. Await it to move it.
///
/// Awaiting fails with [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such file, and with
/// [`Conflict`](crate::ErrorKind::Conflict) when there is one at its new place already.
#[derive(Debug)]
#[must_use = "nothing is moved unless this is awaited"]
pub struct MoveUserFile<'a> {
    client: &'a Client,
    from: String,
    to: String,
    overwrite: bool,
}

impl MoveUserFile<'_> {
    /// Whether to overwrite what is at the new place; not unless set.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    async fn send(self) -> Result<UserFile> {
        let values = [twice_encoded(&self.from), twice_encoded(&self.to)];
        let call = self.client.http().call(route::MOVE_USER_FILE, &[&values[0], &values[1]]);
        call.query("overwrite", self.overwrite.to_string()).query("full_info", "true").read().await
    }
}

awaitable!(MoveUserFile -> UserFile);
