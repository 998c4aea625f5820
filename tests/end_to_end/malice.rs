//! Rules and consumers that mean harm: nothing outside of a consumer changes,
//! nothing hangs, everybody else goes on, and the ledger tells.

use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Instant;

use super::bench::{Bench, git, outcomes, reason, stats, tree};
use super::patches;

const JOB: &str = "rows = read_table(\"users_v1\")\n";
const NEW: &str = "rows = read_table(\"users_v2\")\n";

const GOOD_RULE: &str = "rule(\"good\").lang(\"python\").find(\"read_table(\\\"users_v1\\\")\")\
                         .replace(\"read_table(\\\"users_v2\\\")\");\n";

/// A migration over the folders in `apps/`, whose one step is `step`.
fn migration(bench: &Bench, step: &str, rules: &str) {
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"evil\"\ntitle = \"Read users_v2\"\nrules = [\"rules/evil.rhai\"]\n\
             [[consumers.from]]\nfolders = [\"apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", {step:?}]\ntimeout = \"30s\"\n\
             [rollout]\nwaves = [\"100%\"]\n"
        ),
    );
    bench.put("rules/evil.rhai", rules);
    bench.put(".gitignore", ".gander\n");
}

#[test]
fn rules_that_loop_recurse_or_eat_memory_fail_where_they_match() {
    let bench = Bench::new();
    let rules = [
        "fn deep(n) { deep(n + 1) }",
        "rule(\"loop\").lang(\"python\").find(\"spin($X)\").edit(|m, cx| { loop { } });",
        "rule(\"huge\").lang(\"python\").find(\"grow($X)\").edit(|m, cx| { let s = \"x\"; loop { s += s; } });",
        "rule(\"deep\").lang(\"python\").find(\"dive($X)\").edit(|m, cx| deep(0));",
        "rule(\"list\").lang(\"python\").find(\"pile($X)\").edit(|m, cx| { let a = [1]; loop { a += a; } });",
        GOOD_RULE,
    ];
    migration(&bench, "true", &rules.join("\n"));
    let evil = [("loop", "spin", 2), ("huge", "grow", 3), ("deep", "dive", 4), ("list", "pile", 5)];
    for (name, call, _) in evil {
        bench.put(&format!("apps/{name}/job.py"), format!("{JOB}{call}(1)\n"));
    }
    bench.put("apps/fine/job.py", JOB);
    let before = tree(&bench.root);
    let begun = Instant::now();
    let ended = bench.gander(&["run"]).expect(1);
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    assert!(ended.peak < 400 << 10, "{} KiB", ended.peak);
    let ledger = bench.ledger();
    let words = outcomes(&ledger);
    assert_eq!(words["fine"], "changed");
    for (name, _, line) in evil {
        assert_eq!(words[name], "errored", "{name}");
        let why = reason(&ledger, name);
        assert!(why.contains("job.py:2"), "where it matched: {why}");
        // A call of a function is told where it is made, or where the function stands.
        let lines = if name == "deep" { vec![1, line] } else { vec![line] };
        let place = |line: &usize| {
            let rest = why.split_once(&format!("rules/evil.rhai:{line}:")).map(|(_, rest)| rest);
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        assert!(lines.iter().any(place), "the rule's file, line and column: {why}");
    }
    assert_eq!(tree(&bench.root), before);
}

#[test]
fn a_rule_file_that_never_ends_is_a_mistake_in_it() {
    for rules in ["let a = 1;\nloop { a += 1; }", "\nlet s = \"x\"; loop { s += s; }", "fn f(n) { f(n + 1) }\nf(0);"] {
        let bench = Bench::new();
        migration(&bench, "true", rules);
        bench.put("apps/fine/job.py", JOB);
        let ended = bench.gander(&["run"]).expect(2);
        assert!(ended.stderr.contains("evil.rhai:"), "{}", ended.stderr);
        assert!(!bench.root.join(".gander").exists(), "nothing was done");
    }
}

/// Consumers whose files are the attack. `outside` is what they reach for.
fn hostile(bench: &Bench) {
    bench.put("outside/secret.py", JOB);
    for name in ["links", "names", "codings"] {
        bench.put(&format!("apps/{name}/job.py"), JOB);
    }
    let apps = bench.root.join("apps");
    symlink("../../outside/secret.py", apps.join("links/out.py")).unwrap();
    symlink(bench.root.join("outside/secret.py"), apps.join("links/absolute.py")).unwrap();
    symlink("../../outside", apps.join("links/folder")).unwrap();
    symlink("loop.py", apps.join("links/loop.py")).unwrap();
    symlink("/etc/passwd", apps.join("links/passwd.py")).unwrap();
    for name in ["..\n", "a \"b\"\n\t\\.py", "é ü.py", "-rf.py", "sub/ ..\n/x.py", "b.py"] {
        bench.put(&format!("apps/names/{name}"), JOB);
    }
    std::fs::write(apps.join("names").join(std::ffi::OsStr::from_bytes(b"\xff\xfe.py")), JOB).unwrap();
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(JOB.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    bench.put("apps/codings/utf16.py", utf16);
    bench.put("apps/codings/latin1.py", [b"# caf\xe9\n", JOB.as_bytes()].concat());
    bench.put("apps/codings/nul.py", [JOB.as_bytes(), b"\0"].concat());
    bench.put("apps/codings/bom.py", format!("\u{feff}# é\r\n{}", JOB.trim_end()));
    bench.put("apps/codings/long.py", format!("x = '{}'; {JOB}", "y".repeat(3 << 20)));
}

fn hostile_files(in_git: bool) {
    let bench = Bench::new();
    migration(&bench, "test -s job.py", GOOD_RULE);
    hostile(&bench);
    if in_git {
        bench.commit_all();
    }
    let before = stats(&bench.root.join("outside"));
    let files = tree_of_names(&bench);
    let ended = bench.gander(&["run"]).expect(0);
    let ledger = bench.ledger();
    for (name, word) in outcomes(&ledger) {
        assert_eq!(word, "changed", "{name}: {}; {}", reason(&ledger, &name), ended.stderr);
    }
    assert_eq!(stats(&bench.root.join("outside")), before, "a link was followed");
    assert_eq!(tree_of_names(&bench), files);
    let shown = |name: &str| bench.gander(&["show", name]).expect(0).stdout;
    assert!(shown("links").contains("5 symbolic links"), "{}", shown("links"));
    assert!(shown("codings").contains("2 not UTF-8"), "{}", shown("codings"));
    assert!(shown("codings").contains("1 binary") && shown("codings").contains("1 minified"), "{}", shown("codings"));
    assert!(shown("names").contains("1 with a name that is not UTF-8"), "{}", shown("names"));

    // What git makes of the patches of such files.
    let applied = patches::all_apply_and_revert(&bench, &bench.root.join(".gander/evil"));
    assert_eq!(applied.len(), 3);
    for one in applied {
        let changed: Vec<&String> = one.changed.iter().filter(|(p, f)| one.pinned[*p] != **f).map(|(p, _)| p).collect();
        match one.workspace.as_str() {
            "apps/links" => assert_eq!(changed, ["job.py"]),
            "apps/codings" => {
                assert_eq!(changed, ["bom.py", "job.py"]);
                let wanted = format!("\u{feff}# é\r\n{}", NEW.trim_end());
                assert_eq!(one.changed["bom.py"].0, wanted.as_bytes());
            }
            _ => {
                let all = ["-rf.py", "a \"b\"\n\t\\.py", "b.py", "job.py", "sub/ ..\n/x.py", "é ü.py"];
                assert_eq!(changed, all);
                assert!(changed.iter().all(|path| one.changed[*path].0 == NEW.as_bytes()));
            }
        }
    }
}

/// Names and bytes below `apps/`, with names that no text can hold.
fn tree_of_names(bench: &Bench) -> Vec<(Vec<u8>, Vec<u8>)> {
    let walk = walkdir::WalkDir::new(bench.root.join("apps")).sort_by_file_name();
    let files = walk.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    files.map(|e| (e.path().as_os_str().as_bytes().to_vec(), std::fs::read(e.path()).unwrap())).collect()
}

#[test]
fn hostile_files_in_a_plain_folder() {
    hostile_files(false);
}

#[test]
fn hostile_files_in_a_repository() {
    hostile_files(true);
}

#[test]
fn a_line_of_200_mb_costs_no_memory() {
    for in_git in [false, true] {
        let bench = Bench::new();
        migration(&bench, "test -s job.py", GOOD_RULE);
        bench.put("apps/huge/job.py", JOB);
        bench.put("apps/huge/big.py", "");
        let big = std::fs::OpenOptions::new().write(true).open(bench.root.join("apps/huge/big.py")).unwrap();
        big.set_len(200 << 20).unwrap();
        if in_git {
            bench.commit_all();
        }
        let plan = bench.gander(&["plan"]).expect(0);
        let run = bench.gander(&["run"]).expect(0);
        assert_eq!(outcomes(&bench.ledger())["huge"], "changed", "{}", run.stderr);
        let shown = bench.gander(&["show", "huge"]).expect(0).stdout;
        assert!(shown.contains("big.py") && shown.contains("200 MiB"), "{shown}");
        assert!(plan.peak > 0 && plan.peak < 120 << 10, "plan, in git: {in_git}: {} KiB", plan.peak);
        assert!(run.peak < 120 << 10, "run, in git: {in_git}: {} KiB", run.peak);
    }
}

#[test]
fn pipes_that_nobody_writes_to_hang_nothing() {
    let bench = Bench::new();
    migration(&bench, "test -s job.py", GOOD_RULE);
    for name in ["source", "ignore", "gitignore", "build", "fine"] {
        bench.put(&format!("apps/{name}/job.py"), JOB);
    }
    bench.put("apps/source/sub/x.txt", "");
    bench.put("apps/gitignore/sub/more.py", JOB);
    for place in [
        "source/x.py",
        "source/sub/y.py",
        "ignore/.ignore",
        "gitignore/sub/.gitignore",
        "build/Cargo.toml",
        "build/catalog-info.yaml",
    ] {
        let made = std::process::Command::new("mkfifo").arg(bench.root.join("apps").join(place)).status().unwrap();
        assert!(made.success());
    }
    let begun = Instant::now();
    bench.gander(&["run"]).expect(1);
    for arguments in [
        &["apply", "rules/evil.rhai", "apps"] as &[&str],
        &["apply", "rules/evil.rhai", "apps/source/x.py"],
        &["find", "-l", "python", "-p", "read_table($X)", "apps"],
        &["tree", "apps/source/x.py"],
        &["run", "apps/source/x.py"],
    ] {
        let ended = bench.gander(arguments);
        assert!(ended.code.is_some(), "{ended:?}");
    }
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let ledger = bench.ledger();
    let words = outcomes(&ledger);
    assert_eq!([&words["fine"], &words["source"], &words["build"]], ["changed"; 3], "pipes are left alone");
    for (name, file) in [("ignore", ".ignore"), ("gitignore", "sub/.gitignore")] {
        assert_eq!(words[name], "errored");
        let why = reason(&ledger, name);
        assert!(why.contains(file) && !why.contains(bench.root.to_str().unwrap()), "{why}");
    }
}

#[test]
fn a_catalog_that_explodes_is_reported_and_the_others_are_read() {
    let bench = Bench::new();
    bench.put(
        "migration.toml",
        "[migration]\nid = \"evil\"\ntitle = \"Read users_v2\"\nrules = [\"rules/evil.rhai\"]\n\
         [consumers]\nof = [\"resource:default/users-v1\"]\n[[consumers.from]]\ncatalog = \".\"\n\
         [[verify.step]]\nname = \"test\"\nrun = [\"true\"]\n[rollout]\nwaves = [\"100%\"]\n",
    );
    bench.put("rules/evil.rhai", GOOD_RULE);
    let component = |name: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n\
             spec:\n  type: service\n  owner: a\n  lifecycle: production\n  dependsOn: [\"resource:users-v1\"]\n"
        )
    };
    bench.put("apps/fine/catalog-info.yaml", component("fine"));
    bench.put("apps/fine/job.py", JOB);
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{inner}]\n");
    }
    bench.put("apps/bomb/catalog-info.yaml", bomb);
    bench.put("apps/deep/catalog-info.yaml", "[".repeat(100_000));
    bench.put("apps/wide/catalog-info.yaml", "- x\n".repeat(1 << 20));
    bench.put("apps/garbage/catalog-info.yaml", [0xFF, 0x00, 0xC3, 0x28]);
    let begun = Instant::now();
    let ended = bench.gander(&["run"]).expect(4);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
    assert!(ended.peak < 300 << 10, "{} KiB", ended.peak);
    assert_eq!(outcomes(&bench.ledger()).into_iter().collect::<Vec<_>>(), [("fine".to_owned(), "changed".to_owned())]);
    for command in ["run", "plan"] {
        let ended = bench.gander(&[command]);
        for name in ["bomb", "deep", "wide", "garbage"] {
            let place = format!("apps/{name}/catalog-info.yaml");
            assert!(ended.stderr.contains(&place), "{command} does not report {place}: {}", ended.stderr);
        }
    }
}

