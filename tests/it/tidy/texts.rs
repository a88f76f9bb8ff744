//! Rules on single files: what each must have, and what none may have.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::rust_text::{code, is_tests, is_word, without_tests};
use super::{File, assert_none, assert_one, root, rust_files, tree};

/// Lines of a source file without its tests. The median of the tree is near a hundred; past this, a file has two jobs.
const LINES_MAX: usize = 450;

/// Data that a module compiles in, so that a rule on it can not pass for want of files: where the module is, the data is.
const DATA: &[(&str, &str)] = &[
    ("src/config", "config/default.toml"),
    ("crates/rules/src/prompts", "prompts/"),
    ("src/store", "src/store/migrations/"),
];

fn files_below<'a>(files: &'a [File], folder: &str) -> Vec<&'a File> {
    files.iter().filter(|file| file.path.starts_with(folder)).collect()
}

// ---- Rust files

fn module_doc_problems(file: &File) -> Vec<String> {
    if file.text.trim_start().starts_with("//!") {
        return Vec::new();
    }
    vec![format!("{}: opens without `//!`; say the one job of the module, its invariants, what it does not do", file.path)]
}

#[test]
fn every_module_says_its_job() {
    assert_none(&rust_files(&["src/", "tests/", "crates/"]).iter().flat_map(module_doc_problems).collect::<Vec<_>>());
}

#[test]
fn a_module_without_a_word_is_found() {
    assert_one(&module_doc_problems(&File::new("src/a.rs", "use std::fmt;\n//! late")), "src/a.rs");
    assert_none(&module_doc_problems(&File::new("src/a.rs", "//! Adds.\n")));
}

fn length_problems(file: &File) -> Vec<String> {
    let lines = without_tests(&file.text).lines().count();
    if lines <= LINES_MAX || is_tests(&file.path) {
        return Vec::new();
    }
    vec![format!("{}: {lines} lines without its tests, of at most {LINES_MAX}; find its second job and move it", file.path)]
}

#[test]
fn no_source_file_is_long() {
    assert_none(&rust_files(&["src/", "crates/"]).iter().flat_map(length_problems).collect::<Vec<_>>());
}

#[test]
fn a_long_source_file_is_found() {
    let lines = "fn f() {}\n".repeat(LINES_MAX);
    let with_tests = format!("{lines}#[cfg(test)]\nmod tests {{\n{lines}}}\n");
    assert_none(&length_problems(&File::new("src/a.rs", &with_tests)));
    assert_one(&length_problems(&File::new("src/a.rs", &format!("{lines}\n"))), "451 lines");
}

fn unfinished_problems(file: &File) -> Vec<String> {
    let code = code(&file.text);
    let mut problems = Vec::new();
    for (number, line) in code.lines().enumerate() {
        for name in ["todo", "unimplemented", "dbg"] {
            for (at, found) in line.match_indices(&format!("{name}!")) {
                if !line[..at].bytes().next_back().is_some_and(is_word) {
                    problems.push(format!("{}:{}: {found} must not stay; finish it or take it out", file.path, number + 1));
                }
            }
        }
    }
    problems
}

#[test]
fn nothing_is_left_unfinished() {
    assert_none(&rust_files(&["src/", "tests/", "crates/"]).iter().flat_map(unfinished_problems).collect::<Vec<_>>());
}

#[test]
fn what_is_left_unfinished_is_found() {
    assert_one(&unfinished_problems(&File::new("src/a.rs", "fn f() {\n    todo!()\n}")), "src/a.rs:2: todo!");
    assert_one(&unfinished_problems(&File::new("src/a.rs", "let x = std::dbg!(1);")), "dbg!");
    assert_none(&unfinished_problems(&File::new("src/a.rs", "// todo!\nlet x = \"dbg!\"; not_todo!();")));
}

// ---- Data folders

fn data_problems(files: &[File]) -> Vec<String> {
    let there = |start: &str| files.iter().any(|file| file.path.starts_with(start));
    let lacking = DATA
        .iter()
        .filter(|(module, data)| (there(&format!("{module}.rs")) || there(&format!("{module}/"))) && !there(data));
    lacking
        .map(|(module, data)| format!("{module} is there, but {data} is not; when it moved, mend DATA in {}", file!()))
        .collect()
}

#[test]
fn data_is_where_the_rules_look_for_it() {
    assert_none(&data_problems(&tree()));
}

