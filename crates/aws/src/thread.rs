//! Runs blocking work on a separate thread: unlike the runtime's pool, which panics, it reports that the operating system
//! permits no more threads. A thread that never ends does not keep the process alive.

use std::thread;

use tokio::sync::oneshot;

/// The operating system permits no more threads.
#[derive(Debug)]
pub(crate) struct NoThread;

/// Starts `work`. The result is `None` if it panicked.
pub(crate) fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<impl Future<Output = Option<T>>, NoThread> {
    let (sender, receiver) = oneshot::channel();
    let thread = move || {
        // The receiver may have given up.
        let _ = sender.send(work());
    };
    thread::Builder::new().spawn(thread).map_err(|_| NoThread)?;
    Ok(async { receiver.await.ok() })
}
