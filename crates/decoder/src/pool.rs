//! The platform's side: threads that each keep one child, and a queue of fixed length before them.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use mapping::{Decode, DecodeFault, Script, Uplink};
use parking_lot::Mutex;

use crate::child::{Question, Told};
use crate::run::Limits;

/// How a child is started: the command that runs [`crate::work`] on its input and output.
pub type Launch = Arc<dyn Fn() -> Command + Send + Sync>;

/// How many and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Children, at most; the first starts with the first uplink.
    pub children: usize,
    /// Uplinks that may wait for a child.
    pub waiting: usize,
    /// What each decoder may use.
    pub limits: Limits,
    /// How long an answer may take beyond that before the child is ended.
    pub grace: Duration,
}

impl Default for Settings {
    /// Two children, 64 waiting, the usual limits, two seconds.
    fn default() -> Self {
        Self { children: 2, waiting: 64, limits: Limits::default(), grace: Duration::from_secs(2) }
    }
}

/// Runs decoders in children. Dropping it ends them.
pub struct Pool {
    queue: SyncSender<Job>,
    settings: Settings,
}

struct Job {
    question: Vec<u8>,
    reply: SyncSender<Told>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({:?})", self.settings)
    }
}

impl Pool {
    /// Starts the threads; children start when there is work.
    #[must_use]
    pub fn new(launch: Launch, settings: Settings) -> Self {
        let (queue, jobs) = sync_channel::<Job>(settings.waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..settings.children.max(1) {
            let (jobs, launch) = (Arc::clone(&jobs), Arc::clone(&launch));
            let keeper = Keeper { launch, settings, worker: None };
            let thread = std::thread::Builder::new().name(format!("decoder-{number}"));
            if let Err(error) = thread.spawn(move || keeper.serve(&jobs)) {
                tracing::error!(%error, "no thread for payload decoders");
            }
        }
        Self { queue, settings }
    }

    fn ask(&self, script: &Script, uplink: &Uplink) -> Told {
        let failed = |why: &str| DecodeFault::Unavailable(why.to_owned());
        let question = Question::new(&script.source, uplink, self.settings.limits);
        let mut question = serde_json::to_vec(&question).map_err(|_| failed("the question can't be written"))?;
        question.push(b'\n');
        let (reply, answer) = sync_channel(1);
        self.queue.try_send(Job { question, reply }).map_err(|error| match error {
            TrySendError::Full(_) => failed("too many uplinks wait for a decoder"),
            TrySendError::Disconnected(_) => failed("no thread runs them"),
        })?;
        wait(|| answer.recv().unwrap_or_else(|_| Err(failed("no thread runs them"))))
    }
}

impl Decode for Pool {
    fn decode(&self, script: &Script, uplink: &Uplink) -> Told {
        let began = Instant::now();
        let told = self.ask(script, uplink);
        metrics::histogram!("vitalwire_decoder_seconds").record(began.elapsed().as_secs_f64());
        let outcome = told.as_ref().map_or_else(DecodeFault::name, |_| "done");
        metrics::counter!("vitalwire_decoder_runs_total", "outcome" => outcome).increment(1);
        told
    }
}

/// Waits without keeping other tasks of the same runtime from going on.
fn wait<T>(work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let many = Handle::try_current().is_ok_and(|here| here.runtime_flavor() == RuntimeFlavor::MultiThread);
    if many { tokio::task::block_in_place(work) } else { work() }
}

/// A thread's own child, and how to start the next.
struct Keeper {
    launch: Launch,
    settings: Settings,
    worker: Option<Worker>,
}

impl Keeper {
    fn serve(mut self, jobs: &Mutex<Receiver<Job>>) {
        loop {
            // The lock is held while waiting: whoever has it takes the next job.
            let next = jobs.lock().recv();
            let Ok(job) = next else { return };
            let told = self.answer(&job.question);
            // Nobody waits any more: nothing to do.
            let _ = job.reply.send(told);
        }
    }

