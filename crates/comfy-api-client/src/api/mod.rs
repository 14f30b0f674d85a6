//! The server's routes, one file per area.

mod assets;
mod create_asset;
mod frontend;
mod history;
mod jobs;
mod models;
mod nodes;
mod pages;
mod queue;
mod static_files;
mod system;
mod tags;
mod tasks;
mod userdata;
mod users;

pub use assets::{Assets, ScanAssets, UpdateAsset};
pub use create_asset::{CreateAsset, CreateAssetFromHash};
pub use history::Histories;
pub use jobs::Jobs;
pub use queue::Free;
pub use tags::{AssetTagCounts, Tags};
pub use userdata::{MoveUserFile, StoreUserFile, UserFiles};

/// Makes a builder awaitable through its method `send`.
macro_rules! awaitable {
    ($builder:ident -> $output:ty) => {
        impl<'a> std::future::IntoFuture for $builder<'a> {
            type Output = crate::Result<$output>;
            type IntoFuture = std::pin::Pin<Box<dyn std::future::Future<Output = Self::Output> + Send + 'a>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.send())
            }
        }
    };
}
pub(crate) use awaitable;