/// A step that calls the listener and writes wherever it can; red unless its own
/// folder can be written.
fn reach_out(bench: &Bench, port: u16) {
    let outside = bench.root.join("outside");
    let outside = outside.to_str().unwrap();
    let step = format!(
        "git ls-remote git://127.0.0.1:{port}/x 2>&1; \
         echo evil > {outside}/new; echo evil > {outside}/victim; rm -rf {outside}/folder; \
         echo evil > ../hit; echo evil > ../../hit; echo evil > ../../outside/relative; \
         echo evil > /tmp/gander-evil-{port}; echo evil > here"
    );
    migration(bench, &step, GOOD_RULE);
    bench.put("apps/builder/job.py", JOB);
    bench.put("outside/victim", "kept");
    bench.put("outside/folder/victim", "kept");
}

/// What a call to the listener leaves, and files in the machine's `/tmp`.
fn reached(listener: &TcpListener, port: u16) -> bool {
    listener.accept().is_ok() || Path::new(&format!("/tmp/gander-evil-{port}")).exists()
}

#[test]
fn a_step_reaches_neither_the_network_nor_the_files_outside() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let bench = Bench::new();
    reach_out(&bench, port);
    let before = (stats(&bench.root.join("outside")), tree(&bench.root));
    bench.gander(&["run"]).expect(0);
    assert!(!reached(&listener, port));
    assert_eq!((stats(&bench.root.join("outside")), tree(&bench.root)), before);
    let ledger = bench.ledger();
    assert_eq!(
        outcomes(&ledger)["builder"],
        "changed",
        "its own folder can be written: {}",
        reason(&ledger, "builder")
    );
    let pins = tree(&bench.root.join(".gander/evil").join("pins"));
    assert!(pins.keys().all(|path| !path.ends_with("here") && !path.contains("hit")), "{:?}", pins.keys());
}

