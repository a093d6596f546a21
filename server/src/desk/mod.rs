//! The desk: pages for people who issue licenses. A client of the API, in the same process.