#[test]
fn data_that_moved_is_found() {
    let (module, data) = (|| File::new("crates/rules/src/prompts.rs", ""), || File::new("prompts/draft/system.md", ""));
    assert_one(&data_problems(&[module()]), "prompts/ is not");
    assert_none(&data_problems(&[module(), data()]));
    assert_none(&data_problems(&[data()]));
}

/// A folder with a template for a model (`system.md` or `user.md`) must hold the schema of the answer.
fn prompt_problems(files: &[File]) -> Vec<String> {
    let prompts: BTreeSet<&str> = files_below(files, "prompts/")
        .into_iter()
        .filter_map(|file| file.path.rsplit_once('/'))
        .filter(|(_, name)| ["system.md", "user.md"].contains(name))
        .map(|(folder, _)| folder)
        .collect();
    let mut problems = Vec::new();
    for folder in prompts {
        let schema = format!("{folder}/answer.schema.json");
        match files.iter().find(|file| file.path == schema) {
            None => problems.push(format!("{folder}: has no answer.schema.json; what comes back must have a form")),
            Some(file) => match serde_json::from_str::<serde_json::Value>(&file.text) {
                Ok(value) if value.is_object() => {}
                Ok(_) => problems.push(format!("{schema}: is no JSON object, so no schema")),
                Err(error) => problems.push(format!("{schema}: is no JSON: {error}")),
            },
        }
    }
    problems
}

#[test]
fn every_prompt_has_an_answer_schema() {
    assert_none(&prompt_problems(&tree()));
}

#[test]
fn a_prompt_without_a_schema_is_found() {
    let prompt = || File::new("prompts/draft/system.md", "You …");
    assert_one(&prompt_problems(&[prompt()]), "prompts/draft");
    assert_one(&prompt_problems(&[prompt(), File::new("prompts/draft/answer.schema.json", "{")]), "is no JSON");
    assert_none(&prompt_problems(&[prompt(), File::new("prompts/draft/answer.schema.json", "{}")]));
}

/// `NNNN_what.sql`, from 0001, each number once.
fn migration_problems(files: &[File]) -> Vec<String> {
    let mut problems = Vec::new();
    let folder = "src/store/migrations/";
    for (nth, file) in files_below(files, folder).into_iter().enumerate() {
        let expected = format!("{folder}{:04}_", nth + 1);
        if !file.path.starts_with(&expected) || !file.ends_in("sql") {
            problems.push(format!("{}: should be {expected}what.sql; migrations are numbered without gaps", file.path));
        }
    }
    problems
}

#[test]
fn migrations_are_numbered_without_gaps() {
    assert_none(&migration_problems(&tree()));
}

#[test]
fn a_gap_in_the_migrations_is_found() {
    let file = |name: &str| File::new(&format!("src/store/migrations/{name}"), "");
    assert_none(&migration_problems(&[file("0001_start.sql"), file("0002_more.sql")]));
    assert_one(&migration_problems(&[file("0001_start.sql"), file("0003_more.sql")]), "0003_more.sql: should be");
    assert_one(&migration_problems(&[file("0001_start.sql"), file("0001_twin.sql")]), "0001_twin.sql");
}

// ---- Texts

/// The start of places that exist on one machine only. Written in two parts, so that this file does not hold them.
const MACHINE_PLACES: &[&str] =
    &[concat!("/wo", "rk/"), concat!("../sh", "ared"), concat!("/ro", "ot/"), concat!("/tm", "p/w/")];

fn machine_problems(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        for place in MACHINE_PLACES {
            // The same letters at the end of a longer name are a part of some other path.
            let own = line.match_indices(place).any(|(at, _)| !line[..at].bytes().next_back().is_some_and(is_word));
            if own {
                problems.push(format!(
                    "{}:{}: `{place}` is a place on one machine; name it from the root of the tree",
                    file.path,
                    number + 1
                ));
            }
        }
    }
    problems
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    assert_none(&tree().iter().flat_map(machine_problems).collect::<Vec<_>>());
}

#[test]
fn a_place_on_one_machine_is_found() {
    assert_one(&machine_problems(&File::new("a.md", &format!("a\nsee {}x.md", MACHINE_PLACES[0]))), "a.md:2");
    assert_one(&machine_problems(&File::new("a.md", &format!("({}/x.md)", MACHINE_PLACES[1]))), "a.md:1");
    assert_none(&machine_problems(&File::new("a.md", "https://example.org/homework/x and a/frameworks/b")));
}

