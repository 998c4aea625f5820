//! The one place that starts programs.
//!
//! An [`Invocation`] is a program, an argument vector and its limits; running it
//! yields an [`Output`] or a typed error. No shell is ever involved.
//!
//! Must not: know a stage, decide what a program's exit code means, or isolate
//! anything (that is [`crate::sandbox`]'s work, which starts its programs here).

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::files;

/// The wall-clock limit where none is given.
pub const DEFAULT_LIMIT: Duration = Duration::from_secs(600);
/// The limit on stdout and on stderr, in bytes, where none is given.
pub const DEFAULT_OUTPUT_LIMIT: usize = 256 << 20;
/// How long a descendant that outlives the program may hold its pipes open.
const LINGER: Duration = Duration::from_secs(2);
/// The shortest pause between two looks at a folder with a limit.
const LOOK: Duration = Duration::from_millis(200);
/// The longest pause between two looks at a running program.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// A program and how to run it. Built by value:
/// `Invocation::new("git").arg("status").current_dir(root).run()`.
#[derive(Debug)]
#[must_use = "an invocation does nothing until it is run"]
pub struct Invocation {
    program: OsString,
    args: Vec<OsString>,
    dir: Option<PathBuf>,
    env: Vec<(OsString, OsString)>,
    env_clear: bool,
    stdin: Option<Vec<u8>>,
    limit: Duration,
    output_limit: usize,
    disk_limit: Option<(PathBuf, u64)>,
    interruptible: bool,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// What a program left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub status: Exit,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: Vec<u8>,
}

/// Why a program could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is no such program on `PATH`, or its file does not exist.
    #[error("the program `{program}` was not found: install it or put its folder on PATH")]
    Missing {
        /// As it was named.
        program: String,
    },
    /// The working directory is not there.
    #[error("cannot run `{program}`: its working directory {} does not exist", dir.display())]
    NoDirectory {
        /// As it was named.
        program: String,
        /// The folder.
        dir: PathBuf,
    },
    /// The system refused to start it.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// As it was named.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// It ran longer than it may, and was killed.
    #[error("`{program}` was killed: it ran longer than {} s", limit.as_secs_f64())]
    TimedOut {
        /// As it was named.
        program: String,
        /// The wall-clock limit.
        limit: Duration,
    },
    /// The user wanted it to end, and it was killed.
    #[error("`{program}` was ended by Ctrl-C")]
    Interrupted {
        /// As it was named.
        program: String,
    },
    /// It printed more than it may, and was killed.
    #[error("`{program}` was killed: it printed more than {limit} bytes")]
    TooMuchOutput {
        /// As it was named.
        program: String,
        /// The limit on one stream, in bytes.
        limit: usize,
    },
    /// It filled a folder beyond its limit, and was killed.
    #[error("`{program}` was killed: {} takes more than {} MiB of disk", folder.display(), limit >> 20)]
    TooMuchDisk {
        /// As it was named.
        program: String,
        /// The folder that it wrote into.
        folder: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// Its pipes or its exit status could not be read.
    #[error("lost contact with `{program}`: {source}")]
    Io {
        /// As it was named.
        program: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Exit {
    /// The exit code, unless a signal ended the program.
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(_) => None,
        }
    }

    /// Whether it exited with 0.
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl PartialEq<i32> for Exit {
    fn eq(&self, code: &i32) -> bool {
        self.code() == Some(*code)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
            return Self::Signal(signal);
        }
        Self::Code(status.code().unwrap_or(-1))
    }
}

impl Output {
    /// Whether the program exited with 0.
    pub fn success(&self) -> bool {
        self.status.success()
    }
}