#[test]
fn the_same_step_bites_where_nothing_holds_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || drop(listener.accept()));
    let bench = Bench::new();
    reach_out(&bench, port);
    bench.gander(&["run", "--sandbox", "none"]).expect(0);
    assert_eq!(bench.text("outside/victim"), "evil\n");
    assert!(!bench.root.join("outside/folder").exists());
    answering.join().unwrap();
    let _ = std::fs::remove_file(format!("/tmp/gander-evil-{port}"));
}

#[test]
fn a_repository_that_names_programs_runs_none_of_them() {
    let bench = Bench::new();
    migration(&bench, "test -s job.py", GOOD_RULE);
    bench.put("apps/hooked/job.py", JOB);
    bench.put("apps/hooked/.gitattributes", "*.py filter=evil diff=evil\n");
    bench.commit_all();
    let mark = bench.root.join("outside-mark");
    let evil = format!("sh -c 'touch {}; cat'", mark.display());
    for (key, value) in [
        ("core.fsmonitor", evil.as_str()),
        ("filter.evil.clean", &evil),
        ("filter.evil.smudge", &evil),
        ("filter.evil.process", &evil),
        ("diff.external", &evil),
        ("diff.evil.textconv", &evil),
        ("core.pager", &evil),
        ("core.sshCommand", &evil),
    ] {
        git(&bench.root, &["config", key, value]);
    }
    bench.put(".git/hooks/post-checkout", format!("#!/bin/sh\ntouch {}\n", mark.display()));
    bench.put(".git/hooks/reference-transaction", format!("#!/bin/sh\ntouch {}\n", mark.display()));
    for hook in ["post-checkout", "reference-transaction"] {
        let place = bench.root.join(".git/hooks").join(hook);
        std::fs::set_permissions(place, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let text = bench.text("migration.toml");
    for how in ["patches", "branch", "checkout"] {
        let named = text.replace("id = \"evil\"", &format!("id = \"evil-{how}\""));
        let deliver = format!("[deliver]\nhow = \"{how}\"\nauthor = \"A <a@example.org>\"\n");
        bench.put("migration.toml", [named, deliver].concat());
        let ended = bench.gander(&["run"]);
        assert!(!mark.exists(), "{how}: a program of the repository was run: {}", ended.stderr);
        assert_eq!(outcomes(&bench.ledger())["hooked"], "changed", "{how}: {}", ended.stderr);
    }
}
