use futures_util::{Stream, StreamExt, TryStreamExt};

use crate::Result;

/// The entries of all pages of a list, page by page as they are wanted: `fetch` gives the entries of a page and what to
/// ask for the next one with.
pub(super) fn entries<Page, Entry, Fetched>(
    first: Page,
    fetch: impl FnMut(Page) -> Fetched + Send,
) -> impl Stream<Item = Result<Entry>> + Send
where
    Page: Send,
    Entry: Send,
    Fetched: Future<Output = Result<(Vec<Entry>, Option<Page>)>> + Send,
{
    let mut fetch = fetch;
    let pages = futures_util::stream::try_unfold(Some(first), move |page| {
        let fetched = page.map(&mut fetch);
        async move {
            match fetched {
                Some(fetched) => fetched.await.map(Some),
                None => Ok(None),
            }
        }
    });
    pages.map_ok(|entries| futures_util::stream::iter(entries).map(Ok)).try_flatten()
}
