//! Group commit: what many callers want written at the same time is written in one transaction,
//! and each is answered after it is committed. Nobody waits for company: whoever finds a lane free
//! goes at once, and takes along all who have come meanwhile.

use crate::error::{Code, Error, Result};
use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Jobs of one transaction, at most.
pub const MOST: usize = 256;

/// What does the jobs of a batch.
pub trait Run: Send + Sync + 'static {
    /// What a caller wants.
    type Job: Send + Sync + 'static;
    /// What comes of it.
    type Done: Send + 'static;

    /// Does all of them in one transaction, and gives what came of each, in their order. An error
    /// says that nothing of any was done.
    fn run(
        &self,
        jobs: &[Self::Job],
    ) -> impl Future<Output = Result<Vec<Result<Self::Done>>>> + Send;
}

type Waiting<R> = (<R as Run>::Job, oneshot::Sender<Result<<R as Run>::Done>>);

/// The callers who wait, and the transactions on their way.
pub struct Batch<R: Run> {
    state: Mutex<State<R>>,
    /// Transactions at a time.
    lanes: usize,
}

struct State<R: Run> {
    waiting: VecDeque<Waiting<R>>,
    running: usize,
}

impl<R: Run> Batch<R> {
    /// A batch of so many transactions at a time: one where there is one writer.
    pub fn new(lanes: usize) -> Batch<R> {
        let state = State { waiting: VecDeque::new(), running: 0 };
        Batch { state: Mutex::new(state), lanes: lanes.max(1) }
    }

