//! The real `reeve`, started as a person starts it: arguments, environment, exit code, what it prints.
//!
//! It gets no environment but what the test gives it, so that nobody's own settings decide a test.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use super::variable;

/// The recording that comes with Reeve.
pub(crate) fn bundled_recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/recordings/odoo-18-retailer")
}

/// What a program said and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What it printed, when it ended well and complained about nothing.
    #[track_caller]
    pub(crate) fn fine(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{}", self.out);
        self.out
    }

    /// The one line of an error, without its `error: `. Anything else (a panic, a second line, another exit code) fails.
    #[track_caller]
    pub(crate) fn error(self) -> String {
        let lines: Vec<&str> = self.err.lines().collect();
        assert_eq!((self.code, lines.len()), (Some(1), 1), "{self:?}");
        lines[0].strip_prefix("error: ").unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

/// Runs `reeve` to its end.
pub(crate) fn reeve<S: AsRef<str>>(args: &[S], environment: &[(&str, &str)]) -> Ended {
    let mut command = program(env!("CARGO_BIN_EXE_reeve"), environment);
    command.args(args.iter().map(AsRef::as_ref));
    Ended::of(command.output().expect("reeve can be started"))
}

/// Runs `script` in a shell in which `$REEVE` is the program.
pub(crate) fn in_a_shell(script: &str, environment: &[(&str, &str)]) -> Ended {
    let mut command = program("sh", environment);
    command.args(["-c", script]).env("REEVE", env!("CARGO_BIN_EXE_reeve"));
    Ended::of(command.output().expect("a shell can be started"))
}

#[expect(clippy::disallowed_methods, reason = "what a person starts is tested by starting it")]
fn program(name: &str, environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(name);
    command.env_clear().envs(environment.iter().copied()).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    // A shell and `kill` are looked for there; Reeve itself looks for nothing.
    command.envs(variable("PATH").map(|path| ("PATH", path)));
    command
}

/// Starts `reeve`, says `lines` to it, reads `answers` lines, then hangs up and waits for its end: the lines, and how it ended.
pub(crate) fn spoken_with<S: AsRef<str>>(args: &[S], lines: &[String], answers: usize) -> (Vec<String>, Ended) {
    let mut command = program(env!("CARGO_BIN_EXE_reeve"), &[]);
    command.args(args.iter().map(AsRef::as_ref)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("reeve can be started");
    let mut said = process.stdin.take().expect("it was asked for as a pipe");
    for line in lines {
        writeln!(said, "{line}").expect("it listens");
    }
    let mut output = BufReader::new(process.stdout.take().expect("it was asked for as a pipe"));
    let mut heard = Vec::new();
    for _ in 0..answers {
        let mut line = String::new();
        output.read_line(&mut line).expect("it prints UTF-8");
        heard.push(line);
    }
    drop(said);
    (heard, Ended::of(process.wait_with_output().expect("it ends")))
}

/// Starts `reeve` for a test that kills it: what it prints is a pipe, what it logs goes to the end of the file `log`.
pub(crate) fn started<S: AsRef<str>>(args: &[S], log: &Path) -> Process {
    let log = File::options().create(true).append(true).open(log).expect("a log can be written");
    let mut command = program(env!("CARGO_BIN_EXE_reeve"), &[]);
    command.args(args.iter().map(AsRef::as_ref)).stdout(Stdio::piped()).stderr(log);
    Process(command.spawn().expect("reeve can be started"))
}

/// A program that ends with the test that started it, also where that fails: dropping it kills it.
pub(crate) struct Process(Child);

impl Process {
    /// Kills it where it stands.
    #[track_caller]
    pub(crate) fn killed(mut self) {
        assert!(self.try_wait().expect("it can be asked").is_none(), "it ended by itself");
    }

    /// Sends it `signal` (`INT`, `STOP`), as an operator would.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        let sent = program("kill", &[]).args([&format!("-{signal}"), &self.id().to_string()]).status();
        assert!(sent.expect("kill can be started").success(), "it ended by itself");
    }
}

impl Deref for Process {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails when it has ended already, which is what is wanted.
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// A `reeve` that runs on until it is told to end.
pub(crate) struct Running {
    process: Process,
    out: BufReader<ChildStdout>,
}

impl Running {
    /// Starts it.
    pub(crate) fn start<S: AsRef<str>>(args: &[S], environment: &[(&str, &str)]) -> Self {
        let mut command = program(env!("CARGO_BIN_EXE_reeve"), environment);
        command.args(args.iter().map(AsRef::as_ref)).stdout(Stdio::piped());
        let mut process = Process(command.spawn().expect("reeve can be started"));
        let out = BufReader::new(process.stdout.take().expect("it was asked for as a pipe"));
        Self { process, out }
    }

    /// What it prints up to and including the first line that holds `last`.
    #[track_caller]
    pub(crate) fn said_until(&mut self, last: &str) -> String {
        let mut said = String::new();
        loop {
            let before = said.len();
            assert!(self.out.read_line(&mut said).expect("it prints UTF-8") > 0, "it ended without {last:?}: {said}");
            if said[before..].contains(last) {
                return said;
            }
        }
    }

    /// Sends it `signal` (`INT`, `TERM`) and waits for its exit code.
    pub(crate) fn stopped_by(mut self, signal: &str) -> Option<i32> {
        self.process.signal(signal);
        self.process.wait().expect("it can be waited for").code()
    }
}
