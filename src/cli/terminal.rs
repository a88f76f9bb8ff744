//! What goes to a terminal, and how: every line that a command prints goes through here.
//!
//! Names, notes, errors of other systems: text from outside stands in most lines, and a terminal obeys what is in it. So not
//! each value is cleaned where it is printed but each line where it leaves: a place that forgets it can not exist. A line stays
//! one line, whatever its values hold. What has several lines on purpose says so with [`block`].

use std::io::{self, Write as _};
use std::process::ExitCode;

use tracing_subscriber::field::{MakeExt as _, RecordFields};
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::domain::words;

/// Prints a line. Line ends that `template`, our own text, begins with are empty lines before it.
pub(super) fn line(template: &str, text: std::fmt::Arguments<'_>) {
    let text = text.to_string();
    let gap = template.len() - template.trim_start_matches('\n').len();
    let (gap, text) = text.split_at_checked(gap).unwrap_or(("", &text));
    write(&format!("{gap}{}\n", words::aligned(text)));
}

/// Prints text of several lines, such as a digest, and nothing behind it; what moves a cursor or hides is left out.
pub(super) fn block(text: &str) {
    write(&words::lines(text));
}

/// Prints JSON, with what can not be seen as escapes.
pub(super) fn json(text: &str) {
    write(&words::visible_json(text));
    write("\n");
}

/// Prints what has colours of our own: its values were cleaned when it was made.
pub(super) fn coloured(text: &str) {
    write(text);
}

/// Says on stderr what went wrong.
pub(super) fn failed(what: &str) {
    eprintln!("error: {}", words::aligned(what));
}

/// What was typed, each argument as it is shown.
pub(super) fn typed() -> Vec<String> {
    std::env::args_os().map(|typed| words::aligned(&typed.to_string_lossy())).collect()
}

/// Says on stderr which argument is not understood, and what would be.
pub(super) fn misunderstood(error: &clap::Error) -> ExitCode {
    eprint!("{}", words::lines(&error.render().to_string()));
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}

/// Writes to stdout. Whoever stops reading (`reeve digest | head`) has read enough: that ends the program without a word.
pub(super) fn write(text: &str) {
    let Err(error) = io::stdout().write_all(text.as_bytes()) else { return };
    if error.kind() == io::ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    failed(&format!("can not print: {error}; check where the output goes"));
    std::process::exit(1);
}

/// The fields of a log line: one line, cleaned, as `message name=value …`.
pub(super) fn log_fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    Cleaned
}

struct Cleaned;

impl<'w> FormatFields<'w> for Cleaned {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> std::fmt::Result {
        let each = debug_fn(|writer, field, value| {
            let value = words::aligned(&format!("{value:?}"));
            if field.name() == "message" { write!(writer, "{value}") } else { write!(writer, "{}={value}", field.name()) }
        });
        each.delimited(" ").format_fields(writer, fields)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_log_line_is_one_line_whatever_its_values_hold() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .fmt_fields(log_fields())
            .finish();
        let hostile = "x\u{1b}[2J\n ERROR forged\u{202e}\u{9b}";
        tracing::subscriber::with_default(log, || tracing::warn!(name = %hostile, other = hostile, "It said {hostile}"));
        let logged = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(logged.lines().count(), 1, "{logged:?}");
        assert!(logged.contains("It said x[2J  ERROR forged name=x[2J"), "{logged:?}");
        assert!(!logged.trim_end().chars().any(crate::domain::text::is_invisible), "{logged:?}");
    }
}
