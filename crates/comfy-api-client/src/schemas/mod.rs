//! The node schemas that a client keeps.

mod stored;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use comfy_protocol::route;
use comfy_workflow::schema::Schemas;
use futures_util::{StreamExt, TryStreamExt};
use tokio::sync::Semaphore;

pub(crate) use stored::Store;

use crate::{Client, Error, ErrorKind, Result};

/// Questions for single classes that are under way at the same time.
const MOST_AT_ONCE: usize = 8;

/// Schemas as old as this are the server's present ones.
const JUST_NOW: Duration = Duration::from_secs(10);

/// The schemas at hand.
#[derive(Debug)]
pub(crate) struct SchemaCache {
    kept: Mutex<Option<Kept>>,
    /// One question at a time: the answer is large.
    turn: Semaphore,
    store: Option<Store>,
}

#[derive(Debug, Clone)]
struct Kept {
    schemas: Arc<Schemas>,
    origin: Origin,
}

#[derive(Debug, Clone, Copy)]
enum Origin {
    /// The server was asked for all of them, then.
    Asked(Instant),
    /// From the folder of stored schemas, read then.
    Stored(Instant),
    /// By the program.
    Given,
}

impl SchemaCache {
    pub(crate) fn new(store: Option<Store>) -> Self {
        Self { kept: Mutex::default(), turn: Semaphore::new(1), store }
    }

    fn kept(&self) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, schemas: Arc<Schemas>, origin: Origin) -> Kept {
        let kept = Kept { schemas, origin };
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept.clone());
        kept
    }
}

