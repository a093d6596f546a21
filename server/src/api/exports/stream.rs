//! A table that is made while the client takes it: a page of rows at a time, each read by itself,
//! so that whoever takes nothing holds neither memory nor the database.

use super::sheet;
use crate::api::Shared;
use crate::error::{Error, Result};
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::{Bytes, Frame};
use licentia::rfc3339;
use serde::Serialize;
use serde_json::{Map, Value};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Rows of a page.
pub const ROWS: u64 = 500;

/// Where the rows of a table come from.
pub trait Rows: Send + 'static {
    /// What it is called in the name of the file.
    const NAME: &'static str;

    /// The columns, in their order: members of the rows.
    const COLUMNS: &'static [&'static str];

    /// The next rows, of which there may be none; `None` after the last.
    fn next(&mut self, server: &Shared) -> impl Future<Output = Result<Option<Vec<Row>>>> + Send;
}

/// A row: an object.
pub type Row = Map<String, Value>;

/// What is listed, as a row.
pub fn row(listed: &impl Serialize) -> Row {
    match serde_json::to_value(listed) {
        Ok(Value::Object(row)) => row,
        _ => Row::new(),
    }
}

/// What has come of asking for the next page, and who is asked for the one after.
type Next<R> = Pin<Box<dyn Future<Output = (R, Result<Option<Vec<Row>>>)> + Send>>;

/// The body of an answer.
struct Stream<R: Rows> {
    server: Shared,
    /// What goes before the rows that come next.
    head: Option<Vec<u8>>,
    /// `None` = there are no more.
    next: Option<Next<R>>,
}

impl<R: Rows> Stream<R> {
    fn ask(server: &Shared, mut rows: R) -> Next<R> {
        let server = server.clone();
        Box::pin(async move {
            // However many take tables: others find the database free.
            let _turn = server.exporting.acquire().await;
            let page = rows.next(&server).await;
            (rows, page)
        })
    }
}

impl<R: Rows> hyper::body::Body for Stream<R> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let it = self.get_mut();
        loop {
            let Some(next) = &mut it.next else { return Poll::Ready(None) };
            let (rows, page) = ready!(next.as_mut().poll(cx));
            it.next = None;
            let bytes = page.and_then(|page| {
                let mut bytes = it.head.take().unwrap_or_default();
                if let Some(page) = page {
                    it.next = Some(Self::ask(&it.server, rows));
                    bytes.extend(sheet::lines(R::COLUMNS, &page)?);
                }
                Ok(bytes)
            });
            match bytes {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Poll::Ready(Some(Ok(Frame::data(Bytes::from(bytes))))),
                // The client sees that the end is missing.
                Err(error) => {
                    let code = error.code().slug();
                    tracing::warn!(table = R::NAME, code, "a table broke off");
                    it.next = None;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

/// A table as an answer: a file for a spreadsheet.
pub fn answer<R: Rows>(server: &Shared, rows: R) -> Response {
    let head = match sheet::head(R::COLUMNS) {
        Ok(head) => Some(head),
        Err(error) => return error.into_response(),
    };
    let next = Some(Stream::ask(server, rows));
    let body = Body::new(Stream { server: server.clone(), head, next });
    let mut response = (StatusCode::OK, body).into_response();
    let day = rfc3339(server.clock.now());
    let day = day.split('T').next().unwrap_or_default();
    let name = format!("attachment; filename=\"{}-{day}.csv\"", R::NAME);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::try_from(name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    response
}
