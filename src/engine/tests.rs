//! The engine on an in-memory store.
