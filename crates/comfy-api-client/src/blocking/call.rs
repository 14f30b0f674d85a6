use std::future::IntoFuture;

use comfy_protocol::routes::{assets, jobs, upload, users};
use futures_core::Stream;
use indexmap::IndexMap;

use super::{Download, Iter, Job, Response, Runtime};
use crate::Result;

/// A call with options, about to be made.
#[must_use = "nothing is asked unless the call is sent"]
#[derive(Debug)]
pub struct Call<B> {
    builder: B,
    runtime: Runtime,
}

impl<B> Call<B> {
    pub(super) fn new(runtime: &Runtime, builder: B) -> Self {
        Self { builder, runtime: runtime.clone() }
    }

    /// Sets options: those of the async call, such as [`Submit`](crate::Submit) or [`Upload`](crate::Upload).
    pub fn with<Other>(self, set: impl FnOnce(B) -> Other) -> Call<Other> {
        Call { builder: set(self.builder), runtime: self.runtime }
    }
}

impl<B> Call<B> {
    /// Reads a stream that the call can be turned into, one item at a time, such as all pages of a list:
    /// `client.jobs().iter(|jobs| jobs.stream())`.
    pub fn iter<'a, T, S>(self, stream: impl FnOnce(B) -> S) -> Iter<'a, T>
    where
        S: Stream<Item = T> + Send + 'a,
    {
        Iter::new(self.runtime, stream(self.builder))
    }
}

impl<B> Call<B>
where
    B: IntoFuture,
    B::IntoFuture: Send,
    B::Output: Face + Send,
{
    /// Makes the call and waits for the answer.
    ///
    /// # Errors
    /// Those of the async call.
    pub fn send(self) -> <B::Output as Face>::Blocking {
        let answer = self.runtime.wait(self.builder.into_future());
        answer.face(&self.runtime)
    }
}

/// What an async call gives, as the blocking one gives it.
pub trait Face: private::Sealed {
    /// The blocking form.
    type Blocking;

    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn face(self, runtime: &Runtime) -> Self::Blocking;
}

mod private {
    pub trait Sealed {}
}

impl<T: Face> private::Sealed for Result<T> {}

impl<T: Face> Face for Result<T> {
    type Blocking = Result<T::Blocking>;

    #[allow(private_interfaces)]
    fn face(self, runtime: &Runtime) -> Self::Blocking {
        self.map(|answer| answer.face(runtime))
    }
}

/// Answers that wait for nothing more are the same in both trees.
macro_rules! same {
    ($($answer:ty),* $(,)?) => {$(
        impl private::Sealed for $answer {}

        impl Face for $answer {
            type Blocking = Self;

            #[allow(private_interfaces)]
            fn face(self, _: &Runtime) -> Self {
                self
            }
        }
    )*};
}

/// Answers that have a face of their own.
macro_rules! own {
    ($($answer:ident),* $(,)?) => {$(
        impl private::Sealed for crate::$answer {}

        impl Face for crate::$answer {
            type Blocking = $answer;

            #[allow(private_interfaces)]
            fn face(self, runtime: &Runtime) -> $answer {
                $answer::new(self, runtime.clone())
            }
        }
    )*};
}

impl<T> private::Sealed for Vec<T> {}

impl<T> Face for Vec<T> {
    type Blocking = Self;

    #[allow(private_interfaces)]
    fn face(self, _: &Runtime) -> Self {
        self
    }
}

impl<K, V> private::Sealed for IndexMap<K, V> {}

impl<K, V> Face for IndexMap<K, V> {
    type Blocking = Self;

    #[allow(private_interfaces)]
    fn face(self, _: &Runtime) -> Self {
        self
    }
}

same!(
    (),
    comfy_workflow::convert::Conversion,
    comfy_workflow::validate::Findings,
    upload::Uploaded,
    users::UserFile,
    jobs::JobList,
    assets::Asset,
    assets::AssetList,
    assets::SeedStatus,
    assets::TagList,
    assets::TagCounts,
);
own!(Job, Download, Response);
