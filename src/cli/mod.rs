//! The command line: parses, opens what a command needs, runs it, and turns the outcome into an exit code:
//! 0 ok, 1 error, 2 a gate or check failed.
#![expect(clippy::print_stderr, reason = "this is where Reeve talks to a terminal")]

/// Prints one line to stdout as `println!` does, but see [`terminal`].
macro_rules! say {
    ($text:literal $($rest:tt)*) => { $crate::cli::terminal::line($text, format_args!($text $($rest)*)) };
}

mod access;
mod audit;
mod backtest;
mod batch;
mod case;
mod decide;
mod delegate;
mod demo;
mod doctor;
mod duty;
mod eval;
mod events;
mod kpi;
mod lab;
mod mcp;
mod memory;
mod mode;
mod models;
mod mute;
mod open;
mod os_user;
mod outbox;
mod policy;
mod prompts;
mod run;
mod serve;
mod show;
mod stop;
mod supplier;
mod sync;
mod terminal;
mod words;

use std::io::IsTerminal as _;
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
    /// Run all stages once, until nothing is left to do, and say what each did and took: for cron and for measuring.
    Run(run::Run),
    /// Stop drafting and every delivery at once, for everybody who works on the store; reading and the queue go on.
    Stop(stop::Stop),
    /// End a stop: what waited leaves, what is new is drafted.
    Resume(stop::Resume),
    /// See and set what is live, what is only watched (shadow) and what is off, by category, location, supplier or type.
    #[command(subcommand)]
    Mode(mode::ModeCommand),
    /// Check configuration, store, source, model and webhook, and say what to do.
    Doctor,
    /// Read what has changed in Odoo, once.
    Sync(sync::Sync),
    /// Bring the store's schema up to date.
    Migrate,
    /// Print a day's digest.
    Digest(show::DigestArgs),
    /// Look at the queue and decide.
    #[command(subcommand)]
    Queue(decide::Queue),
    /// Look at what a case rests on, and what has changed in it.
    #[command(subcommand)]
    Case(case::Cases),
    /// Choose what not to be shown for a while, and see what is hidden.
    #[command(subcommand)]
    Mute(mute::Mute),
    /// Look at and verify the audit log.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Print the figures of a period, each with its formula and what it was counted from.
    Kpi(kpi::KpiArgs),
    /// Print what a supplier has done, in figures: in time and in full, lead time, quantities, prices, what is open.
    Supplier(supplier::SupplierArgs),
    /// Look at deliveries: what is stuck and why; send dead ones again, or discard them.
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    /// Look at events from outside, and have those in quarantine looked at anew.
    #[command(subcommand)]
    Events(events::Events),
    /// Look at the approval policy: as a document, and for holes.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Say who stands in for whom.
    #[command(subcommand)]
    Delegate(delegate::Delegate),
    /// Make a one-time sign-in link for the page.
    SignIn {
        /// The person's id, as in [[people]] of the configuration.
        person: String,
    },
    /// Link people's chats, and end such links.
    #[command(subcommand)]
    Identity(access::Identity),
    /// Make, list and revoke tokens of the API.
    #[command(subcommand)]
    Token(access::Token),
    /// Print the OpenAPI document of the JSON API.
    Openapi,
    /// Serve an assistant over this process's input and output, by the Model Context Protocol: it reads, and decides nothing.
    Mcp(mcp::Mcp),
    /// What people decided on like cases: what is remembered, looking it up, filling the index anew.
    #[command(subcommand)]
    Memory(memory::MemoryCommand),
    /// Train detectors and score with them; see, validate and promote the versions that there are.
    #[command(subcommand)]
    Models(models::Models),
    /// See whose words people read, and let a language model that has earned its own write them.
    #[command(subcommand)]
    Words(words::Words),
    /// Run suites of scenarios, score Reeve on recordings and its detectors on trials.
    #[command(subcommand)]
    Eval(eval::Eval),
    /// Replay past days of a recording: the digests that would have been, and what they would have been worth.
    Backtest(backtest::Backtest),
    /// Look at the prompts of language models: versions, how they read, what changed.
    #[command(subcommand)]
    Prompts(prompts::Prompts),
    /// Make up retailers to measure with.
    #[command(subcommand)]
    Lab(lab::Lab),
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
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are our own words, with their colours; an error repeats what was typed or pasted.
        Err(error) if !error.use_stderr() => error.exit(),
        // Parsed once more as it is shown: an argument begins no line of ours.
        Err(error) => return terminal::misunderstood(&Cli::try_parse_from(terminal::typed()).err().unwrap_or(error)),
    };
    if let Command::Completions { shell } = &cli.command {
        let mut script = Vec::new();
        clap_complete::generate(*shell, &mut Cli::command(), "reeve", &mut script);
        terminal::block(&String::from_utf8_lossy(&script));
        return ExitCode::SUCCESS;
    }
    let level = match cli.verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    // A daemon's log is its voice: it speaks at INFO without being asked.
    let level = if matches!(cli.command, Command::Serve) { level.max(tracing::Level::INFO) } else { level };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .fmt_fields(terminal::log_fields())
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal::failed(&format!("can not start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::CheckFailed) => ExitCode::from(2),
        Err(error) => {
            terminal::failed(&told_once(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<Outcome> {
    let mut config = crate::config::Config::load(cli.config.as_deref())?;
    let names_store = cli.store.is_some();
    if let Some(url) = cli.store {
        anyhow::ensure!(
            !matches!(cli.command, Command::Demo(_)),
            "--store: the demo builds a store of its own, so that it can not touch another; name its folder with --dir"
        );
        config.store.url = url;
    }
    match cli.command {
        Command::Demo(args) => demo::run(config, args).await,
        // On the heap: it holds the whole of Reeve.
        Command::Serve => Box::pin(serve::run(config)).await,
        Command::Run(args) => Box::pin(run::run(config, args, cli.json)).await,
        Command::Stop(args) => stop::stop(&config, args, cli.json).await,
        Command::Resume(args) => stop::resume(&config, args, cli.json).await,
        Command::Mode(command) => mode::run(&config, command, cli.json).await,
        Command::Doctor => Box::pin(doctor::run(config, cli.json)).await,
        Command::Sync(args) => sync::run(config, args, cli.json).await,
        Command::Migrate => show::migrate(&config).await,
        Command::Digest(args) => show::digest(&config, &args, cli.json).await,
        Command::Queue(queue) => Box::pin(decide::run(config, queue, cli.json)).await,
        Command::Case(command) => Box::pin(case::run(&config, command, cli.json)).await,
        Command::Mute(command) => mute::run(&config, command, cli.json).await,
        Command::Audit(command) => audit::run(&config, command, cli.json).await,
        Command::Kpi(args) => kpi::run(config, args, cli.json).await,
        Command::Supplier(args) => supplier::run(config, args, cli.json).await,
        Command::Outbox(command) => outbox::run(config, command, cli.json).await,
        Command::Events(command) => events::run(&config, command, cli.json).await,
        Command::Policy(command) => policy::run(&config, command, cli.json).await,
        Command::Delegate(command) => Box::pin(delegate::run(config, command, cli.json)).await,
        Command::SignIn { person } => show::sign_in(&config, &person).await,
        Command::Identity(command) => access::identity(&config, command, cli.json).await,
        Command::Token(command) => access::token(&config, command, cli.json).await,
        Command::Openapi => {
            print_json(&crate::channels::api_document())?;
            Ok(Outcome::Fine)
        }
        Command::Mcp(args) => Box::pin(mcp::run(config, args)).await,
        Command::Memory(command) => Box::pin(memory::run(config, command, cli.json)).await,
        Command::Words(command) => Box::pin(words::run(&config, command, cli.json)).await,
        Command::Models(command) => Box::pin(models::run(config, command, cli.json)).await,
        Command::Eval(command) => Box::pin(eval::run(config, command, cli.json)).await,
        Command::Backtest(args) => Box::pin(backtest::run(config, args, cli.json)).await,
        Command::Prompts(command) => prompts::run(&command, cli.json),
        Command::Lab(command) => Box::pin(lab::run(config, command, names_store, cli.json)).await,
        Command::Completions { .. } => Ok(Outcome::Fine),
    }
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
    terminal::json(&serde_json::to_string_pretty(value)?);
    Ok(())
}