impl Invocation {
    /// An invocation of `program`: a path, or a name that is looked up on `PATH`.
    /// It inherits the environment and the working directory and reads nothing.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            dir: None,
            env: Vec::new(),
            env_clear: false,
            stdin: None,
            limit: DEFAULT_LIMIT,
            output_limit: DEFAULT_OUTPUT_LIMIT,
            disk_limit: None,
            interruptible: false,
        }
    }

    /// Adds one argument, passed on as it is.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds several arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Runs the program in `dir`.
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Sets one variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Inherits no variable: only those given to [`Invocation::env`] are set.
    pub fn env_clear(mut self) -> Self {
        self.env_clear = true;
        self
    }

    /// What the program reads from its standard input.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// The wall-clock limit, after which the program is killed.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// The most bytes that stdout, and likewise stderr, may hold.
    pub fn output_limit(mut self, bytes: usize) -> Self {
        self.output_limit = bytes;
        self
    }

    /// All that a folder may take on the disk while the program runs, in bytes. It is looked
    /// at a few times a second: what is written in between comes on top.
    pub fn disk_limit(mut self, folder: &Path, bytes: u64) -> Self {
        self.disk_limit = Some((folder.to_owned(), bytes));
        self
    }

    /// Lets Ctrl-C end the program, through gander: it is put into a group of its own,
    /// so that it does not get the signal before gander has noticed it.
    pub fn interruptible(mut self) -> Self {
        self.interruptible = true;
        self
    }

    /// Runs the program to its end. A red exit code is not an error here.
    ///
    /// Input is written and both outputs are read at the same time, so that no
    /// amount of either can make the two wait for each other.
    pub fn run(self) -> Result<Output, ProcessError> {
        self.run_to(Stdio::piped())
    }

    /// The same with standard output going into a file, of which nothing is held:
    /// the output is empty, and its limit is for standard error alone.
    pub fn run_into(self, file: std::fs::File) -> Result<Output, ProcessError> {
        self.run_to(Stdio::from(file))
    }

    fn run_to(mut self, stdout: Stdio) -> Result<Output, ProcessError> {
        let input = self.stdin.take();
        let stdin = match &input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        };
        let name = self.name();
        let (limit, output_limit, interruptible) = (self.limit, self.output_limit, self.interruptible);
        let disk = self.disk_limit.take().map(|(folder, limit)| Disk { folder, limit, next: Instant::now() });
        let child = self.spawn(stdin, stdout, Stdio::piped())?;
        Attended { interruptible, disk, ..Attended::new(child, name, output_limit, input) }.wait(limit)
    }

    /// Starts the program with the given streams and leaves it to the caller.
    /// Limits and input of the invocation play no part. For the sandbox, which
    /// has its own ways to watch and to end what it starts.
    pub fn spawn(
        self,
        stdin: impl Into<Stdio>,
        stdout: impl Into<Stdio>,
        stderr: impl Into<Stdio>,
    ) -> Result<Child, ProcessError> {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that starts programs")]
        let mut command = self.located().map_or_else(|| Command::new(&self.program), |file| self.named(&file));
        if self.env_clear {
            command.env_clear();
        }
        #[cfg(unix)]
        if self.interruptible {
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
        }
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .map_err(|source| self.not_started(source))
    }

    /// The file of the program on the path that it gets itself, if that path is told. A program that
    /// has to be looked for is started by forking, which copies the page tables of all of gander;
    /// a file by `posix_spawn`, which doesn't.
    fn located(&self) -> Option<PathBuf> {
        let (_, path) = self.env.iter().rfind(|(name, _)| name == "PATH")?;
        if self.program.as_encoded_bytes().contains(&b'/') {
            return None;
        }
        // What a relative folder means depends on where the program is started.
        let folders = std::env::split_paths(path).take_while(|folder| folder.is_absolute());
        folders
            .map(|folder| folder.join(&self.program))
            .find(|file| file.metadata().is_ok_and(|meta| meta.is_file() && files::is_executable(&meta)))
    }

    /// A call of `file` by the name that it was asked for.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that starts programs")]
    fn named(&self, file: &Path) -> Command {
        let mut command = Command::new(file);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::arg0(&mut command, &self.program);
        command
    }

    fn not_started(&self, source: io::Error) -> ProcessError {
        let program = self.name();
        if source.kind() != io::ErrorKind::NotFound {
            return ProcessError::Start { program, source };
        }
        match &self.dir {
            Some(dir) if !dir.is_dir() => ProcessError::NoDirectory { program, dir: dir.clone() },
            _ => ProcessError::Missing { program },
        }
    }

    fn name(&self) -> String {
        self.program.to_string_lossy().into_owned()
    }
}

/// What a thread that serves a pipe has to tell.
enum Event {
    Stdout(io::Result<Vec<u8>>),
    Stderr(io::Result<Vec<u8>>),
    TooMuch,
}

/// A running program with its pipes in the care of threads.
struct Attended {
    child: Child,
    name: String,
    output_limit: usize,
    events: Receiver<Event>,
    stdout: Option<Vec<u8>>,
    stderr: Option<Vec<u8>>,
    interruptible: bool,
    disk: Option<Disk>,
}

/// A folder that may not grow beyond a limit.
struct Disk {
    folder: PathBuf,
    limit: u64,
    /// When to look next.
    next: Instant,
}

impl Disk {
    /// Whether it is too large.
    fn is_full(&mut self) -> bool {
        let begun = Instant::now();
        let files = walkdir::WalkDir::new(&self.folder).follow_links(false).into_iter().flatten();
        let taken: u64 = files.filter_map(|entry| entry.metadata().ok()).map(|meta| taken(&meta)).sum();
        // A tree of very many files is not looked at all the time.
        self.next = Instant::now() + LOOK.max(begun.elapsed() * 10);
        taken > self.limit
    }
}

