//! The folder of a change set: two patches, what machines read about them, and
//! what a pull request says.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::pull_request;
use crate::changeset::{FileDigests, Side};
use crate::digest::Digest;
use crate::rollout::Staged;
use crate::transform::{FileOutcome, FilePlan, Finding, TouchedComment};
use crate::verify::{self, Snapshot, Verdict};
use crate::workspace::Pin;

/// The version of `change.json`. It grows with every change that a reader of the
/// one before could trip over.
pub const SCHEMA_VERSION: u32 = 2;

/// The files of a change set's folder, by name: `change.patch`, `revert.patch`,
/// `change.json` and `PULL_REQUEST.md`. A pure function of `staged`.
pub fn folder(staged: &Staged<'_>) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::from([
        ("change.patch".to_owned(), staged.set.change.clone()),
        ("revert.patch".to_owned(), staged.set.revert.clone()),
        ("PULL_REQUEST.md".to_owned(), pull_request::text(staged).into_bytes()),
    ]);
    let mut json = match serde_json::to_vec_pretty(&change(staged)) {
        Ok(json) => json,
        // Maps with text keys and plain values always serialise; should that ever
        // change, the patches still reach their readers.
        Err(error) => format!("{{\"error\": {:?}}}", error.to_string()).into_bytes(),
    };
    json.push(b'\n');
    files.insert("change.json".to_owned(), json);
    for snapshot in &staged.verdict.snapshots {
        files.extend(snapshot_files(snapshot));
    }
    files
}

/// A snapshot in insta's format, and beside it what the change makes of it where that
/// is something else.
fn snapshot_files(snapshot: &Snapshot) -> Vec<(String, Vec<u8>)> {
    let plain = |text: &str| -> String {
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
        text.chars().map(safe).collect()
    };
    // Two names may look the same once they are plain.
    let unique = Digest::of(format!("{}\0{}", snapshot.step, snapshot.name).as_bytes()).short();
    let name = format!("snapshots/{}__{}-{unique}.snap", plain(&snapshot.step), plain(&snapshot.name));
    let file = |content: &str| verify::snapshot::insta(&snapshot.step, &snapshot.name, content).into_bytes();
    let mut files = Vec::new();
    files.extend(snapshot.before.as_ref().map(|before| (name.clone(), file(before))));
    files.extend(snapshot.after.as_ref().map(|after| (format!("{name}.new"), file(after))));
    files
}

/// `change.json`.
#[derive(Debug, Serialize)]
struct Change<'a> {
    schema_version: u32,
    migration: About<'a>,
    consumers: Vec<Who<'a>>,
    /// Whom CODEOWNERS names for the files.
    code_owners: &'a [String],
    workspace: &'a str,
    /// Where the patches' paths start: the workspace below the root of its
    /// repository.
    prefix: &'a str,
    pin: Option<&'a Pin>,
    wave: u32,
    kept_back: Option<&'a str>,
    rules: BTreeMap<&'a str, RuleCount>,
    files: &'a [FilePlan],
    findings: &'a [Finding],
    /// Comments that were moved, or went with their code.
    comments: &'a [TouchedComment],
    verdict: &'a Verdict,
    digests: Digests<'a>,
}

#[derive(Debug, Serialize)]
struct About<'a> {
    id: &'a str,
    title: &'a str,
    guide: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Who<'a> {
    entity: &'a str,
    owner: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Digests<'a> {
    change: Digest,
    before: Digest,
    after: Digest,
    files: &'a BTreeMap<String, FileDigests>,
}

/// What one rule did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// Places that it rewrote, and files that it made, moved or removed.
    pub places: usize,
    /// Files that it touched.
    pub files: usize,
}

/// What each rule did, by its name.
pub fn rule_counts(files: &[FilePlan]) -> BTreeMap<&str, RuleCount> {
    let mut counts: BTreeMap<&str, RuleCount> = BTreeMap::new();
    for file in files {
        let mut places: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        match &file.outcome {
            FileOutcome::Edit { edits, .. } => {
                for edit in edits {
                    places.entry(&edit.rule).or_default().insert(edit.match_id);
                }
            }
            FileOutcome::Rename { edits, rule, .. } => {
                for edit in edits {
                    places.entry(&edit.rule).or_default().insert(edit.match_id);
                }
                places.entry(rule).or_default();
            }
            FileOutcome::Create { rule, .. }
            | FileOutcome::Delete { rule }
            | FileOutcome::SetExecutable { rule, .. } => {
                places.entry(rule).or_default().insert(0);
            }
        }
        for (rule, matches) in places {
            let count = counts.entry(rule).or_default();
            // A file that only moves is a place, too.
            count.places += matches.len().max(1);
            count.files += 1;
        }
    }
    counts
}

