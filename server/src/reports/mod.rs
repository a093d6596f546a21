//! What charts are drawn from: figures of each day, kept up to date beside the work.