#[cfg(unix)]
fn taken(meta: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::blocks(meta).saturating_mul(512)
}

#[cfg(not(unix))]
fn taken(meta: &std::fs::Metadata) -> u64 {
    meta.len()
}

impl Attended {
    fn new(mut child: Child, name: String, output_limit: usize, input: Option<Vec<u8>>) -> Self {
        let (sender, events) = mpsc::channel();
        let elsewhere = child.stdout.is_none().then(Vec::new);
        if let Some(pipe) = child.stdout.take() {
            read_in_thread(pipe, output_limit, sender.clone(), Event::Stdout);
        }
        if let Some(pipe) = child.stderr.take() {
            read_in_thread(pipe, output_limit, sender, Event::Stderr);
        }
        if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
            // A program may end without having read all: that is its own affair.
            thread::spawn(move || drop(pipe.write_all(&input)));
        }
        Self { child, name, output_limit, events, stdout: elsewhere, stderr: None, interruptible: false, disk: None }
    }

    fn wait(mut self, limit: Duration) -> Result<Output, ProcessError> {
        let result = self.attend(Instant::now().checked_add(limit), limit);
        if result.is_err() {
            // All of these fail only where it has ended already.
            #[cfg(unix)]
            if self.interruptible
                && let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw)
            {
                // What it has started itself is of its group.
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        result
    }

    fn attend(&mut self, deadline: Option<Instant>, limit: Duration) -> Result<Output, ProcessError> {
        let mut pause = Duration::from_micros(200);
        let status = loop {
            self.look(false)?;
            if let Some(status) = self.child.try_wait().map_err(|e| self.io(e))? {
                break Exit::from(status);
            }
            let left = deadline.map_or(LONGEST_PAUSE, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(ProcessError::TimedOut { program: self.name.clone(), limit });
            }
            if self.interruptible && crate::interrupt::wanted() {
                return Err(ProcessError::Interrupted { program: self.name.clone() });
            }
            self.listen(pause.min(left))?;
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        // It may have been quicker than the looks.
        self.look(true)?;
        let until = Instant::now() + LINGER;
        while self.stdout.is_none() || self.stderr.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let held = io::Error::other("a descendant keeps its output open after its end");
                return Err(self.io(held));
            }
            self.listen(left)?;
        }
        Ok(Output {
            status,
            stdout: self.stdout.take().unwrap_or_default(),
            stderr: self.stderr.take().unwrap_or_default(),
        })
    }

    /// Looks at the folder with a limit, where it is time or it has to be `now`.
    fn look(&mut self, now: bool) -> Result<(), ProcessError> {
        let Some(disk) = self.disk.as_mut().filter(|disk| now || disk.next <= Instant::now()) else { return Ok(()) };
        if !disk.is_full() {
            return Ok(());
        }
        let (folder, limit) = (disk.folder.clone(), disk.limit);
        Err(ProcessError::TooMuchDisk { program: self.name.clone(), folder, limit })
    }

    /// Waits for one event, at most for `pause`.
    fn listen(&mut self, pause: Duration) -> Result<(), ProcessError> {
        match self.events.recv_timeout(pause) {
            Ok(Event::Stdout(bytes)) => self.stdout = Some(bytes.map_err(|e| self.io(e))?),
            Ok(Event::Stderr(bytes)) => self.stderr = Some(bytes.map_err(|e| self.io(e))?),
            Ok(Event::TooMuch) => {
                return Err(ProcessError::TooMuchOutput { program: self.name.clone(), limit: self.output_limit });
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Both streams are at their end; only the exit is still awaited.
            Err(RecvTimeoutError::Disconnected) => {
                thread::sleep(pause.min(Duration::from_millis(1)));
            }
        }
        Ok(())
    }

    fn io(&self, source: io::Error) -> ProcessError {
        ProcessError::Io { program: self.name.clone(), source }
    }
}

fn read_in_thread(
    pipe: impl Read + Send + 'static,
    limit: usize,
    events: Sender<Event>,
    event: fn(io::Result<Vec<u8>>) -> Event,
) {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let most = (limit as u64).saturating_add(1);
        let read = pipe.take(most).read_to_end(&mut bytes).map(|_| ());
        let message = match read {
            Ok(()) if bytes.len() > limit => Event::TooMuch,
            read => event(read.map(|()| bytes)),
        };
        // Nobody listens any more where the program was killed.
        let _ = events.send(message);
    });
}

#[cfg(all(test, unix))]
mod tests;