/// Each `key =` of a TOML file has a comment on the line above.
fn config_problems(file: &File) -> Vec<String> {
    let mut problems = Vec::new();
    let (mut before, mut depth) = ("", 0_usize);
    for (number, line) in file.text.lines().enumerate() {
        let key = line.split_once('=').map(|(key, _)| key.trim()).filter(|_| depth == 0);
        let key = key.filter(|key| !key.is_empty() && key.bytes().all(|byte| is_word(byte) || b"-.\"".contains(&byte)));
        let comment = before.trim().strip_prefix('#').map(|text| text.trim_start_matches('#').trim());
        if let Some(key) = key
            && comment.is_none_or(str::is_empty)
        {
            problems.push(format!(
                "{}:{}: `{key}` has no comment above it; say what it does and what else it can be",
                file.path,
                number + 1
            ));
        }
        // A list over several lines: what is inside are values. Brackets in strings and comments do not count.
        let bare = line.split('"').step_by(2).collect::<String>();
        let bare = bare.split('#').next().unwrap_or_default();
        if key.is_some() || depth > 0 {
            depth = (depth + bare.matches(['[', '{']).count()).saturating_sub(bare.matches([']', '}']).count());
        }
        before = line;
    }
    problems
}

#[test]
fn every_config_key_is_explained() {
    let files = tree();
    assert_none(&files_below(&files, "config/default.toml").into_iter().flat_map(config_problems).collect::<Vec<_>>());
}

#[test]
fn a_config_key_without_a_comment_is_found() {
    let of = |text: &str| config_problems(&File::new("config/default.toml", text));
    assert_none(&of(
        "# Where.\n[store]\n# The database.\nurl = \"sqlite://a=b[\"\n\n# Days, most important first.\ndays = [\n  1, # x = 1\n]\n",
    ));
    assert_one(&of("# The store.\n[store]\nurl = 1\n"), "config/default.toml:3: `url`");
    assert_one(&of("# A.\na = 1\nb = 2\n"), "`b`");
    assert_one(&of("#\na = 1\n"), "`a`");
    assert_one(&of("# A.\na = [\n 1,\n]\nb = 2\n"), "`b`");
}

/// Where the links of a Markdown text lead, when that is a file: `[x](docs/y.md#z)` leads to `docs/y.md`.
fn local_links(markdown: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            let target = rest.split([')', ' ', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains(':') {
                links.push(target);
            }
        }
    }
    links
}

fn link_problems(file: &File, exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let broken = local_links(&file.text).into_iter().filter(|link| !exists(&tidied(&folder.join(link))));
    broken.map(|link| format!("{}: the link to {link} leads nowhere", file.path)).collect()
}

/// `docs/../README.md` is `README.md`. A path that leaves the tree stays as it is, and so is not found in it.
fn tidied(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        if part != Component::ParentDir || !tidy.pop() {
            tidy.push(part);
        }
    }
    tidy
}

/// README.md, ARCHITECTURE.md, CHANGELOG.md and what else is at the root, and the pages in docs/.
fn pages(files: &[File]) -> Vec<&File> {
    let is_page = |file: &&File| file.ends_in("md") && (!file.path.contains('/') || file.path.starts_with("docs/"));
    let pages: Vec<&File> = files.iter().filter(is_page).collect();
    assert!(pages.iter().any(|page| page.path == "CHANGELOG.md"), "no CHANGELOG.md: this test looks at the wrong place");
    pages
}

#[test]
fn every_local_link_leads_somewhere() {
    let exists = |path: &Path| root().join(path).exists();
    assert_none(&pages(&tree()).into_iter().flat_map(|page| link_problems(page, &exists)).collect::<Vec<_>>());
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let exists = |path: &Path| path == Path::new("docs/there.md") || path == Path::new("README.md");
    let of = |path: &str, text: &str| link_problems(&File::new(path, text), &exists);
    assert_none(&of("README.md", "[a](docs/there.md#part) [b](https://example.org) [c](#here)\n```\n[d](x.md)\n```\n"));
    assert_none(&of("docs/there.md", "[a](there.md) [b](../README.md)"));
    assert_one(&of("README.md", "see [a](there.md)."), "there.md leads nowhere");
    assert_one(&of("docs/there.md", "[a](../../README.md)"), "leads nowhere");
}
