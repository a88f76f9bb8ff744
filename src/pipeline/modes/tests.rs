//! Who may set modes, and how many of them it takes.

use super::*;
use crate::config::ModeRuleConfig;
use crate::store::testing::on_each;

fn config() -> Config {
    let mut config = Config::load_from(None, &[]).unwrap();
    let person = |id: &str, roles: &[Role], tier| Person {
        name: id.to_owned(),
        roles: roles.to_vec(),
        tier,
        ..Person::gone(PersonId::new(id))
    };
    config.people = vec![
        person("viv", &[Role::Viewer], 0),
        person("pia", &[Role::Planner], 0),
        person("abe", &[Role::Approver], 1),
        person("ari", &[Role::Approver], 2),
        person("adm", &[Role::Admin], 0),
        // A machine with the highest role: it may set nothing all the same.
        person("system", &[Role::Admin], 0),
    ];
    config
}

async fn set(
    store: &Store,
    config: &Config,
    who: &str,
    hand: &Hand,
    code: &str,
    mode: Option<Mode>,
) -> anyhow::Result<Changed> {
    let scope = ModeScope::read([format!("type={code}").as_str()]).unwrap();
    change(store, config, &Clock::System, (&PersonId::new(who), "web", hand), (&scope, mode), "a reason").await
}

#[tokio::test]
async fn asking_less_is_anybodys_and_off_and_live_are_few_peoples() {
    on_each(|store| async move {
        let config = config();
        for (who, shadow, off) in [
            ("viv", false, false),
            ("pia", true, false),
            ("abe", true, false),
            ("ari", true, true),
            ("adm", true, true),
            ("system", false, false),
            ("nobody", false, false),
        ] {
            // Two scopes, so that more than one rule is told of in the end.
            let (one, other) = if who == "ari" { ("R-SHORT", "I-LOW") } else { ("R-LATE", "I-OUT") };
            let done = set(&store, &config, who, &Hand::Own, one, Some(Mode::Shadow)).await;
            assert_eq!(done.is_ok(), shadow, "{who}: {done:?}");
            assert_eq!(set(&store, &config, who, &Hand::Own, other, Some(Mode::Off)).await.is_ok(), off, "{who}");
        }
        let now = in_force(&store, &config).await.unwrap();
        assert_eq!(
            now.says().unwrap(),
            "Modes: live: everything else · shadow: type=R-LATE; type=R-SHORT · off: type=I-LOW; type=I-OUT. Only what is live \
             is in the queue and here."
        );
        assert_eq!(now.rules[1].set.as_ref().unwrap().by.as_str(), "pia", "setting the same again changes nothing");
    })
    .await;
}

#[tokio::test]
async fn going_live_takes_two_people_by_two_hands() {
    on_each(|store| async move {
        let config = config();
        let command = |user: &str| Hand::Command(user.to_owned());
        set(&store, &config, "pia", &Hand::Own, "R-SHORT", Some(Mode::Shadow)).await.unwrap();
        let live = Some(Mode::Live);
        assert!(set(&store, &config, "pia", &Hand::Own, "R-SHORT", live).await.is_err());
        let first = set(&store, &config, "ari", &command("eve (uid 7)"), "R-SHORT", live).await.unwrap();
        assert!(matches!(first, Changed::Proposed(_)), "{first:?}");
        assert_eq!(in_force(&store, &config).await.unwrap().proposed.len(), 1);
        let alone = set(&store, &config, "ari", &Hand::Own, "R-SHORT", live).await.unwrap_err().to_string();
        assert!(alone.contains("second person") && alone.ends_with("ask adm"), "{alone}");
        // Though two accounts gave the two commands: one person may have the use of both.
        let one = set(&store, &config, "adm", &command("fay (uid 8)"), "R-SHORT", live).await.unwrap_err().to_string();
        assert!(one.contains("same hand"), "{one}");
        let done = set(&store, &config, "adm", &Hand::Own, "R-SHORT", live).await.unwrap();
        assert!(matches!(done, Changed::Set(_)), "{done:?}");
        let now = in_force(&store, &config).await.unwrap();
        assert!(now.modes.are_all_live() && now.proposed.is_empty() && !now.key.is_empty());
        let log = store.list_audit_of("mode:type=R-SHORT").await.unwrap();
        assert_eq!(log.iter().map(|e| &*e.entry.action).collect::<Vec<_>>(), ["mode.set", "mode.proposed", "mode.set"]);
        assert_eq!(log[2].entry.detail["proposed_by"], "ari");
    })
    .await;
}

#[tokio::test]
async fn a_part_of_what_is_in_shadow_goes_live_by_two_people_too() {
    on_each(|store| async move {
        let mut config = config();
        let scope = |parts: &[&str]| ModeScope::read(parts.iter().copied()).unwrap();
        let rule = |category: &str, code: Option<&str>, mode| ModeRuleConfig {
            category: Some(category.to_owned()),
            location: None,
            supplier: None,
            r#type: code.map(|code| code.parse().unwrap()),
            mode,
        };
        config.modes.rules = vec![rule("Drinks", None, Mode::Shadow), rule("Toys", Some("I-OUT"), Mode::Off)];
        let set = async |who: &str, parts: &[&str], mode| {
            let by = PersonId::new(who);
            change(&store, &config, &Clock::System, (&by, "web", &Hand::Own), (&scope(parts), mode), "a reason").await
        };
        // As a whole it is live already; the drinks in it are not, and a rule of two names goes before one of one.
        let two = ["supplier=9", "type=R-SHORT"];
        assert!(set("pia", &two, Some(Mode::Live)).await.is_err());
        // Names are looked up only of what is set: here there are none, so types alone.
        assert!(matches!(set("ari", &["type=R-SHORT"], Some(Mode::Live)).await.unwrap(), Changed::Proposed(_)));
        assert!(set("pia", &["type=I-OUT"], Some(Mode::Shadow)).await.is_err(), "some of it is off, and would not be");
        assert!(set("pia", &["type=I-LOW"], Some(Mode::Shadow)).await.is_ok(), "nothing of that is");
        // Taken back, it comes under what others say again.
        assert!(matches!(set("ari", &["type=I-LOW"], None).await.unwrap(), Changed::Proposed(_)));
    })
    .await;
}

