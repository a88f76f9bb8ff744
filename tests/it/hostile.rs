//! Text of others through every command: what stands in the ERP, in notes, names and errors may say anything, and a terminal,
//! a spreadsheet or a reader of lines must take it for words.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::collections::BTreeSet;
use std::path::Path;

use reeve::domain::text::is_invisible;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use crate::support::binary::{Ended, reeve};

/// Clears the screen, makes a link, writes the clipboard, rings, begins lines, turns the direction of writing, hides.
const HOSTILE: &str = "x\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}y\u{1b}]52;c;ZXZpbA==\u{7}\r\nFORGED approved by ada\n\
     FORGED\u{2028}FORGED\u{85}FORGED\u{202e}\u{2066}\u{61c}\u{200b}\u{feff}\u{9b}2J\u{7f}<script>alert(1)</script>";

/// The same where a spreadsheet looks.
const FORMULA: &str = "=HYPERLINK(\"http://evil.example\")\u{1b}[2J\u{9b}\u{202e}";

struct Shop {
    _home: tempfile::TempDir,
    dir: String,
    store: String,
    config: String,
    path: std::path::PathBuf,
}

impl Shop {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("demo").to_str().unwrap().to_owned();
        assert!(reeve(&["demo", "--once", "--dir", &dir], &[]).fine().contains("worth deciding"));
        let path = home.path().join("demo/reeve.db");
        let config = home.path().join("reeve.toml");
        let toml = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let person = |id: &str, roles: &str, tier: u8| {
            format!("[[people]]\nid = \"{id}\"\nname = {}\nroles = {roles}\ntier = {tier}\n", toml(HOSTILE))
        };
        let text = [
            "[[hooks]]\nname = \"acme\"\nsecret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"\n".to_owned(),
            person("pia", "[\"planner\"]", 0),
            person("ari", "[\"approver\", \"planner\"]", 4),
            person("fay", "[\"approver\"]", 4),
        ];
        std::fs::write(&config, text.concat()).unwrap();
        let (store, config) = (format!("sqlite:{}", path.display()), config.to_str().unwrap().to_owned());
        Self { _home: home, dir, store, config, path }
    }

    fn run(&self, args: &[&str]) -> Ended {
        let mut all = vec!["--config", &self.config];
        if args[0] != "demo" {
            all.extend(["--store", &self.store]);
        }
        all.extend(args);
        reeve(&all, &[])
    }

    fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[&["--json"], args].concat());
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        serde_json::from_str(&ended.out).unwrap()
    }

    /// Puts hostile text into every column and every text in a body that others can have written.
    async fn poison(&self) {
        let url = format!("sqlite://{}", self.path.display());
        let mut db = SqliteConnection::connect(&url).await.unwrap();
        let mut set = async |table: &str, changes: &str| {
            let sql = format!("update {table} set {changes}");
            sqlx::query(AssertSqlSafe(sql.clone())).bind(HOSTILE).bind(FORMULA).execute(&mut db).await.expect(&sql);
        };
        let place = |paths: &[&str]| {
            let each: Vec<String> = paths.iter().map(|path| format!("'{path}', ?1")).collect();
            format!("body = json_set(body, {})", each.join(", "))
        };
        for (kind, fields) in [
            ("item", &["$.name", "$.category", "$.sku"][..]),
            ("supplier", &["$.name"]),
            ("location", &["$.name"]),
            ("order", &["$.reference"]),
        ] {
            for field in fields {
                let change = format!(
                    "body = json_set(body, '{field}', ?1) where kind = '{kind}' and json_type(body, '{field}') = 'text'"
                );
                set("records", &change).await;
            }
        }
        set("cases", &place(&["$.headline"])).await;
        set("exceptions", &place(&["$.signal.headline"])).await;
        set("recommendations", &place(&["$.candidate.summary", "$.prose.rationale", "$.prose.risks"])).await;
        set("decisions", "note = ?1").await;
        set("mutes", &place(&["$.reason"])).await;
        set("delegations", &place(&["$.reason"])).await;
        set("api_tokens", "name = ?1, created_by = ?1").await;
        set("identities", "user_id = ?1, made_by = ?1, ended_why = ?1").await;
        // Its lines are its own: what stands in them was cleaned when it was made.
        let text = "replace(replace(?1, char(10), ' '), char(13), ' ')";
        let forms = format!("plain = {text}, markdown = {text}, html = {text}");
        set("digests", &format!("{forms}, body = json_set(body, '$.lines[0].headline', ?1)")).await;
        set("outbox", "last_error = ?1, receipt = ?1, channel = 'gone' || ?1").await;
        set("jobs_status", "last_error = ?1").await;
        set("watermarks", "failing_since = 1, failing = ?1").await;
        for sql in [
            "insert into events (id, source, received_at, type, state, reason, body, hash)
             values ('acme/1', 'acme', 1, ?1, 'quarantined', ?1, ?1, 'h')",
            "insert into events (id, source, received_at, type, state, reason, body, hash)
             values ('acme/2', ?1, 1, null, 'quarantined', null, json_object('a', ?1), 'h')",
            "insert into outbox (id, channel, body, created_at, due_at, attempts, state, last_error)
             values ('m-dead', ?1, '{}', 1, 1, 3, 'dead', ?1)",
            "insert into dead_letters (id, channel, attempts, reason, died_at) values ('m-dead', ?1, 3, ?1, 1)",
            "insert into destinations (name, failing_since, last_error, disabled_at, disabled_why) values ('webhook', 1, ?1, 1, ?1)",
        ] {
            sqlx::query(AssertSqlSafe(sql.to_owned())).bind(HOSTILE).execute(&mut db).await.expect(sql);
        }
        db.close().await.unwrap();
    }
}

