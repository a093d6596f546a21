//! A disk that fails, tears and forgets, for tests.
