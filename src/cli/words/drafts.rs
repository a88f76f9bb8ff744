//! `reeve words drafts`: what a model drafted in shadow, for whoever asks; and pairs of drafts for votes, each as people would see it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::super::{Outcome, print_json};
use super::{Shown, shown};
use crate::config::Config;
use crate::domain::case::Case;
use crate::domain::draft::{Choice, Draft as Words};
use crate::domain::recommendation::{Drafter, Prose, Recommendation};
use crate::domain::writer::{GradedDraft, Writer};
use crate::store::Store;
use crate::suites::votes::Draft;

/// Which drafts, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Drafts {
    /// Folder to leave two files of drafts in, playbook/drafts.jsonl and model/drafts.jsonl: for `reeve eval votes --first --second`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) async fn run(config: &Config, writer: &Writer, args: &Drafts, json: bool) -> anyhow::Result<Outcome> {
    let (store, Shown { late, .. }) = shown(config, writer).await?;
    let in_shadow: Vec<GradedDraft> = late.into_iter().filter(|draft| !draft.shown).collect();
    if let Some(folder) = &args.out {
        let (playbook, model) = for_votes(&store, &in_shadow).await?;
        for (name, drafts) in [("playbook", &playbook), ("model", &model)] {
            let folder = folder.join(name);
            std::fs::create_dir_all(&folder).with_context(|| format!("can not make {}", folder.display()))?;
            let lines: Result<Vec<String>, _> = drafts.iter().map(serde_json::to_string).collect();
            let text = lines.context("a draft is plain text")?.into_iter().map(|line| line + "\n").collect::<String>();
            let path = folder.join("drafts.jsonl");
            std::fs::write(&path, text).with_context(|| format!("can not write {}", path.display()))?;
        }
        say!("{} pairs of drafts are in {}.", model.len(), folder.display());
        return Ok(Outcome::Fine);
    }
    if json {
        print_json(&in_shadow)?;
        return Ok(Outcome::Fine);
    }
    for draft in &in_shadow {
        let grade = draft.grade;
        say!(
            "{} {} {}: {}",
            draft.day,
            draft.case,
            draft.end.name(),
            if draft.because.is_empty() {
                format!("{} of {} pairs in the computed order, regret {}", grade.agree, grade.pairs, grade.regret)
            } else {
                draft.because.clone()
            }
        );
        if let Some(draft) = &draft.draft {
            say_words(draft);
        }
    }
    say!("{} drafts in shadow of late; nobody but you sees them.", in_shadow.len());
    Ok(Outcome::Fine)
}

/// What a model says of its own: the reasons that it picked, its question and its message. Everything else is computed.
fn say_words(draft: &Words) {
    if let Some(why) = &draft.abstain {
        say!("  abstains: {why}");
    }
    for Choice { candidate, prose, .. } in &draft.choices {
        say!("  {candidate}");
        for claim in &prose.claims {
            say!("    reason, computed: {}", claim.words);
        }
        if !prose.question.is_empty() {
            say!("    asks: {}", prose.question);
        }
        if let Some(message) = &prose.message {
            for line in message.lines() {
                say!("    message: {line}");
            }
        }
    }
}

/// What the playbook and the model would have people see first of the cases that both drafted on the same evidence.
async fn for_votes(store: &Store, drafts: &[GradedDraft]) -> anyhow::Result<(Vec<Draft>, Vec<Draft>)> {
    let (mut playbook, mut model) = (Vec::new(), Vec::new());
    for draft in drafts {
        let recs = store.list_recommendations(&draft.case).await?.into_iter().map(|(rec, _)| rec);
        let of_playbook = |rec: &Recommendation| matches!(rec.drafter, Drafter::Playbook { .. });
        let same = recs.filter(|rec| rec.evidence_hash == draft.evidence_hash && of_playbook(rec)).collect::<Vec<_>>();
        let Some([first, chosen]) = pair(draft, &same) else { continue };
        let case = store.get_case(&draft.case).await?;
        playbook.push(as_shown(&case, draft, first, "playbook"));
        model.push(as_shown(&case, draft, chosen, "model"));
    }
    Ok((playbook, model))
}

/// An action and the words that stand under it.
type Said = (String, Prose);

/// What the playbook has first, and what the model has, with the computed words of its choice around its own as on a card. `same` are the
/// playbook's recommendations. None where the model chose nothing or hands over.
fn pair(draft: &GradedDraft, same: &[Recommendation]) -> Option<[Said; 2]> {
    let own = draft.draft.as_ref().filter(|own| own.abstain.is_none())?;
    let first = same.iter().min_by_key(|rec| rec.rank)?;
    let words = |rec: &Recommendation| Choice {
        candidate: rec.candidate.id.clone(),
        confidence_percent: 0,
        prose: rec.prose.clone(),
    };
    let computed = Words { choices: same.iter().map(words).collect(), abstain: None };
    let choice = own.clone().under(&computed).choices.into_iter().next()?;
    let chosen = same.iter().find(|rec| rec.candidate.id == choice.candidate)?;
    Some([(first.candidate.told(), first.prose.clone()), (chosen.candidate.told(), choice.prose)])
}

/// As a voter sees it: both alike, so that nothing but what they say tells them apart.
fn as_shown(case: &Case, draft: &GradedDraft, (action, prose): Said, drafter: &str) -> Draft {
    Draft {
        scenario: format!("case/{}/{}", draft.case, draft.evidence_hash.get(..12).unwrap_or_default()),
        headline: case.headline.clone(),
        action,
        rationale: prose.reasons(),
        risks: prose.risks,
        message: prose.message.unwrap_or_default(),
        drafter: drafter.to_owned(),
    }
}
