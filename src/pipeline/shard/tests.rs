//! Parts merge to the whole in any order and any brackets, and refuse what is not theirs.
#![expect(clippy::disallowed_methods, reason = "a test writes the files that it is about")]

use proptest::prelude::*;

use super::*;
use crate::transform::Transformed;
use crate::verify::Declared;

fn consumer(name: &str, source: Source) -> Consumer {
    let entity = EntityRef::parse(name, "component").unwrap();
    Consumer {
        entity,
        owner: None,
        lifecycle: None,
        tier: None,
        witnesses: Vec::new(),
        tags: Vec::new(),
        because: Vec::new(),
        source,
    }
}

/// A fleet in which every third consumer shares a workspace, and some have none.
fn fleet(size: usize) -> Fleet {
    let workspaces: Vec<Workspace> = (0..size)
        .map(|n| Workspace {
            id: format!("w{n:04}"),
            root: Default::default(),
            git: None,
            without: Vec::new(),
            origin: None,
        })
        .collect();
    let source = |n: usize| match n % 7 {
        6 => Source::Unresolved("nowhere".to_owned()),
        _ => Source::Workspace(if n.is_multiple_of(3) { n } else { n - n % 3 }),
    };
    let consumers = (0..size).map(|n| consumer(&format!("c{n:04}"), source(n))).collect();
    Fleet { consumers, workspaces, ..Fleet::default() }
}

fn planned(fleet: Fleet, identity: Digest) -> Planned {
    let plan = |w: &Workspace| WorkspacePlan {
        id: w.id.clone(),
        pin: None,
        result: if w.id.ends_with('9') { Transformed::Refused(w.id.clone()) } else { Transformed::Changed },
        files: Vec::new(),
        findings: Vec::new(),
        comments: Vec::new(),
        skipped: BTreeMap::new(),
        files_read: 1,
        files_parsed: 0,
    };
    let workspaces: Vec<WorkspacePlan> = fleet.workspaces.iter().map(plan).collect();
    let rules = Digest::of(b"rules");
    let digest = transform::plan_digest(rules, Partial::default(), Dirty::default(), &workspaces);
    Planned {
        standing: Vec::new(),
        outdated: std::collections::BTreeMap::new(),
        review: Default::default(),
        plan: Plan { digest, workspaces },
        fleet,
        manifests: Vec::new(),
        declared: Declared::default(),
        datasets: None,
        tips: Default::default(),
        identity,
        rules,
    }
}

fn migration() -> Migration {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("migration.toml");
    std::fs::write(folder.path().join("r.rhai"), "").unwrap();
    let text = "[migration]\nid = \"m\"\ntitle = \"t\"\nrules = [\"r.rhai\"]\n\
                [[consumers.from]]\nfolders = [\"*\"]\n[deliver]\nhow = \"patches\"\n";
    std::fs::write(&file, text).unwrap();
    crate::config::load(&file).unwrap_or_else(|e| panic!("{}", e.render(false)))
}

/// The parts of a fleet, through their files.
fn parts(migration: &Migration, size: usize, of: u32) -> Vec<Part> {
    let one = |number| {
        let (mut fleet, shard) = (fleet(size), Shard { number, of });
        let identity = identity(&fleet);
        shard.restrict(&mut fleet);
        let part = Part::new(migration, planned(fleet, identity), shard);
        Part::from_bytes(&part.to_bytes().unwrap()).unwrap()
    };
    (1..=of).map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn parts_merge_to_the_whole_in_any_brackets(
        size in 0_usize..60,
        of in 1_u32..9,
        picks in prop::collection::vec(any::<u16>(), 16),
    ) {
        let migration = migration();
        let mut parts = parts(&migration, size, of);
        let counts: usize = parts.iter().map(|p| p.consumers.len()).sum();
        prop_assert_eq!(counts, size, "every consumer is in one shard");
        // Any two of what is left are merged, until one is left: every order and bracketing.
        for pick in picks.iter().cycle() {
            if parts.len() == 1 { break; }
            let first = parts.remove(usize::from(pick & 0xFF) % parts.len());
            let second = parts.remove(usize::from(pick >> 8) % parts.len());
            let again = first.clone().merge(second.clone()).unwrap().merge(first.clone()).unwrap();
            let merged = first.merge(second).unwrap();
            prop_assert_eq!(again.to_bytes(), merged.to_bytes(), "merging twice changes nothing");
            parts.push(merged);
        }
        prop_assert!(parts[0].missing().is_empty());
        let whole = fleet(size);
        let identity = identity(&whole);
        let whole = planned(whole, identity);
        let merged = parts.remove(0).finish();
        prop_assert_eq!(bytes(&merged.plan).unwrap(), bytes(&whole.plan).unwrap());
        let shown = |rows: Vec<PlannedRow<'_>>| -> Vec<String> {
            rows.iter().map(|r| format!("{} {} {} {:?} {:?}", r.entity, r.word, r.reason, r.workspace, r.wave)).collect()
        };
        prop_assert_eq!(shown(merged.rows()), shown(whole.rows(&migration)));
    }
}

#[test]
fn what_is_no_part_or_of_another_plan_is_refused() {
    let migration = migration();
    let mut two = parts(&migration, 20, 2);
    let whole = two[0].to_bytes().unwrap();
    for cut in [0, 5, whole.len() / 2, whole.len() - 1] {
        assert!(matches!(Part::from_bytes(&whole[..cut]), Err(PartError::Damaged(_))), "{cut}");
    }
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    assert!(matches!(Part::from_bytes(&changed), Err(PartError::Damaged(_))));

    let other = parts(&migration, 21, 2).remove(0);
    assert_eq!(two[1].clone().merge(other).unwrap_err(), PartError::Differs("fleets"));
    let thirds = parts(&migration, 20, 3).remove(0);
    assert_eq!(two[1].clone().merge(thirds).unwrap_err(), PartError::Differs("numbers of shards"));

    let mut moved = two[0].clone();
    let (id, plan) = moved.workspaces.iter_mut().next().unwrap();
    plan.files_read += 1;
    let id = id.clone();
    assert_eq!(two.remove(0).merge(moved).unwrap_err(), PartError::Disagree(id));
}

#[test]
fn shards_are_read_strictly() {
    assert_eq!("3/16".parse(), Ok(Shard { number: 3, of: 16 }));
    for wrong in ["0/4", "5/4", "3", "3/", "/3", "a/b", "1/0", "1/4294967295", "-1/4"] {
        assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
    }
}
