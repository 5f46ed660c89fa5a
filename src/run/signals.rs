//! SIGINT and SIGTERM; on Windows Ctrl-C.

use upsert_secret_core::failure::Class;

pub(super) struct Signals {
    #[cfg(unix)]
    pair: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            pair: signal(SignalKind::interrupt())
                .ok()
                .zip(signal(SignalKind::terminate()).ok()),
        }
    }

    #[cfg(not(unix))]
    pub(super) fn listen() -> Self {
        Self {}
    }

    #[cfg(unix)]
    pub(super) async fn next(&mut self) -> Class {
        let Some((interrupt, terminate)) = &mut self.pair else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Class::Interrupted,
            _ = terminate.recv() => Class::Terminated,
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn next(&mut self) -> Class {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Class::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}