impl Client {
    /// The schemas of all node classes: asked for once, and kept for all clones of the client. They hold lists of files
    /// too, such as models, which change while the server runs: [`refresh_schemas`](Self::refresh_schemas) asks again.
    ///
    /// With [`ClientBuilder::schema_folder`](crate::ClientBuilder::schema_folder) they may come from there.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn schemas(&self) -> Result<Arc<Schemas>> {
        Ok(self.schemas_at_hand().await?.schemas)
    }

    /// Asks for the schemas of all node classes, whether some are kept or not, and keeps them. Those kept before stay
    /// when that fails.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn refresh_schemas(&self) -> Result<Arc<Schemas>> {
        let _turn = self.schema_cache().turn.acquire().await.ok();
        Ok(self.ask_for_schemas().await?.schemas)
    }

    /// Has the client keep schemas that the server is not asked for, such as those of a file. Where a conversion has
    /// problems with them, the server is asked after all.
    pub fn set_schemas(&self, schemas: impl Into<Arc<Schemas>>) {
        self.schema_cache().keep(schemas.into(), Origin::Given);
    }

    /// The schemas that are kept, without asking for any.
    #[must_use]
    pub fn kept_schemas(&self) -> Option<Arc<Schemas>> {
        Some(self.schema_cache().kept()?.schemas)
    }

    /// How long ago the server was asked for the schemas that are kept. `None` where it was not: none are kept, or they
    /// were [set](Self::set_schemas) or stored.
    #[must_use]
    pub fn schemas_age(&self) -> Option<Duration> {
        match self.schema_cache().kept()?.origin {
            Origin::Asked(then) => Some(then.elapsed()),
            Origin::Stored(_) | Origin::Given => None,
        }
    }

    async fn schemas_at_hand(&self) -> Result<Kept> {
        let cache = self.schema_cache();
        if let Some(kept) = cache.kept() {
            return Ok(kept);
        }
        // It is never closed.
        let _turn = cache.turn.acquire().await.ok();
        if let Some(kept) = cache.kept() {
            return Ok(kept);
        }
        if let Some(store) = &cache.store
            && let Ok(version) = self.server_version().await
            && let Some(schemas) = store.read(&self.url(), &version).await
        {
            return Ok(cache.keep(Arc::new(schemas), Origin::Stored(Instant::now())));
        }
        self.ask_for_schemas().await
    }

    /// The schemas with which a workflow of these classes is converted: not older than the settings allow, where the
    /// server can be asked. And whether the server was asked for just these classes, so that no other answer is to be had.
    pub(crate) async fn schemas_for(&self, classes: &BTreeSet<&str>) -> Result<(Arc<Schemas>, bool)> {
        let cache = self.schema_cache();
        let kept = self.schemas_at_hand().await?;
        let limit = self.http().settings().schema_age;
        match kept.origin {
            Origin::Given => return Ok((kept.schemas, false)),
            Origin::Asked(then) if then.elapsed() <= limit => return Ok((kept.schemas, false)),
            // The server's nodes may be others by now. Those of the workflow are few.
            Origin::Stored(then) if then.elapsed() <= limit => {
                if let Some(schemas) = self.refresh_classes(classes).await {
                    return Ok((schemas, true));
                }
            }
            Origin::Asked(_) | Origin::Stored(_) => {}
        }
        let _turn = cache.turn.acquire().await.ok();
        // Another task may have asked meanwhile.
        let schemas = match cache.kept() {
            Some(Kept { schemas, origin: Origin::Asked(then) }) if then.elapsed() <= limit => schemas,
            _ => self.ask_for_schemas().await.inspect_err(log_old).map_or(kept.schemas, |kept| kept.schemas),
        };
        Ok((schemas, false))
    }

    /// Other schemas than those with which something was not in order, if the server may have others.
    pub(crate) async fn schemas_after(&self, seen: &Arc<Schemas>) -> Option<Arc<Schemas>> {
        let cache = self.schema_cache();
        let _turn = cache.turn.acquire().await.ok();
        if let Some(Kept { schemas, origin: Origin::Asked(then) }) = cache.kept() {
            if !Arc::ptr_eq(&schemas, seen) {
                return Some(schemas);
            }
            if then.elapsed() <= JUST_NOW {
                return None;
            }
        }
        let kept = self.ask_for_schemas().await.inspect_err(log_old).ok()?;
        Some(kept.schemas)
    }

    /// Asks for some classes anew and keeps them; one that the server does not have any more is kept no longer. `None`
    /// where the server does not say it.
    async fn refresh_classes(&self, classes: &BTreeSet<&str>) -> Option<Arc<Schemas>> {
        let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
        let questions = futures_util::stream::iter(classes)
            .map(async |class| Ok::<_, Error>((self.object_info_of(&class).await?, class)));
        let answers: Vec<_> = questions.buffer_unordered(MOST_AT_ONCE).try_collect().await.ok()?;
        let cache = self.schema_cache();
        let mut guard = cache.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = guard.as_mut()?;
        let schemas = Arc::make_mut(&mut kept.schemas);
        for (answer, class) in answers {
            if answer.is_empty() {
                schemas.remove(&class);
            } else {
                schemas.merge(answer);
            }
        }
        Some(Arc::clone(&kept.schemas))
    }

    /// Asks for all schemas, and keeps and stores them.
    async fn ask_for_schemas(&self) -> Result<Kept> {
        let cache = self.schema_cache();
        let body = self.http().call(route::OBJECT_INFO, &[]).bytes().await?;
        let schemas = Arc::new(read(&body)?);
        if let Some(store) = &cache.store
            && let Ok(version) = self.server_version().await
        {
            store.write(self.url(), version, body).await;
        }
        Ok(cache.keep(schemas, Origin::Asked(Instant::now())))
    }

    async fn server_version(&self) -> Result<String> {
        Ok(self.system_stats().await?.system.comfyui_version)
    }
}

/// Reads an answer with schemas.
pub(crate) fn read(body: &Bytes) -> Result<Schemas> {
    Schemas::from_slice(body).map_err(|error| {
        Error::new(ErrorKind::UnexpectedReply, "the server's node schemas have an unknown form")
            .with_source(error)
    })
}

fn log_old(error: &Error) {
    tracing::debug!(%error, "older node schemas are used, since the server gives none");
}