    fn answer(&mut self, question: &[u8]) -> Told {
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(&self.launch).map_err(|error| DecodeFault::Unavailable(error.to_string()))?,
        };
        let limits = self.settings.limits;
        let (worker, told) = worker.ask(question, limits.time + self.settings.grace);
        self.worker = worker;
        match told {
            Ok(told) => told,
            Err(Lost::Late) => Err(DecodeFault::Time(limits.time)),
            Err(Lost::Ended) => Err(DecodeFault::Threw("its process ended".to_owned())),
        }
    }
}

/// Why a child is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    Late,
    Ended,
}

/// A child and the thread that reads what it says.
struct Worker {
    child: Child,
    input: ChildStdin,
    answers: Receiver<String>,
}

impl Worker {
    fn start(launch: &Launch) -> std::io::Result<Self> {
        let mut command = launch();
        // Nothing of ours goes along: no variable that may hold a secret, no open file but the pipes.
        command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| std::io::Error::other("the child has no pipes"))?;
        let (say, answers) = sync_channel(1);
        std::thread::Builder::new().name("decoder-ear".to_owned()).spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                if say.send(line).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { child, input, answers })
    }

    /// Asks; gives the child back if it can be asked again.
    fn ask(mut self, question: &[u8], patience: Duration) -> (Option<Self>, Result<Told, Lost>) {
        if self.input.write_all(question).and_then(|()| self.input.flush()).is_err() {
            return (None, Err(Lost::Ended));
        }
        let told = match self.answers.recv_timeout(patience) {
            Ok(line) => serde_json::from_str(&line).map_err(|_| Lost::Ended),
            Err(RecvTimeoutError::Timeout) => Err(Lost::Late),
            Err(RecvTimeoutError::Disconnected) => Err(Lost::Ended),
        };
        match told {
            Ok(told) => (Some(self), Ok(told)),
            Err(lost) => (None, Err(lost)),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(shell: &'static str, waiting: usize) -> Pool {
        let launch: Launch = Arc::new(move || {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", shell]);
            command
        });
        let limits = Limits { time: Duration::from_millis(50), ..Limits::default() };
        Pool::new(launch, Settings { children: 1, waiting, limits, grace: Duration::from_millis(250) })
    }

    fn ask(pool: &Pool) -> Told {
        pool.decode(&Script::new("x.js", ""), &Uplink { bytes: vec![1], port: 1, received_ms: 0 })
    }

    #[test]
    fn a_child_that_does_not_answer_is_ended_and_the_next_one_answers() {
        // The first child hangs where no limit inside it helps; those after it answer.
        let folder = std::env::temp_dir().join(format!("decoder-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let shell = format!(
            "while read line; do if mkdir {0} 2>/dev/null; then read never </dev/zero; while :; do :; done; fi; \
             echo '{{\"Ok\":5}}'; done",
            folder.display()
        );
        let pool = pool(Box::leak(shell.into_boxed_str()), 4);
        assert_eq!(ask(&pool), Err(DecodeFault::Time(Duration::from_millis(50))));
        let again = (0..100).find_map(|_| ask(&pool).ok());
        assert_eq!(again, Some(serde_json::json!(5)));
        std::fs::remove_dir(&folder).expect("made by the child");
    }

    #[test]
    fn a_child_that_ends_or_talks_nonsense_costs_one_answer() {
        for shell in ["read line; exit 3", "read line; echo nonsense; read line", "exit 0"] {
            assert!(matches!(ask(&pool(shell, 4)), Err(DecodeFault::Threw(_))), "{shell}");
        }
    }

    #[test]
    fn a_full_queue_refuses_at_once() {
        let pool = Arc::new(pool("read line; while :; do sleep 1; done", 0));
        let busy = Arc::clone(&pool);
        let first = std::thread::spawn(move || ask(&busy));
        let refused = (0..1000).any(|_| matches!(ask(&pool), Err(DecodeFault::Unavailable(_))));
        assert!(refused, "one waits, the others are told");
        assert!(first.join().expect("it ends").is_err());
    }
}
