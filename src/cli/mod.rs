//! The command line: parses, opens what a command needs, runs it, and turns the outcome into an exit code:
//! 0 ok, 1 error, 2 a gate or check failed.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is where Reeve talks to a terminal")]

mod audit;
mod decide;
mod demo;
mod doctor;
mod open;
mod serve;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

/// Exception triage for retailers who run Odoo: reads the ERP, ranks what is wrong by money, and lets people decide.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Cli {
    /// Configuration file; what it does not set stays as in config/default.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The store to work on, sqlite:PATH or postgres://…; overrides store.url.
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// Print JSON instead of text, where a command has data to print.
    #[arg(long, global = true)]
    json: bool,
    /// Say more about what is being done; twice for debugging.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show Reeve's job on a recording of a real Odoo: digest, queue page, approvals.
    Demo(demo::Demo),
    /// Run the daemon: stages, page and deliveries, until stopped.
    Serve,
    /// Check configuration, store, source, model and webhook, and say what to do.
    Doctor,
    /// Bring the store's schema up to date.
    Migrate,
    /// Print a day's digest.
    Digest(show::DigestArgs),
    /// Look at the queue and decide.
    #[command(subcommand)]
    Queue(decide::Queue),
    /// Look at and verify the audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Look at deliveries and send dead ones again.
    #[command(subcommand)]
    Outbox(show::Outbox),
    /// Make a one-time sign-in link for the page.
    SignIn {
        /// The person's id, as in [[people]] of the configuration.
        person: String,
    },
    /// Score Reeve on recorded input.
    #[command(subcommand)]
    Eval(show::Eval),
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// In which form a digest is printed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// Markdown.
    Markdown,
    /// HTML as it is mailed.
    Html,
}

/// How a command ended when it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// All is well.
    Fine,
    /// A gate or check failed.
    CheckFailed,
}

/// Parses the arguments, runs the command, prints what went wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Completions { shell } = &cli.command {
        clap_complete::generate(*shell, &mut Cli::command(), "reeve", &mut std::io::stdout());
        return ExitCode::SUCCESS;
    }
    end_quietly_when_nobody_reads();
    let level = match cli.verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    // A daemon's log is its voice: it speaks at INFO without being asked.
    let level = if matches!(cli.command, Command::Serve) { level.max(tracing::Level::INFO) } else { level };
    tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_target(false).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: can not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {}", told_once(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<Outcome> {
    let mut config = crate::config::Config::load(cli.config.as_deref())?;
    if let Some(url) = cli.store {
        config.store.url = url;
    }
    match cli.command {
        Command::Demo(args) => demo::run(config, args).await,
        Command::Serve => serve::run(config).await,
        Command::Doctor => doctor::run(config, cli.json).await,
        Command::Migrate => show::migrate(&config).await,
        Command::Digest(args) => show::digest(&config, &args, cli.json).await,
        Command::Queue(queue) => decide::run(config, queue, cli.json).await,
        Command::Audit(command) => audit::run(&config, command, cli.json).await,
        Command::Outbox(command) => show::outbox(config, command, cli.json).await,
        Command::SignIn { person } => show::sign_in(&config, &person).await,
        Command::Eval(command) => show::eval(config, command, cli.json).await,
        Command::Completions { .. } => Ok(Outcome::Fine),
    }
}

/// `reeve … | head` closes our output while there is more to print: that ends the command, and is no fault to report.
fn end_quietly_when_nobody_reads() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload_as_str().unwrap_or_default();
        if said.starts_with("failed printing to std") && said.contains("Broken pipe") {
            // As a shell says it of a program that SIGPIPE ended.
            std::process::exit(141);
        }
        usual(panic);
    }));
}

/// An error with its causes on one line, each said once: some repeat what they come from.
fn told_once(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said.push_str(": ");
            said.push_str(&cause);
        }
    }
    said
}

/// Prints a value as JSON.
fn print_json<T: serde::Serialize>(value: &T) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
