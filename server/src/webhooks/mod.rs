//! Webhooks: events are signed and sent to where the vendor wants them (Standard Webhooks).
