//! The types of Postbell: apps, channels, messages, inbox messages, schedules, keys and permissions
//! as validated newtypes, with the arithmetic that belongs to them.
//!
//! This crate does no I/O and has no clock of its own: it must never see tokio, axum, SQL or the wall
//! clock. Whoever needs the time gets a [`time::Clock`].

/// Names of apps.
pub mod app;
/// Names of channels and patterns over them.
pub mod channel;
/// Message headers.
pub mod headers;
/// Randomness as a parameter.
pub mod ids;
/// Inbox messages.
pub mod inbox;
/// JSON text that was checked once and is never rebuilt.
pub mod json;
/// API keys and their scopes.
pub mod key;
/// The limits of an app, in one place.
pub mod limits;
/// Channel messages.
pub mod message;
/// Who may do what in a channel.
pub mod permission;
/// Positions in a channel's log, and the forms of `since`.
pub mod position;
/// When a message is to be published: later, repeatedly, by calendar.
pub mod schedule;
/// Conditions over the headers of a message.
pub mod selector;
/// The settings of an app.
pub mod settings;
/// Patterns over subtopics.
pub mod subtopic;
/// Points in time, durations as people write them, and the clock as a parameter.
pub mod time;
