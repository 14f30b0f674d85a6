//! Looking at assets.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value as Json, json};

use super::super::{answer, content_type};
use super::problems::{Problems, refuse};
use super::{Answered, Shares, assets_of, id_in, no_such_asset, with_assets};
use crate::assets::{Cursor, Filter, Page, Sort, normalised_hash, quoted};
use crate::json_error;

/// The parameters of a query by name. One that comes again is a list.
struct Query(Map<String, Json>);

impl Query {
    fn of(request: &Request) -> Self {
        let mut found = Map::new();
        for (name, value) in url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
        {
            let value = Json::from(value);
            match found.get_mut(name.as_ref()) {
                None => {
                    found.insert(name.into_owned(), value);
                }
                Some(Json::Array(values)) => values.push(value),
                Some(first) => *first = json!([first.take(), value]),
            }
        }
        Self(found)
    }

    /// A list of words, each parameter with one or more of them.
    fn words(&self, name: &str) -> Vec<String> {
        let values = match self.0.get(name) {
            Some(Json::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        let words = values.iter().filter_map(Json::as_str).flat_map(|text| text.split(','));
        words.map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    fn filter(&self, problems: &mut Problems) -> Filter {
        let name_contains = self.0.get("name_contains").and_then(Json::as_str);
        let mut metadata = Map::new();
        if let Some(text) =
            self.0.get("metadata_filter").and_then(Json::as_str).filter(|text| !text.is_empty())
        {
            let place = ["metadata_filter".into()];
            match json_error::parse(text) {
                Ok(Json::Object(object)) => metadata = object,
                Ok(_) => problems.value(&place, "metadata_filter must be a JSON object", &text.into()),
                Err(error) => {
                    let error = format!("metadata_filter must be JSON: {error}");
                    problems.value(&place, &error, &text.into());
                }
            }
        }
        Filter {
            include_tags: self.words("include_tags"),
            exclude_tags: self.words("exclude_tags"),
            name_contains: name_contains.filter(|part| !part.is_empty()).map(str::to_owned),
            metadata,
        }
    }

    fn number(&self, problems: &mut Problems, name: &str, usual: i64, bounds: (i64, Option<i64>)) -> usize {
        let number = self.0.get(name).map_or(Some(usual), |value| problems.number(name, value, bounds));
        usize::try_from(number.unwrap_or(usual)).unwrap_or(usize::MAX)
    }

    fn word(&self, problems: &mut Problems, name: &str, words: &[&str]) -> Option<String> {
        self.0.get(name).and_then(|value| problems.word(name, value, words))
    }
}

pub(super) async fn assets(State(state): Shares, request: Request) -> Answered {
    assets_of(&state)?;
    let query = Query::of(&request);
    let mut problems = Problems::default();
    let filter = query.filter(&mut problems);
    let limit = query.number(&mut problems, "limit", 20, (1, Some(500)));
    let offset = query.number(&mut problems, "offset", 0, (0, None));
    let sort = query.word(&mut problems, "sort", &Sort::ALL.map(Sort::as_str));
    let order = query.word(&mut problems, "order", &["asc", "desc"]);
    problems.check("INVALID_QUERY", "Validation failed.")?;
    let sort = sort.and_then(|sort| Sort::parse(&sort)).unwrap_or_default();
    let descending = order.as_deref() != Some("asc");
    let after = query.0.get("after").and_then(Json::as_str);
    let after = after.map(|after| Cursor::parse(after, sort, descending)).transpose();
    let after =
        after.map_err(|error| refuse(StatusCode::BAD_REQUEST, "INVALID_CURSOR", &error, json!({})))?;
    let page = Page { limit, offset, sort, descending, after };
    with_assets(&state, move |_, assets| answer::json(&assets.store().list(&filter, &page))).await
}

pub(super) async fn refine(State(state): Shares, request: Request) -> Answered {
    assets_of(&state)?;
    let query = Query::of(&request);
    let mut problems = Problems::default();
    let filter = query.filter(&mut problems);
    let limit = query.number(&mut problems, "limit", 100, (1, Some(1000)));
    problems.check("INVALID_QUERY", "Validation failed.")?;
    let counts = with_assets(&state, move |_, assets| assets.store().refine(&filter, limit)).await?;
    let counts: Map<_, _> = counts.into_iter().map(|(tag, count)| (tag, Json::from(count))).collect();
    Ok(answer::json(&json!({"tag_counts": counts})))
}

pub(super) async fn tags(State(state): Shares, request: Request) -> Answered {
    let assets = assets_of(&state)?;
    let query = Query::of(&request);
    let mut problems = Problems::default();
    let prefix = query.0.get("prefix").and_then(Json::as_str);
    if prefix == Some("") {
        problems.empty_text("prefix");
    }
    let limit = query.number(&mut problems, "limit", 100, (1, Some(1000)));
    let offset = query.number(&mut problems, "offset", 0, (0, None));
    let order = query.word(&mut problems, "order", &["count_desc", "name_asc"]);
    let with_unused = query.0.get("include_zero").map(|value| problems.flag("include_zero", value));
    problems.check("INVALID_QUERY", "Invalid query parameters")?;
    let with_unused = with_unused.flatten().unwrap_or(true);
    let by_name = order.as_deref() == Some("name_asc");
    let tags = assets.store().tags(prefix.unwrap_or_default(), with_unused, by_name);
    let rest = tags.get(offset..).unwrap_or_default();
    let shown = rest.iter().take(limit).map(|(name, count)| json!({"name": name, "count": count}));
    let shown: Vec<_> = shown.collect();
    let has_more = rest.len() > shown.len();
    Ok(answer::json(&json!({"tags": shown, "total": tags.len(), "has_more": has_more})))
}

/// Whether content of a hash is known.
pub(super) async fn knows(State(state): Shares, request: Request) -> Answered {
    let assets = assets_of(&state)?;
    let hash =
        request.uri().path().rsplit('/').next().unwrap_or_default().replace("%3A", ":").replace("%3a", ":");
    let Some(hash) = normalised_hash(&hash) else {
        let message = "hash must be like 'blake3:<hex>'";
        return Err(refuse(StatusCode::BAD_REQUEST, "INVALID_HASH", message, json!({})));
    };
    let is_known = assets.store().knows(&hash);
    Ok(answer::empty(if is_known { StatusCode::OK } else { StatusCode::NOT_FOUND }))
}

pub(super) async fn one(State(state): Shares, request: Request) -> Answered {
    let id = id_in(&state, (&request).into()).await?;
    let asset = assets_of(&state)?.store().describe(&id);
    Ok(answer::json(&asset.ok_or_else(|| no_such_asset(&id))?))
}

/// The whole file of an asset.
pub(super) async fn content(State(state): Shares, request: Request) -> Answered {
    let id = id_in(&state, (&request).into()).await?;
    let query = Query::of(&request);
    let wanted = id.clone();
    let found = with_assets(&state, move |_, assets| assets.file(&wanted)).await?;
    let Some(found) = found else {
        let message = format!("AssetReference {id} not found");
        return Err(refuse(StatusCode::NOT_FOUND, "ASSET_NOT_FOUND", &message, json!({})));
    };
    let gone = || {
        let message = "Underlying file not found on disk.";
        refuse(StatusCode::NOT_FOUND, "FILE_NOT_FOUND", message, json!({}))
    };
    let (path, name, kind) = found.ok_or_else(gone)?;
    let bytes = tokio::fs::read(&path).await.map_err(|_| gone())?;
    let assets = assets_of(&state)?;
    assets.store().was_read(&id, assets.now());
    let is_active = content_type::is_active(&kind);
    let inline = query.0.get("disposition").is_some_and(|wanted| wanted == "inline") && !is_active;
    let disposition = if inline { "inline" } else { "attachment" };
    let disposition = format!("{disposition}; filename*=UTF-8''{}", quoted(&name));
    let kind = if is_active { content_type::BYTES } else { &kind };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::try_from(disposition).map_err(|_| answer::trouble())?,
    );
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(kind).map_err(|_| answer::trouble())?);
    Ok(response)
}
