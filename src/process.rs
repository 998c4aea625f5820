//! The only place that starts programs: argument vectors, no shell, limits on
//! time and output.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A program about to be run.
#[derive(Clone, Debug)]
pub struct Invocation {
    program: OsString,
    arguments: Vec<OsString>,
    folder: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
    clear: bool,
    stdin: Vec<u8>,
    limit: Duration,
    output_limit: usize,
}

/// What a program left behind.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed, at most the limit.
    pub stdout: Vec<u8>,
    /// What it complained of, at most the limit.
    pub stderr: Vec<u8>,
}

/// The program could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It could not be started.
    #[error("{program} could not be started: {source}; is it installed and on PATH?")]
    NotStarted {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It could not be waited for.
    #[error("{program} could not be waited for: {source}")]
    Lost {
        /// The program.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ran for too long and was killed.
    #[error("{program} ran longer than {} s and was ended", limit.as_secs())]
    TimedOut {
        /// The program.
        program: String,
        /// The limit.
        limit: Duration,
    },
    /// It printed more than the limit.
    #[error("{program} printed more than {limit} bytes")]
    TooMuchOutput {
        /// The program.
        program: String,
        /// The limit in bytes.
        limit: usize,
    },
}

impl Invocation {
    /// `program`, looked up on PATH, with the caller's environment.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            folder: None,
            environment: Vec::new(),
            clear: false,
            stdin: Vec::new(),
            limit: Duration::from_secs(60),
            output_limit: 64 << 20,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, arguments: I) -> Self {
        let owned = arguments.into_iter().map(|a| a.as_ref().to_owned());
        self.arguments.extend(owned);
        self
    }

    /// Sets the working folder.
    #[must_use]
    pub fn current_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let pair = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.environment.push(pair);
        self
    }

    /// Inherits no variable.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.clear = true;
        self
    }

    /// Feeds these bytes to its standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Ends it after this long; a minute by default.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The most bytes of each stream; 64 MiB by default.
    #[must_use]
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// Where it can't be started, runs too long or prints too much. A non-zero
    /// exit is no error: look at [`Output::status`].
    pub fn run(self) -> Result<Output, ProcessError> {
        let program = self.program.to_string_lossy().into_owned();
        let mut child = self.spawn(&program)?;
        let feeder = child.stdin.take().map(|mut pipe| {
            let bytes = self.stdin;
            // A program that does not read all its input is no fault of ours.
            thread::spawn(move || drop(pipe.write_all(&bytes)))
        });
        let limit = self.output_limit;
        let stdout = child.stdout.take().map(|pipe| drain(pipe, limit));
        let stderr = child.stderr.take().map(|pipe| drain(pipe, limit));
        let status = wait(&mut child, self.limit, &program)?;
        if let Some(feeder) = feeder {
            let _ = feeder.join();
        }
        let gather = |reader: Option<thread::JoinHandle<Option<Vec<u8>>>>| {
            reader
                .and_then(|reader| reader.join().ok())
                .flatten()
                .ok_or_else(|| ProcessError::TooMuchOutput { program: program.clone(), limit })
        };
        Ok(Output { status, stdout: gather(stdout)?, stderr: gather(stderr)? })
    }

    fn spawn(&self, program: &str) -> Result<Child, ProcessError> {
        #[expect(clippy::disallowed_methods, reason = "this is the module that starts programs")]
        let mut command = Command::new(&self.program);
        if self.clear {
            command.env_clear();
        }
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().map_err(|source| ProcessError::NotStarted { program: program.to_owned(), source })
    }
}

fn drain(pipe: impl Read + Send + 'static, limit: usize) -> thread::JoinHandle<Option<Vec<u8>>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut bounded = pipe.take(limit as u64 + 1);
        bounded.read_to_end(&mut bytes).ok()?;
        (bytes.len() <= limit).then_some(bytes)
    })
}

fn wait(child: &mut Child, limit: Duration, program: &str) -> Result<ExitStatus, ProcessError> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        let ended = child.try_wait().map_err(|source| ProcessError::Lost { program: program.to_owned(), source })?;
        if let Some(status) = ended {
            return Ok(status);
        }
        if started.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            return Err(ProcessError::TimedOut { program: program.to_owned(), limit });
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}