#[tokio::test]
async fn a_proposal_stands_for_a_month_and_while_who_made_it_may() {
    on_each(|store| async move {
        let mut config = config();
        config.modes.default = Mode::Shadow;
        let live = (&ModeScope::read(["type=R-SHORT"]).unwrap(), Some(Mode::Live));
        let clock = Clock::standing_at("2026-10-01T08:00:00Z".parse().unwrap());
        let by = async |who: &str, config: &Config| {
            change(&store, config, &clock, (&PersonId::new(who), "web", &Hand::Own), live, "a reason").await.unwrap()
        };
        assert!(matches!(by("ari", &config).await, Changed::Proposed(_)));
        // Forty-five days later; a proposal stands for thirty.
        clock.set("2026-11-15T08:00:00Z".parse().unwrap());
        assert!(matches!(by("adm", &config).await, Changed::Proposed(_)), "it is too old to be a first");
        let mut gone = config.clone();
        gone.people.retain(|person| person.id.as_str() != "adm");
        gone.people.push(Person { name: "eve".into(), roles: vec![Role::Admin], ..Person::gone(PersonId::new("eve")) });
        assert!(matches!(by("ari", &gone).await, Changed::Proposed(_)), "who made it is not there any more");
        assert!(matches!(by("adm", &config).await, Changed::Set(_)));
    })
    .await;
}

#[tokio::test]
async fn whatever_is_said_later_makes_a_proposal_void_and_taking_back_may_go_live() {
    on_each(|store| async move {
        let config = config();
        set(&store, &config, "ari", &Hand::Own, "R-SHORT", Some(Mode::Off)).await.unwrap();
        let back = set(&store, &config, "ari", &Hand::Own, "R-SHORT", None).await.unwrap();
        assert!(matches!(back, Changed::Proposed(_)), "taking it back makes it live: {back:?}");
        set(&store, &config, "ari", &Hand::Own, "R-SHORT", Some(Mode::Shadow)).await.unwrap();
        assert!(in_force(&store, &config).await.unwrap().proposed.is_empty());
        let again = set(&store, &config, "adm", &Hand::Own, "R-SHORT", None).await.unwrap();
        assert!(matches!(again, Changed::Proposed(_)), "the void one was no first: {again:?}");
        let mut alone = config.clone();
        alone.modes.four_eyes_to_go_live = false;
        let done = set(&store, &alone, "adm", &Hand::Own, "R-SHORT", None).await.unwrap();
        assert!(matches!(done, Changed::Set(_)), "{done:?}");
        assert_eq!(set(&store, &config, "adm", &Hand::Own, "R-SHORT", None).await.unwrap(), Changed::Same);
        assert!(in_force(&store, &config).await.unwrap().modes.are_all_live());
    })
    .await;
}

#[tokio::test]
async fn names_that_no_record_has_are_refused_and_a_reason_is_needed() {
    on_each(|store| async move {
        let (config, by) = (config(), PersonId::new("ari"));
        let scope = ModeScope::read(["category=Drinks", "location=Nowhere"]).unwrap();
        let try_it = |reason: &'static str, scope: ModeScope| {
            let (store, config, by) = (store.clone(), config.clone(), by.clone());
            async move {
                let (who, wish) = ((&by, "web", &Hand::Own), (&scope, Some(Mode::Shadow)));
                change(&store, &config, &Clock::System, who, wish, reason).await.map_err(|error| error.to_string())
            }
        };
        let refused = try_it("why not", scope).await.unwrap_err();
        assert!(refused.contains("no category is called \"Drinks\"") && refused.contains("\"Nowhere\""), "{refused}");
        assert!(try_it("  ", ModeScope::default()).await.unwrap_err().contains("say why"));
        assert!(try_it("all of it", ModeScope::default()).await.is_ok());
        assert_eq!(in_force(&store, &config).await.unwrap().modes.default, Mode::Shadow);
    })
    .await;
}

#[test]
fn configured_rules_are_checked() {
    let load = |rules: &str| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reeve.toml");
        std::fs::write(&file, format!("[modes]\ndefault = \"shadow\"\n{rules}")).unwrap();
        Config::load_from(Some(&file), &[]).map_err(|error| error.to_string())
    };
    let pilot = load("[[modes.rules]]\nlocation = \"North\"\nmode = \"live\"\n").unwrap();
    assert_eq!(pilot.modes.modes().rules[0].scope.to_string(), "location=North");
    assert!(load("[[modes.rules]]\nmode = \"live\"\n").unwrap_err().contains("names none of"));
    let twice = "[[modes.rules]]\ntype = \"R-SHORT\"\nmode = \"live\"\n";
    assert!(load(&twice.repeat(2)).unwrap_err().contains("two rules are about type=R-SHORT"));
    assert!(load("[[modes.rules]]\ntype = \"X\"\nmode = \"live\"\n").is_err());
}
