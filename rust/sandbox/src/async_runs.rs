//! Runs as futures, for callers on tokio: the feature `tokio`.
//!
//! One of the runtime's blocking threads waits for the sandbox's threads. A future that is dropped cancels its run.

use tokio::task::{JoinError, spawn_blocking};

use crate::cancel::Cancel;
use crate::error::Error;
use crate::outcome::Outcome;
use crate::program::Program;
use crate::sandbox::Sandbox;
use crate::session::{Session, SessionRun};

/// Cancels when it is dropped. After the end of a run that changes nothing.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Has a blocking thread do work that ends soon after the switch goes on, and turns it on if the future is dropped.
async fn blocking<T: Send + 'static>(work: impl FnOnce(&Cancel) -> T + Send + 'static) -> Result<T, Error> {
    let cancel = Cancel::new();
    let ours = CancelOnDrop(cancel.clone());
    let done = spawn_blocking(move || work(&cancel)).await;
    drop(ours);
    done.map_err(|error: JoinError| Error::Runtime(format!("a blocking task did not end: {error}")))
}

impl Sandbox {
    /// [`Sandbox::run`] without blocking the thread. If the future is dropped, the program stops within a tenth of a second.
    ///
    /// # Errors
    /// As [`Sandbox::run`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn run_async(&self, program: Program) -> Result<Outcome, Error> {
        let mut outcomes = self.run_batch_async(vec![program]).await?;
        outcomes.pop().expect("one result a program")
    }

    /// [`Sandbox::run_batch`] without blocking the thread. If the future is dropped, the batch is cancelled.
    ///
    /// # Errors
    /// When the runtime shuts down; what fails for one program is in its place.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn run_batch_async(&self, programs: Vec<Program>) -> Result<Vec<Result<Outcome, Error>>, Error> {
        let sandbox = self.clone();
        blocking(move |cancel| sandbox.run_batch(&programs, cancel)).await
    }
}

impl Session {
    /// [`Session::run_with`] without blocking the thread. If the future is dropped, the run stops and has never happened.
    ///
    /// # Errors
    /// As [`Session::run_with`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn run_async(&mut self, run: SessionRun) -> Result<Outcome, Error> {
        // The run is made on a branch, which becomes this session when it has ended.
        let mut branch = self.branch();
        let (branch, outcome) = blocking(move |dropped| {
            let (ours, dropped) = (run.cancel().clone(), dropped.clone());
            let either = Cancel::polling(move || {
                ours.poll();
                ours.is_cancelled() || dropped.is_cancelled()
            });
            let outcome = branch.run_with(&run.with_cancel(&either));
            (branch, outcome)
        })
        .await?;
        *self = branch;
        outcome
    }
}