/// Is what was printed words, each on a line of ours?
#[track_caller]
fn harmless(what: &str, ended: &Ended) {
    for (stream, text) in [("stdout", &ended.out), ("stderr", &ended.err)] {
        let hidden: Vec<char> = text.chars().filter(|c| *c != '\n' && is_invisible(*c)).collect();
        assert!(hidden.is_empty(), "{what}: {stream} holds {hidden:?}: {text:.2000}");
        let forged = text.lines().find(|line| line.trim_start().starts_with("FORGED"));
        assert_eq!(forged, None, "{what}: {stream} has a line that somebody else began");
    }
    assert!(!ended.err.contains("panicked"), "{what}: {}", ended.err);
}

/// The names of all commands, as the help tells them.
fn commands(above: &[&str]) -> BTreeSet<String> {
    let help = reeve(&[above, &["--help"]].concat(), &[]).fine();
    let Some((_, listed)) = help.split_once("\nCommands:\n") else { return BTreeSet::from([above.join(" ")]) };
    let names = listed.lines().take_while(|line| line.starts_with("  ")).filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    names.flat_map(|name| commands(&[above, &[name]].concat())).collect()
}

/// Commands that print no text of others, and why that is so.
const OWN_WORDS: [(&str, &str); 5] = [
    ("serve", "prints its address and, on a terminal only, links; its log is cleaned by cli::terminal's own test"),
    ("eval recording", "prints counts and shares of a recording that comes with Reeve"),
    ("models train", "prints figures of trials; its file names are in the row below"),
    ("eval key", "prints the public half of a key, and writes a file"),
    ("prompts list", "prints what stands in files that come with Reeve"),
];

