//! Who may use whom: nothing points up, and vendors stay outside.

use super::rust_text::{code, is_tests, is_word, without_tests};
use super::{File, assert_none, assert_one, rust_files};

/// The modules of the library from the bottom up. One may use what stands on a lower line, not what shares its own. The packages
/// below (`domain`, `ports`, `clock`, `rules`) are reached under these names too; their own directions are Cargo's to keep.
const LAYERS: &[&[&str]] = &[
    &["clock", "domain", "models", "ports", "rules"],
    &["config"],
    &["render"],
    &["store"],
    &["memory"],
    &["people", "pipeline"],
    &["approve"],
    &["reports"],
    &["cards"],
    &["worker"],
    &["channels"],
    &["app"],
    &["evals"],
    &["cli"],
    &["main"],
];

/// What stands beside the layers, with who may use it: vendors, the client that asks them, and the lab.
const BESIDE: &[(&str, &[&str])] = &[
    ("adapters", &["cli", "evals"]),
    // Its section is a part of the configuration.
    ("odoo", &["cli", "config", "evals"]),
    ("qdrant", &["cli", "config"]),
    ("http", &["adapters", "channels", "cli"]),
    ("lab", &["cli", "evals"]),
    ("suites", &["cli", "evals"]),
];
const ADAPTERS_USE: &[&str] = &["clock", "config", "domain", "http", "ports"];

/// Which packages a package may stand on.
const PACKAGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("embedding", &[]),
    ("evals", &["domain", "rules"]),
    ("http", &[]),
    ("models", &[]),
    ("ports", &["domain"]),
    ("rules", &["domain", "models"]),
    ("lab", &["domain", "models"]),
    ("odoo", &["domain", "http", "ports"]),
    ("qdrant", &["domain", "ports"]),
    ("testing", &["domain", "ports"]),
];

/// The folders of `crates/odoo` from the bottom up: a recording is read by what reads a server, both by the same translation.
const ODOO: &[&str] = &["kits", "rows", "live", "recorded"];

/// What the rules may not know, for they are pure.
const IMPURE: &[&str] = &["async-trait", "axum", "reqwest", "sqlx", "tokio"];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn may_use(user: &str, used: &str) -> bool {
    if user == used {
        return true;
    }
    if let Some((_, users)) = BESIDE.iter().find(|(beside, _)| *beside == used) {
        return users.contains(&user);
    }
    match user {
        "adapters" => ADAPTERS_USE.contains(&used),
        user => layer(user) > layer(used) && layer(used).is_some(),
    }
}

/// The module of the library that a file belongs to: `src/store/records.rs` is `store`.
fn module_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let name = inside.split('/').next().unwrap_or(inside);
    name.strip_suffix(".rs").unwrap_or(name)
}

/// The modules that a file's code names by a path from the root: `crate::x`, `crate::{x, y::z}`, `reeve::x` in the
/// binary, and `super::` where it leads out of the file's module.
fn modules_used(path: &str, code: &str) -> Vec<String> {
    // `src/x.rs` and `src/x/mod.rs` are one step below the root, `src/x/y.rs` two.
    let inside = path.strip_prefix("src/").unwrap_or(path);
    let steps = inside.split('/').count() - usize::from(inside.ends_with("/mod.rs"));
    let up = "super::".repeat(steps);
    let mut starts = vec!["crate::", up.as_str()];
    if path == "src/main.rs" {
        starts.push("reeve::");
    }
    let mut used = Vec::new();
    for start in starts {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].bytes().next_back();
            if !before.is_some_and(|byte| is_word(byte) || byte == b':') {
                used.extend(first_names(&code[at + start.len()..]));
            }
        }
    }
    used.sort();
    used.dedup();
    used
}

