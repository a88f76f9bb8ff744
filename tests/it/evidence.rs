//! What a case rests on, from the shell: every fact with its record, where Odoo shows that, and what has changed since one looked.

use serde_json::Value;

use crate::support::binary::reeve;

#[test]
fn each_fact_names_its_record_and_where_odoo_shows_it() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("demo");
    reeve(&["demo", "--once", "--dir", dir.to_str().unwrap()], &[]).fine();
    let store = format!("sqlite:{}", dir.join("reeve.db").display());
    let live = [
        ("REEVE_ODOO__URL", "https://ada:s3cr3t@erp.example/shop"),
        ("REEVE_ODOO__DATABASE", "shop"),
        ("REEVE_ODOO__USER", "reader"),
        ("REEVE_ODOO__API_KEY", "k"),
        ("REEVE_SOURCE__RECORDING", ""),
    ];
    let on = |args: &[&str]| reeve(&[&["--store", &store], args].concat(), &live);
    let queue: Value = serde_json::from_str(&on(&["--json", "queue", "list"]).fine()).unwrap();
    let case = queue[0]["id"].as_str().unwrap();

    let text = on(&["case", "show", case, "--evidence"]).fine();
    assert!(text.starts_with(&format!("Evidence of {case}, version 1, as of ")), "{text}");
    assert!(text.contains("https://erp.example/shop/web#id="), "{text}");
    assert!(!text.contains("s3cr3t") && !text.contains("ada:"), "{text}");
    let told: Value = serde_json::from_str(&on(&["--json", "case", "show", case, "--evidence"]).fine()).unwrap();
    let (facts, links) = (told["evidence"]["facts"].as_object().unwrap(), told["links"].as_object().unwrap());
    assert!(facts.keys().all(|id| text.contains(id.as_str())), "{text}");
    for (id, link) in links {
        let source = &facts[id]["source"]["id"];
        assert!(link.as_str().unwrap().contains(&format!("#id={}&model=", source.as_str().unwrap())), "{id} {link}");
    }
    assert!(!links.is_empty() && links.len() <= facts.len());

    let same = on(&["case", "show", case, "--evidence", "--since", "1"]).fine();
    assert!(same.contains("Nothing in it has changed since version 1"), "{same}");
    let refused = on(&["case", "show", case, "--evidence", "--since", "9"]).error();
    assert!(refused.starts_with("--since: case") && refused.ends_with("the newest is 1"), "{refused}");
    let plain = on(&["case", "show", case]).fine();
    assert!(plain.contains("--content ") && plain.contains("Evidence, version 1"), "{plain}");
}