    /// Waits until the job was done and committed, or failed. It is done even if the caller has
    /// gone.
    pub async fn submit(self: &Arc<Self>, run: &Arc<R>, job: R::Job) -> Result<R::Done> {
        let (sender, receiver) = oneshot::channel();
        let leads = {
            let mut state = self.state();
            state.waiting.push_back((job, sender));
            let leads = state.running < self.lanes;
            state.running += usize::from(leads);
            leads
        };
        if leads {
            let lane = Lane { batch: Arc::clone(self), taken: true };
            let run = Arc::clone(run);
            tokio::spawn(async move { lane.drive(&*run).await });
        }
        receiver.await.unwrap_or_else(|_| Err(interrupted()))
    }

    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the transactions on their way: free again when it is dropped, come what may.
struct Lane<R: Run> {
    batch: Arc<Batch<R>>,
    /// Not given back yet.
    taken: bool,
}

impl<R: Run> Drop for Lane<R> {
    fn drop(&mut self) {
        if !self.taken {
            return;
        }
        let mut state = self.batch.state();
        state.running = state.running.saturating_sub(1);
        // Only a lane that broke off leaves somebody behind: they are told rather than forgotten.
        if state.running == 0 {
            state.waiting.clear();
        }
    }
}

impl<R: Run> Lane<R> {
    async fn drive(mut self, run: &R) {
        loop {
            let (jobs, senders) = {
                let mut state = self.batch.state();
                let count = state.waiting.len().min(MOST);
                let taken: (Vec<_>, Vec<_>) = state.waiting.drain(..count).unzip();
                if taken.0.is_empty() {
                    // Let go under the same lock: whoever comes next finds the lane free.
                    state.running = state.running.saturating_sub(1);
                    drop(state);
                    self.taken = false;
                    return;
                }
                taken
            };
            for (sender, done) in senders.into_iter().zip(all(run, &jobs).await) {
                // Whoever has gone does not need it.
                let _ = sender.send(done);
            }
        }
    }
}

/// Does jobs together, and one by one where that fails because of one of them.
async fn all<R: Run>(run: &R, jobs: &[R::Job]) -> Vec<Result<R::Done>> {
    let error = match run.run(jobs).await {
        Ok(done) if done.len() == jobs.len() => return done,
        Ok(_) => interrupted(),
        Err(error) => error,
    };
    let is_common = matches!(error.code(), Code::DiskFull | Code::Busy | Code::ServerClock);
    if is_common || jobs.len() == 1 {
        return jobs.iter().map(|_| Err(error.clone())).collect();
    }
    let mut done = Vec::with_capacity(jobs.len());
    for job in jobs {
        let one = run.run(std::slice::from_ref(job)).await;
        done.push(one.and_then(|mut one| one.pop().unwrap_or_else(|| Err(interrupted()))));
    }
    done
}

fn interrupted() -> Error {
    Error::new(Code::Internal, "The server broke off: nothing was changed; try again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    /// Spoils its transaction.
    const SPOILT: u32 = 1_000_013;

    /// Is a fault of the program.
    const FAULT: u32 = 1_000_099;

    /// Notes how many jobs came at a time. 0 is refused alone.
    struct Notes {
        gate: Semaphore,
        batches: Mutex<Vec<usize>>,
        running: AtomicUsize,
        most: AtomicUsize,
    }

    impl Run for Notes {
        type Job = u32;
        type Done = u32;

        async fn run(&self, jobs: &[u32]) -> Result<Vec<Result<u32>>> {
            let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(running, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            self.running.fetch_sub(1, Ordering::SeqCst);
            self.batches.lock().unwrap().push(jobs.len());
            assert!(!jobs.contains(&FAULT), "a fault of the program");
            match jobs.contains(&SPOILT) {
                true => Err(Error::new(Code::Internal, "spoilt")),
                false => Ok(jobs
                    .iter()
                    .map(|job| match job {
                        0 => Err(Error::new(Code::Conflict, "0")),
                        job => Ok(job * 2),
                    })
                    .collect()),
            }
        }
    }

    fn notes(open: usize) -> Arc<Notes> {
        Arc::new(Notes {
            gate: Semaphore::new(open),
            batches: Mutex::default(),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        })
    }

    /// Lets a job into each lane, then all others wait while those are held up, and gives what
    /// came of them.
    async fn together(lanes: usize, run: &Arc<Notes>, jobs: &[u32]) -> Vec<Result<u32>> {
        let batch = Arc::new(Batch::new(lanes));
        let mut tasks = Vec::new();
        for (at, job) in jobs.iter().enumerate() {
            let (of, to, job) = (Arc::clone(&batch), Arc::clone(run), *job);
            tasks.push(tokio::spawn(async move { of.submit(&to, job).await }));
            while at < lanes && run.running.load(Ordering::SeqCst) <= at {
                tokio::task::yield_now().await;
            }
        }
        while batch.state().waiting.len() + lanes.min(jobs.len()) < jobs.len() {
            tokio::task::yield_now().await;
        }
        run.gate.add_permits(10_000);
        let mut done = Vec::new();
        for task in tasks {
            done.push(task.await.unwrap());
        }
        // A lane that is not given back hangs here.
        while batch.state().running > 0 {
            tokio::task::yield_now().await;
        }
        done
    }

    #[tokio::test]
    async fn whoever_waits_goes_with_the_next_transaction() {
        let run = notes(0);
        let jobs: Vec<u32> = (1..=100).collect();
        let done = together(1, &run, &jobs).await;
        let wanted: Vec<Result<u32>> = jobs.iter().map(|job| Ok(job * 2)).collect();
        assert_eq!(done, wanted);
        assert_eq!(*run.batches.lock().unwrap(), [1, 99]);
        assert_eq!(run.most.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn there_are_as_many_transactions_at_a_time_as_lanes() {
        let run = notes(0);
        let jobs: Vec<u32> = (1..=100).collect();
        together(3, &run, &jobs).await;
        assert_eq!(run.most.load(Ordering::SeqCst), 3);
        assert_eq!(run.batches.lock().unwrap().iter().sum::<usize>(), 100);
    }

    #[tokio::test]
    async fn no_transaction_has_more_than_the_most() {
        let run = notes(0);
        let jobs: Vec<u32> = (1..=1_000).collect();
        together(1, &run, &jobs).await;
        assert_eq!(run.batches.lock().unwrap().iter().max(), Some(&MOST));
    }

    #[tokio::test]
    async fn what_is_wrong_in_a_transaction_fails_alone() {
        let run = notes(0);
        let done = together(1, &run, &[1, 2, SPOILT, 0, 3]).await;
        let codes: Vec<_> = done.into_iter().map(|it| it.map_err(|error| error.code())).collect();
        assert_eq!(codes, [Ok(2), Ok(4), Err(Code::Internal), Err(Code::Conflict), Ok(6)]);
    }

    #[tokio::test]
    async fn nobody_waits_for_ever_for_a_transaction_that_broke_off() {
        let run = notes(0);
        let done = together(1, &run, &[FAULT, 1]).await;
        assert!(done.iter().any(|it| it.is_err()), "{done:?}");
        // And the lane is free again.
        let batch = Arc::new(Batch::new(1));
        assert!(batch.submit(&run, FAULT).await.is_err());
        assert_eq!(batch.submit(&run, 4).await, Ok(8));
    }
}