/// The case of a recommendation.
fn case_of(shop: &Shop, id: &str) -> String {
    let cases = shop.json(&["queue", "list", "--all"]);
    let mut all = cases.as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned());
    all.find(|c| shop.run(&["queue", "show", c]).out.contains(id)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_others_is_words_in_whatever_any_command_prints() {
    let shop = Shop::new();
    let cases = shop.json(&["queue", "list"]);
    let case = |n: usize| cases[n]["id"].as_str().unwrap().to_owned();
    let rec = |case: &str, n: usize| {
        let shown = shop.json(&["queue", "show", case]);
        shown["recommendations"][n]["id"].as_str().unwrap().to_owned()
    };
    let content = |id: &str| {
        let text = shop.run(&["queue", "show", &case_of(&shop, id)]).out;
        let line = text.lines().find(|line| line.contains(id)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let (first, second) = (case(0), case(1));
    let (one, two) = (rec(&first, 0), rec(&second, 0));
    let (one_content, two_content) = (content(&one), content(&two));

    // What people write beside what they do, through the commands themselves.
    let mut seen: Vec<(String, Ended)> = Vec::new();
    let mut run = |name: &str, args: &[&str]| {
        let ended = shop.run(args);
        harmless(&args.join(" "), &ended);
        seen.push((name.to_owned(), ended));
    };
    let by = ["--as", "ari"];
    run(
        "queue forward",
        &[&["queue", "forward", &one, "--content", &one_content, "--to", "fay", "--note", HOSTILE], &by[..]].concat(),
    );
    run("queue return", &["queue", "return", &one, "--content", &one_content, "--note", HOSTILE, "--as", "fay"]);
    run(
        "queue reject",
        &[&["queue", "reject", &two, "--content", &two_content, "--reason", "missing-context", "--note", HOSTILE], &by[..]]
            .concat(),
    );
    run("queue undo", &[&["queue", "undo", &two, "--content", &two_content], &by[..]].concat());
    run(
        "queue reject",
        &[&["queue", "reject", &two, "--content", &two_content, "--reason", "missing-context", "--note", HOSTILE], &by[..]]
            .concat(),
    );
    run("queue snooze", &[&["queue", "snooze", &one, "--content", &one_content, "--until", "2099-01-01"], &by[..]].concat());
    run("queue edit", &[&["queue", "edit", &one, "--content", &one_content, "--quantity", HOSTILE], &by[..]].concat());
    run("queue merge", &[&["queue", "merge", &one, "--content", &one_content, "--into", HOSTILE], &by[..]].concat());
    run("queue approve", &[&["queue", "approve", &one, "--content", HOSTILE], &by[..]].concat());
    run("queue want", &[&["queue", "want", HOSTILE], &by[..]].concat());
    run("queue batch", &["queue", "batch", HOSTILE]);
    let day = shop.json(&["digest"])["day"].as_str().unwrap().to_owned();
    let until = reeve::domain::calendar::plus_days(day.parse().unwrap(), 3).to_string();
    run(
        "mute add",
        &[&["mute", "add", "D-SPIKE", "item:nothing", "--until", &until, "--reason", HOSTILE], &by[..]].concat(),
    );
    run("mute end", &[&["mute", "end", HOSTILE], &by[..]].concat());
    run(
        "delegate add",
        &[&["delegate", "add", "--to", "fay", "--from", &day, "--until", &until, "--reason", HOSTILE], &by[..]].concat(),
    );
    run("delegate end", &[&["delegate", "end", HOSTILE], &by[..]].concat());
    run("stop", &[&["stop", "--reason", HOSTILE], &by[..]].concat());
    run("stop", &["stop", "--reason", "again", "--as", HOSTILE]);
    let quiet = ["mode", "set", "--scope", "type=O-SYNC", "--mode", "shadow", "--reason", HOSTILE];
    run("mode set", &[&quiet[..], &by[..]].concat());
    run("mode set", &[&["mode", "set", "--scope", HOSTILE, "--mode", "off", "--reason", "x"], &by[..]].concat());
    run("mode show", &["mode", "show"]);
    run("run", &["run", "--at", "2026-10-31T15:30:00Z"]);
    run("resume", &["resume", "--as", HOSTILE]);
    run("token new", &["token", "new", "--service", "n8n", "--name", &HOSTILE[..60], "--scope", "read:cases"]);
    run("identity link", &["identity", "link", "pia", "--channel", "slack", "--tenant", "T0123456", "--user", "U0123456"]);
    run("identity invite", &["identity", "invite", HOSTILE, "--channel", "slack"]);
    // Before its store is put into disorder: its digest is printed as the others below are.
    run("demo", &["demo", "--once", "--dir", &shop.dir]);
    shop.poison().await;

    let id = ["acme/1", "acme/2"];
    let hostile_file = shop.path.with_file_name(format!("no{HOSTILE}").replace('/', "")).to_str().unwrap().to_owned();
    let hostile_folder = format!("{hostile_file} made");
    let rows: &[(&str, &[&str])] = &[
        ("lab retailer", &["lab", "retailer", "--items", "1", "--locations", "1", "--days", "60", "--out", &hostile_folder]),
        ("queue list", &["queue", "list", "--all"]),
        ("queue show", &["queue", "show", &first]),
        ("case show", &["case", "show", &first]),
        ("case show", &["case", "show", &first, "--evidence"]),
        ("case show", &["case", "show", HOSTILE, "--evidence"]),
        ("case show", &["case", "show", &first, "--evidence", "--since", "9"]),
        ("queue show", &["queue", "show", HOSTILE]),
        ("digest", &["digest"]),
        ("digest", &["digest", "--format", "markdown"]),
        ("digest", &["digest", "--format", "html"]),
        ("mute list", &["mute", "list", "--all"]),
        ("mute noise", &["mute", "noise"]),
        ("audit verify", &["audit", "verify"]),
        ("audit verify", &["audit", "verify", &one]),
        ("audit verify", &["audit", "verify", "--file", &hostile_file]),
        ("audit show", &["audit", "show", &second]),
        ("audit list", &["audit", "list", "--limit", "10000"]),
        ("audit export", &["audit", "export"]),
        ("audit export", &["audit", "export", "--format", "csv"]),
        ("supplier", &["supplier", HOSTILE]),
        ("supplier", &["supplier", "9"]),
        ("kpi", &["kpi", "--details"]),
        ("outbox list", &["outbox", "list"]),
        ("outbox dead", &["outbox", "dead"]),
        ("outbox arrived", &["outbox", "arrived"]),
        ("outbox status", &["outbox", "status"]),
        ("outbox replay", &["outbox", "replay", "m-dead", "--as", "ari"]),
        ("outbox discard", &["outbox", "discard", HOSTILE, "--as", "ari", "--reason", HOSTILE]),
        ("outbox enable", &["outbox", "enable", HOSTILE, "--as", "ari"]),
        ("outbox schema", &["outbox", "schema", "reeve.recommendation.approved.v1"]),
        ("events list", &["events", "list"]),
        ("events show", &["events", "show", id[0]]),
        ("events show", &["events", "show", id[1]]),
        ("events replay", &["events", "replay", HOSTILE]),
        ("events sources", &["events", "sources"]),
        ("events schema", &["events", "schema", HOSTILE]),
        ("policy lint", &["policy", "lint"]),
        ("policy show", &["policy", "show"]),
        ("delegate list", &["delegate", "list"]),
        ("identity list", &["identity", "list"]),
        ("identity revoke", &["identity", "revoke", HOSTILE]),
        ("token list", &["token", "list"]),
        ("token revoke", &["token", "revoke", HOSTILE]),
        ("sign-in", &["sign-in", HOSTILE]),
        ("doctor", &["doctor"]),
        ("migrate", &["migrate"]),
        ("sync", &["sync"]),
        ("run", &["run", "--at", "2026-10-31T15:30:00Z"]),
        ("run", &["run", "--at", HOSTILE]),
        ("resume", &["resume", "--as", "ari", "--reason", HOSTILE]),
        ("memory status", &["memory", "status"]),
        ("memory search", &["memory", "search", HOSTILE]),
        ("memory search", &["memory", "search", "--case", HOSTILE]),
        ("memory reindex", &["memory", "reindex"]),
        ("openapi", &["openapi"]),
        ("mcp", &["mcp", "--token-file", HOSTILE]),
        ("completions", &["completions", "bash"]),
        ("completions", &["completions", HOSTILE]),
        ("models score", &["models", "score", "--out", "/dev/null", "--table", &hostile_file]),
        ("models train", &["models", "train", "--out", &hostile_file, "--demand", &hostile_file]),
        ("models list", &["models", "list"]),
        ("models card", &["models", "card", HOSTILE]),
        ("models diff", &["models", "diff", HOSTILE, "demand/x"]),
        ("models add", &["models", "add", &hostile_file]),
        ("models export", &["models", "export", "demand/x", "--out", &hostile_folder]),
        ("models validate", &["models", "validate", "demand/x", "--recording", HOSTILE]),
        ("models promote", &["models", "promote", "demand/x", "--as", HOSTILE, "--reason", HOSTILE]),
        ("models rollback", &["models", "rollback", "demand", "--as", "ari", "--reason", HOSTILE]),
        ("models drift", &["models", "drift"]),
        ("words status", &["words", "status"]),
        (
            "words prove",
            &["words", "prove", "--playbook", &hostile_file, "--model", &hostile_file, "--suite", &hostile_file],
        ),
        ("words promote", &["words", "promote", "--as", HOSTILE, "--reason", HOSTILE]),
        ("words take-back", &["words", "take-back", "--as", HOSTILE, "--reason", HOSTILE]),
        ("words drafts", &["words", "drafts", "--out", &hostile_folder]),
        ("eval detectors", &["eval", "detectors", "--demand", &hostile_file]),
        ("eval run", &["eval", "run", "--suite", &hostile_file]),
        ("eval compare", &["eval", "compare", &hostile_file, HOSTILE]),
        (
            "eval accept",
            &[
                "eval",
                "accept",
                &hostile_file,
                "--suite",
                &hostile_file,
                "--by",
                HOSTILE,
                "--key",
                &hostile_file,
                "--commit",
                "abc",
                "--because",
                HOSTILE,
            ],
        ),
        ("eval explain", &["eval", "explain", HOSTILE, "--suite", &hostile_file]),
        ("eval lint", &["eval", "lint", "--suite", &hostile_file]),
        ("eval graders", &["eval", "graders", "--suite", &hostile_file]),
        ("eval promote", &["eval", "promote", HOSTILE, "--suite", &hostile_file, "--name", HOSTILE]),
        (
            "eval standing",
            &["eval", "standing", "--playbook", &hostile_file, "--model", &hostile_file, "--suite", &hostile_file],
        ),
        ("eval votes ask", &["eval", "votes", "ask", "--first", &hostile_file, "--second", &hostile_file, "--by", HOSTILE]),
        (
            "eval votes page",
            &["eval", "votes", "page", "--first", &hostile_file, "--second", &hostile_file, "--by", HOSTILE],
        ),
        ("eval votes count", &["eval", "votes", "count", "--votes", &hostile_file]),
        ("eval export", &["eval", "export", &hostile_file, "--form", "inspect"]),
        ("eval import", &["eval", "import", &hostile_file, "--suite", &hostile_folder]),
        ("prompts render", &["prompts", "render", "--prompt", &hostile_file]),
        ("prompts diff", &["prompts", "diff", &hostile_file]),
        ("prompts hash", &["prompts", "hash", "--prompt", &hostile_file]),
        ("prompts bump", &["prompts", "bump", "--part", "patch", "--words", HOSTILE, &hostile_file]),
        ("backtest", &["backtest", "--recording", &hostile_file]),
    ];
    for (name, args) in rows {
        run(name, args);
    }
    // The same as data for programs: escapes say what it was, and it parses.
    for args in [
        &["queue", "list", "--all"][..],
        &["queue", "show", &first],
        &["digest"],
        &["mute", "list", "--all"],
        &["audit", "show", &second],
        &["audit", "list", "--limit", "10000"],
        &["outbox", "list"],
        &["outbox", "arrived"],
        &["events", "list"],
        &["events", "show", "acme/2"],
        &["delegate", "list"],
        &["identity", "list"],
        &["token", "list"],
        &["kpi"],
        &["doctor"],
        &["run", "--at", "2026-10-31T15:30:00Z"],
    ] {
        let ended = shop.run(&[&["--json"], args].concat());
        harmless(&format!("--json {}", args.join(" ")), &ended);
        serde_json::from_str::<Value>(&ended.out).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", ended.out));
    }
    // The text is there, as words: a test that never met it proves nothing.
    let met = |name: &str| {
        seen.iter().filter(|(n, _)| n == name).any(|(_, e)| e.out.contains("FORGED") || e.err.contains("FORGED"))
    };
    for name in [
        "queue list",
        "queue show",
        "digest",
        "mute list",
        "audit show",
        "audit list",
        "audit export",
        "outbox dead",
        "events list",
        "events show",
        "delegate list",
        "identity list",
        "token list",
        "policy show",
        "stop",
        "run",
        "resume",
    ] {
        assert!(met(name), "{name} shows no text of others: is it in the store?");
    }
    let known: BTreeSet<String> =
        seen.iter().map(|(name, _)| name.clone()).chain(OWN_WORDS.iter().map(|(name, _)| (*name).to_owned())).collect();
    let all = commands(&[]);
    assert!(all.len() > 40, "{all:?}");
    let missing: Vec<&String> = all.difference(&known).collect();
    assert!(missing.is_empty(), "a new command needs a row here: {missing:?}");
}

#[test]
fn an_export_for_a_spreadsheet_computes_nothing_and_proves_itself() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let store = format!("sqlite:{}", at("reeve.db"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = reeve::store::Store::open_and_migrate(&store).await.unwrap();
        let entry = reeve::domain::audit::AuditEntry {
            at: "2026-10-08T08:00:00Z".parse().unwrap(),
            actor: FORMULA.to_owned(),
            channel: "@sum".to_owned(),
            action: "+1".to_owned(),
            subject: "'=quoted".to_owned(),
            content: "-1".to_owned(),
            detail: serde_json::json!({ "note": HOSTILE }),
        };
        store.append_audit(&[entry]).await.unwrap();
        store.close().await;
    });
    for form in ["csv", "jsonl"] {
        let file = at(form);
        reeve(&["--store", &store, "audit", "export", "--format", form, "--out", &file], &[]).fine();
        let text = std::fs::read_to_string(Path::new(&file)).unwrap();
        if form == "csv" {
            let starts = |cell: &str| cell.trim_start_matches('"').starts_with(['=', '+', '@', '\t', '\r']);
            let cells: Vec<&str> = text.lines().flat_map(|line| line.split(',')).collect();
            assert!(!cells.iter().any(|cell| starts(cell)), "{text}");
            assert!(!text.contains('\u{202e}') || !text.contains("\"note\"\":\"\"x\u{202e}"), "{text}");
        } else {
            assert!(!text.chars().any(|c| c != '\n' && is_invisible(c)), "{text}");
        }
        assert!(reeve(&["audit", "verify", "--file", &file], &[]).fine().contains("unbroken"), "{form}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{form}");
        }
    }
}