fn change<'a>(staged: &Staged<'a>) -> Change<'a> {
    let who = |consumer: &&'a crate::workspace::Consumer| Who {
        entity: consumer.entity.as_str(),
        owner: consumer.owner.as_ref().map(|owner| owner.as_str()),
    };
    Change {
        schema_version: SCHEMA_VERSION,
        migration: About {
            id: &staged.migration.id,
            title: &staged.migration.title,
            guide: staged.migration.guide.as_deref(),
        },
        consumers: staged.consumers.iter().map(who).collect(),
        code_owners: staged.code_owners,
        workspace: &staged.place.id,
        prefix: &staged.set.prefix,
        pin: staged.plan.pin.as_ref(),
        wave: staged.wave,
        kept_back: staged.kept_back,
        rules: rule_counts(&staged.plan.files),
        files: &staged.plan.files,
        findings: &staged.plan.findings,
        comments: &staged.plan.comments,
        verdict: staged.verdict,
        digests: Digests {
            change: staged.set.id(),
            before: staged.set.digest(Side::Before),
            after: staged.set.digest(Side::After),
            files: &staged.set.digests,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::changeset::ChangeSet;
    use crate::config::{
        Consumers, Deliver, Disposition, Migration, Policy, Rollout, SandboxConfig, SandboxMode, Transform, Verify,
    };
    use crate::edit::Edit;
    use crate::transform::{FindingKind, Transformed, WorkspacePlan};
    use crate::verify::{StepEnd, StepResult, VerdictKind};
    use crate::workspace::{Consumer, Content, EntityRef, FileVersion, GitPlace, Mode, Source, Workspace};

    fn migration() -> Migration {
        Migration {
            file: PathBuf::from("/m/migration.toml"),
            id: "users-v2".to_owned(),
            title: "Read users_v2 instead of users_v1".to_owned(),
            guide: Some("https://example.org/guide".to_owned()),
            rules: Vec::new(),
            order: Vec::new(),
            parameters: toml::Table::new(),
            mappings: BTreeMap::new(),
            datasets: Default::default(),
            languages: Default::default(),
            consumers: Consumers::default(),
            code: Default::default(),
            transform: Transform::default(),
            formatters: Vec::new(),
            verify: Verify::default(),
            sandbox: SandboxConfig { mode: SandboxMode::None, ..SandboxConfig::default() },
            policy: Policy { annotated: Disposition::Hold, unverified: Disposition::Hold, ..Policy::default() },
            rollout: Rollout {
                waves: Vec::new(),
                seed: String::new(),
                first: Vec::new(),
                gates: Vec::new(),
                on_failed_gate: crate::config::OnFailedGate::Stop,
                ..Rollout::default()
            },
            deliver: Deliver {
                how: crate::config::Delivery::Patches,
                author: None,
                remote: String::new(),
                template: None,
                branch_per: Default::default(),
            },
            state: PathBuf::from("/m/.gander"),
            digest: Digest::of(b"m"),
            verify_digest: Digest::of(b"v"),
            gates_digest: Digest::of(b"g"),
            delivery_digest: Digest::of(b"d"),
        }
    }

    fn plan() -> WorkspacePlan {
        let edit = |match_id, range| Edit {
            range,
            replacement: Vec::new(),
            rule: "users-v2/table".to_owned(),
            match_id,
            drops: false,
        };
        WorkspacePlan {
            id: "apps/ads".to_owned(),
            pin: None,
            result: Transformed::Annotated("one place is left".to_owned()),
            files: vec![FilePlan {
                path: "q.sql".to_owned(),
                before: Some(Digest::of(b"old\n")),
                mode: Some(Mode::File),
                outcome: FileOutcome::Edit {
                    // Two edits of the first match, one of the second: two places.
                    edits: vec![edit(0, 0..1), edit(0, 1..2), edit(1, 2..3)],
                    splices: Vec::new(),
                    after: Digest::of(b"new\n"),
                },
            }],
            findings: vec![Finding {
                rule: "users-v2/dropped".to_owned(),
                path: "a`b|.py".to_owned(),
                line: 7,
                column: 3,
                kind: FindingKind::Annotated,
                message: "users.plan has *no* counterpart, @ask".to_owned(),
                subject: None,
            }],
            comments: Vec::new(),
            skipped: BTreeMap::new(),
            files_read: 2,
            files_parsed: 1,
        }
    }

    fn verdict() -> Verdict {
        let step = |end, output: &str| StepResult {
            name: "test".to_owned(),
            command: vec!["sh".to_owned(), "test.sh".to_owned()],
            end,
            millis: 12,
            output: output.to_owned(),
        };
        Verdict {
            baseline: vec![step(StepEnd::Exited(0), "")],
            patched: vec![step(StepEnd::Exited(1), "no column plan_type\n```\n# not a title\n")],
            ..Verdict::without_runs(VerdictKind::Regressed, "test: was green, exited with 1")
        }
    }

    fn written() -> BTreeMap<String, Vec<u8>> {
        let content = |text: &str| Some(Content { bytes: text.as_bytes().to_vec(), executable: false });
        let versions = [FileVersion {
            path: "q.sql".to_owned(),
            before: content("old\n"),
            after: content("new\n"),
            renamed_from: None,
        }];
        let consumer = Consumer {
            entity: EntityRef::parse("ads", "component").unwrap(),
            owner: EntityRef::parse("ads-team", "group"),
            lifecycle: None,
            tier: None,
            tags: Vec::new(),
            witnesses: Vec::new(),
            because: Vec::new(),
            source: Source::Workspace(0),
        };
        let place = Workspace {
            id: "apps/ads".to_owned(),
            root: PathBuf::from("/m/apps/ads"),
            git: Some(GitPlace {
                toplevel: PathBuf::from("/m"),
                prefix: "apps/ads".to_owned(),
                commit: String::new(),
                tree: String::new(),
                dirty: Vec::new(),
            }),
            without: Vec::new(),
            origin: None,
        };
        folder(&Staged {
            migration: &migration(),
            consumers: &[&consumer],
            place: &place,
            plan: &plan(),
            verdict: &verdict(),
            versions: &versions,
            set: &ChangeSet::new(&versions, "apps/ads"),
            code_owners: &["@ads".to_owned()],
            wave: 2,
            kept_back: Some("held: it regressed"),
        })
    }

    #[test]
    fn the_description_says_why_what_and_how_to_go_back() {
        let text = String::from_utf8(written()["PULL_REQUEST.md"].clone()).unwrap();
        let text = text.replace('\u{2060}', "^");
        insta::assert_snapshot!(text, @r#"
        # Read users_v2 instead of users_v1

        > **Not delivered.** held: it regressed

        This change is part of the migration `users-v2`. The guide says why and how: https://example.org/guide

        - `component:default/ads`, owned by `group:default/ads-team`
        - the files belong to `@ads`

        ## What changed

        | rule | places | files |
        | --- | ---: | ---: |
        | `users-v2/table` | 2 | 1 |

        1 file in all.

        ## Evidence

        **A step was green before and is red with the change.** test: was green, exited with 1

        | step | before | with the change |
        | --- | --- | --- |
        | `test` | green | red (exit code 1) |

        The end of what `test` printed:

        ````text
        no column plan_type
        ```
        # not a title
        ````

        ## Left to you

        - [ ] ``a`b|.py:7:3``: users.plan has \*no\* counterpart, @^ask (`users-v2/dropped`)

        ## Going back

        `git apply revert.patch`, at the top of the repository (not in `apps/ads`, where git would skip every path and say nothing), gives back exactly the bytes that this change started from. gander proved that when it made the patch.

        Gander-Change-Id: 9a1f9b7bfa370af7bb3d79880e48f73385c3d3e66de18bf34fa8173fb6a58af7
"#);
    }

    #[test]
    fn machines_read_the_same_in_json() {
        let files = written();
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["PULL_REQUEST.md", "change.json", "change.patch", "revert.patch"]);
        let json: serde_json::Value = serde_json::from_slice(&files["change.json"]).unwrap();
        assert_eq!(json["schema_version"], SCHEMA_VERSION);
        assert_eq!(json["consumers"][0]["owner"], "group:default/ads-team");
        assert_eq!(json["rules"]["users-v2/table"]["places"], 2);
        assert_eq!(json["verdict"]["kind"], "regressed");
        let before = &json["digests"]["files"]["q.sql"]["before"]["digest"];
        assert_eq!(*before, Digest::of(b"old\n").to_string());
        assert!(!files["change.json"].windows(3).any(|w| w == b"/m/"), "no absolute path");
    }
}
