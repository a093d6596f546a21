//! What is in an answer, and the place of its connection.

use super::places::Place;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A body that may be made while the client takes it. A connection whose client takes nothing is
/// among those that make room for others; with each piece that is taken it comes last of them.
pub(super) struct Tended<B> {
    body: B,
    /// `None` = the body is there whole.
    place: Option<Arc<Place>>,
}

impl<B: Body> Tended<B> {
    pub fn new(body: B, place: Arc<Place>) -> Tended<B> {
        let place = body.size_hint().exact().is_none().then_some(place);
        Tended { body, place }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Tended<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let it = self.get_mut();
        let frame = Pin::new(&mut it.body).poll_frame(cx);
        if let (Poll::Ready(Some(Ok(_))), Some(place)) = (&frame, &it.place) {
            place.goes_on();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
