//! Runs work that can block forever, such as opening a pipe, within a time limit. Callers choose the limit.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The kind of error when the operating system permits no more threads. Work that reads or writes a file never has this error.
pub const NO_THREAD: io::ErrorKind = io::ErrorKind::OutOfMemory;

/// The explanation of [`NO_THREAD`], for messages.
pub const NO_THREAD_REASON: &str =
    "cannot start a thread: raise the limit of processes and threads of the container";

/// Runs `work` on a separate thread, which does not keep the process alive.
///
/// # Errors
/// Those of `work`; [`io::ErrorKind::TimedOut`] if it does not end within the limit; [`NO_THREAD`] if it was not started.
pub fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = mpsc::channel();
    let started = thread::Builder::new().spawn(move || {
        // The receiver may have given up.
        let _ = sender.send(work());
    });
    started.map_err(|_| NO_THREAD)?;
    let ended = receiver.recv_timeout(limit);
    ended.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
