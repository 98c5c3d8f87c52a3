//! Lists: `?limit=` and an opaque `?cursor=`; `{data, next_cursor}` and `Link: rel="next"`.

use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use nofx_shared::db::{Db, Query};
use nofx_shared::problem::{Kind, Problem};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Refusal, cached};

#[derive(Deserialize)]
pub(crate) struct Paging {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// The last row of the page before: newest first, by creation.
pub(crate) struct Cursor {
    pub created_at: DateTime<Utc>,
    pub id: Uuid,
}

impl Cursor {
    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {}", self.created_at.to_rfc3339_opts(SecondsFormat::Micros, true), self.id))
    }

    fn decode(text: &str) -> Option<Self> {
        let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (created_at, id) = plain.split_once(' ')?;
        Some(Self { created_at: created_at.parse().ok()?, id: id.parse().ok()? })
    }
}

impl Paging {
    /// The page of a list that starts after a cursor; the first one when the text is empty.
    pub(crate) fn after(cursor: &str) -> Self {
        Self { limit: None, cursor: (!cursor.is_empty()).then(|| cursor.to_owned()) }
    }

    /// The first page of a list, with at most `limit` rows.
    pub(crate) fn first(limit: u16) -> Self {
        Self { limit: Some(limit), cursor: None }
    }

    /// Reads this page of the rows that pass the filters, newest first. `cursor` returns a row's position.
    pub(crate) async fn fetch<T: DeserializeOwned>(
        &self,
        db: &Db,
        table: &'static str,
        filters: Vec<(String, String)>,
        cursor: impl Fn(&T) -> Cursor,
    ) -> Result<Page<T>, Refusal> {
        let mut query = Query { table, filters: self.filters()? };
        query.filters.extend(filters);
        Ok(Page::cut(db.read(&query).await?, self.limit()?, cursor))
    }

    fn limit(&self) -> Result<usize, Refusal> {
        page_limit(self.limit.map(usize::from), 100)
    }

    /// PostgREST filters for this page: one row more than the limit shows whether there is a next page.
    fn filters(&self) -> Result<Vec<(String, String)>, Refusal> {
        let mut filters =
            vec![("order".to_owned(), "created_at.desc,id.desc".to_owned()), ("limit".to_owned(), (self.limit()? + 1).to_string())];
        if let Some(text) = &self.cursor {
            let Cursor { created_at, id } = Cursor::decode(text)
                .ok_or_else(|| Problem::new(Kind::InvalidRequest, "Invalid cursor; use next_cursor of the previous page."))?;
            let at = created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
            filters.push(("or".to_owned(), format!("(created_at.lt.\"{at}\",and(created_at.eq.\"{at}\",id.lt.{id}))")));
        }
        Ok(filters)
    }
}

/// How many rows a client asks for, 50 by default; more than `max` are refused.
pub(crate) fn page_limit(given: Option<usize>, max: usize) -> Result<usize, Refusal> {
    match given.unwrap_or(50) {
        limit if (1..=max).contains(&limit) => Ok(limit),
        other => Err(Problem::new(Kind::InvalidRequest, format!("limit must be 1 to {max}, not {other}")).into()),
    }
}

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    pub data: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    fn cut(mut rows: Vec<T>, limit: usize, cursor: impl Fn(&T) -> Cursor) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|row| cursor(row).encode());
        Self { data: rows, next_cursor }
    }
}

impl<T: Serialize> Page<T> {
    pub(crate) fn respond(self, uri: &Uri, headers: &HeaderMap) -> Response {
        let next = self.next_cursor.clone();
        let mut response = cached(headers, &self).into_response();
        if let Some(next) = next {
            let kept: Vec<&str> =
                uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor=")).collect();
            let query = kept.into_iter().chain([format!("cursor={next}").as_str()]).collect::<Vec<_>>().join("&");
            if let Ok(link) = HeaderValue::from_str(&format!("<{}?{query}>; rel=\"next\"", uri.path())) {
                response.headers_mut().insert(header::LINK, link);
            }
        }
        response
    }
}
