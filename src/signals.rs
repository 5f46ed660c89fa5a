//! Requests to end the run: SIGINT and SIGTERM, on Windows Ctrl-C and Ctrl-Break. It decides nothing.

use std::mem::ManuallyDrop;

use upsert_secret_core::failure::Class;

#[cfg(unix)]
mod system {
    use std::io;
    use tokio::signal::unix::{SignalKind, signal};

    pub(super) use tokio::signal::unix::{Signal as Interrupt, Signal as Terminate};

    pub(super) fn interrupt() -> io::Result<Interrupt> {
        signal(SignalKind::interrupt())
    }

    pub(super) fn terminate() -> io::Result<Terminate> {
        signal(SignalKind::terminate())
    }
}

#[cfg(windows)]
mod system {
    pub(super) use tokio::signal::windows::{
        CtrlBreak as Terminate, CtrlC as Interrupt, ctrl_break as terminate, ctrl_c as interrupt,
    };
}

/// The signals that cancel a run. From the start of listening, they no longer end the process by themselves.
pub(crate) struct Signals {
    /// Never dropped: on Windows, the next event would then end the process while it writes its report.
    pair: ManuallyDrop<Option<(system::Interrupt, system::Terminate)>>,
}

impl Signals {
    /// Starts listening. If the system cannot register handlers, [`Self::next`] never completes.
    pub(crate) fn listen() -> Self {
        let pair = system::interrupt().ok().zip(system::terminate().ok());
        Self {
            pair: ManuallyDrop::new(pair),
        }
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> Class {
        let Some((interrupt, terminate)) = &mut *self.pair else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => Class::Interrupted,
            _ = terminate.recv() => Class::Terminated,
        }
    }
}
