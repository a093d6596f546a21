//! What a page shows.