/// The first name of a path, or of each path in its braces.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| text.bytes().take_while(|byte| is_word(*byte)).map(char::from).collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let (mut names, mut depth, mut expected) = (Vec::new(), 0, true);
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            b',' if depth == 0 => expected = true,
            byte if expected && is_word(byte) => {
                names.push(name(&group[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    names
}

fn problems(file: &File) -> Vec<String> {
    let user = module_of(&file.path);
    if user == "lib" || is_tests(&file.path) {
        return Vec::new(); // the front page names every module; tests may look at anything
    }
    if user != "adapters" && layer(user).is_none() {
        return vec![format!(
            "{}: the module `{user}` has no place in LAYERS of tests/it/tidy/layers.rs; give it one",
            file.path
        )];
    }
    let mut problems = Vec::new();
    for used in modules_used(&file.path, &code(without_tests(&file.text))) {
        // Items at the root itself (a type, a macro) belong to no layer and are not allowed either: lib.rs is a map only.
        if !may_use(user, &used) {
            problems.push(format!(
                "{}: `{user}` may not use `crate::{used}`; turn the dependency round, or pass in what is needed from above",
                file.path
            ));
        }
    }
    problems
}

#[test]
fn nothing_points_up() {
    let files = rust_files(&["src/"]);
    assert_none(&files.iter().flat_map(problems).collect::<Vec<_>>());
}

/// What a file of `crates/odoo` uses from a folder above its own.
fn odoo_problems(file: &File) -> Vec<String> {
    let path = file.path.trim_start_matches("crates/odoo/");
    let place = |folder: &str| ODOO.iter().position(|known| *known == folder);
    let Some(user) = place(module_of(path)).filter(|_| !is_tests(path)) else { return Vec::new() };
    let used = modules_used(path, &code(without_tests(&file.text)));
    let up = used.iter().filter(|used| place(used).is_some_and(|used| used > user));
    up.map(|used| format!("{}: it may not use `crate::{used}`, which stands on it", file.path)).collect()
}

#[test]
fn the_folders_of_odoo_make_no_circle() {
    let files = rust_files(&["crates/odoo/src/"]);
    assert_none(&files.iter().flat_map(odoo_problems).collect::<Vec<_>>());
    let bad = File::new("crates/odoo/src/rows/sales.rs", "use crate::live::kits::Part;");
    assert_one(&odoo_problems(&bad), "`crate::live`");
}

/// The dependencies that a package names, dev-dependencies left out.
fn dependencies(manifest: &str) -> Vec<String> {
    let table: toml::Table = manifest.parse().expect("a manifest is TOML");
    let named = table.get("dependencies").and_then(|table| table.as_table());
    named.into_iter().flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn a_package_stands_on_what_is_below_it() {
    let mut problems = Vec::new();
    for file in super::tree().iter().filter(|file| file.path.starts_with("crates/") && file.path.ends_with("/Cargo.toml")) {
        let name = file.path.split('/').nth(1).expect("crates/NAME/Cargo.toml");
        let Some((_, may)) = PACKAGES.iter().find(|(package, _)| *package == name) else {
            problems.push(format!(
                "{}: the package has no place in PACKAGES of tests/it/tidy/layers.rs; give it one",
                file.path
            ));
            continue;
        };
        for used in dependencies(&file.text) {
            let own = used.strip_prefix("reeve-");
            if own.is_some_and(|own| !may.contains(&own)) {
                problems.push(format!("{}: `{name}` may not stand on `{used}`", file.path));
            }
            if name == "rules" && IMPURE.contains(&used.as_str()) {
                problems.push(format!("{}: the rules are pure; `{used}` belongs into the daemon", file.path));
            }
        }
    }
    assert_none(&problems);
    assert_eq!(dependencies("[dependencies]\nserde = \"1\"\n[dev-dependencies]\ntokio = \"1\""), ["serde"]);
}

#[test]
fn a_path_that_points_up_is_found() {
    let bad = |path: &str, text: &str, named: &str| assert_one(&problems(&File::new(path, text)), named);
    bad("src/render.rs", "use crate::store::Store;", "`crate::store`");
    bad("src/store/case.rs", "fn f() -> super::super::worker::Worker {}", "`crate::worker`");
    bad("src/store/mod.rs", "use super::worker;", "`crate::worker`");
    bad("src/pipeline/draft.rs", "use crate::{domain::{Case, adapters_x}, adapters::openai};", "`crate::adapters`");
    bad("src/adapters/webhook.rs", "use crate::store::Store;", "`crate::store`");
    bad("src/pipeline/detect/mod.rs", "use crate::odoo::live;", "`crate::odoo`");
    bad("src/app.rs", "let x = crate::adapters::openai::OpenAi::new();", "`crate::adapters`");
    bad("src/pipeline/notify.rs", "use crate::approve::Approvals;", "`crate::approve`");
    bad("src/helpers.rs", "", "`helpers` has no place");
    bad("src/worker.rs", "use crate::app::App;\n#[cfg(test)]\nmod tests {\n use crate::cli; }\n", "`crate::app`");
}

#[test]
fn a_path_that_points_down_is_allowed() {
    let good = |path: &str, text: &str| assert_none(&problems(&File::new(path, text)));
    good("src/main.rs", "fn main() { reeve::cli::run() }");
    good("src/cli.rs", "use crate::{odoo::{live, recorded}, app::App, config};");
    good("src/evals/mod.rs", "use crate::odoo::recorded;");
    good("src/pipeline/draft.rs", "use super::super::store::Store; use super::enrich; use crate::pipeline::detect;");
    good("src/adapters/webhook.rs", "use crate::ports::Sender; use crate::domain::money;");
    good("src/store/case.rs", "/// See [`crate::worker`].\nconst X: &str = \"crate::cli\";");
    good("src/store/case.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::worker::Worker;\n}\n");
}
