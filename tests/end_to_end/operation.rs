//! The person on call: why, what happened, what a rollback would come to, what can go.

use super::bench::{Bench, outcomes};

const RULES: &str = "
rule(\"small/table\").lang(\"python\").find(\"read_table($T)\").where(#{ T: key_of(mapping(\"users\").tables) })
    .rewrite(|m, cx| code(\"read_table($T)\", #{ T: lit(mapping(\"users\").tables[m.T.value]) }));
rule(\"small/ask\").lang(\"python\").find(\"referrer($X)\").annotate(\"somebody has to decide\");
rule(\"small/gone\").lang(\"python\").find(\"legacy($X)\").delete();
rule(\"small/risky\").lang(\"python\").safety(\"review\").find(\"risky($X)\").replace(\"safe($X)\");
";

fn fleet(more: &str) -> Bench {
    let bench = Bench::new();
    bench.put(
        "migration.toml",
        format!(
            "[migration]\nid = \"small\"\ntitle = \"Read users_v2\"\nrules = [\"small.rhai\"]\n\
             [mappings]\nusers = \"users.toml\"\n[[consumers.from]]\nfolders = [\"apps/*\"]\n\
             [[verify.step]]\nname = \"test\"\nrun = [\"sh\", \"-c\", \"test -s job.py\"]\n\
             [deliver]\nhow = \"checkout\"\n\
             {more}\n[rollout]\nwaves = [\"100%\"]\nrevertible_until = 2099-12-31\n"
        ),
    );
    bench.put("small.rhai", RULES);
    bench.put("users.toml", "[tables]\nusers_v1 = \"users_v2\"\nplans_v1 = \"plans_v2\"\n");
    bench.put(".gitignore", ".gander\n");
    bench.put(
        "apps/ant/job.py",
        "import os\nrows = read_table(\"users_v1\")\nreferrer(1)\nmore = read_table(\"plans_v1\")\n",
    );
    bench.put("apps/bee/job.py", "risky(1)\n");
    bench.commit_all();
    bench
}

#[test]
fn why_names_rule_match_mapping_and_evidence() {
    let bench = fleet("");
    bench.gander(&["run"]);
    let all = bench.gander(&["why", "ant"]).expect(0).stdout;
    let part = "job.py:2  small/table, match 1\n  - rows = read_table(\"users_v1\")\n  + rows = read_table(\"users_v2\")\n  \
                mapping   users.tables.users_v1 = \"users_v2\"\n";
    assert!(all.contains(part), "{all}");
    assert!(all.contains("annotated: somebody has to decide [small/ask]"), "{all}");
    assert!(all.contains("verified: "), "{all}");
    let line = bench.gander(&["why", "ant", "job.py:2"]).expect(0).stdout;
    assert!(line.contains("users_v2") && !line.contains("plans_v2") && !line.contains("somebody"), "{line}");
    let json = bench.gander(&["why", "ant", "job.py", "--json"]).expect(0).json();
    assert_eq!(json["reasons"].as_array().unwrap().len(), 3, "{json:#}");
    // Code is shown as it stands.
    bench.put(
        "apps/cat/job.py",
        "if True:\n    rows = read_table( \"users_v1\" )  #  as ever\n    legacy(1)\n    rows.close()\n",
    );
    bench.commit_all();
    bench.gander(&["run"]);
    let spaced = bench.gander(&["why", "cat"]).expect(0).stdout;
    assert!(spaced.contains("  -     rows = read_table( \"users_v1\" )  #  as ever\n"), "{spaced}");
    // What goes as a whole line says nothing of the next one.
    assert!(spaced.contains("job.py:3  small/gone, match 1\n  -     legacy(1)\n\n"), "{spaced}");
    bench.gander(&["why", "ant", "job.py:1"]).expect(1);
    bench.gander(&["why", "nobody"]).expect(2);
    let nowhere = bench.gander(&["why", "ant", "nofile.py"]).expect(2);
    assert!(nowhere.stderr.contains("there is no file nofile.py"), "{}", nowhere.stderr);
}

#[test]
fn rules_that_want_a_review_wait_for_a_person() {
    let bench = fleet("");
    bench.gander(&["run"]).expect(4);
    assert_eq!(outcomes(&bench.ledger())["bee"], "pending", "{:#}", bench.ledger());
    assert_eq!(bench.text("apps/bee/job.py"), "risky(1)\n");
    bench.gander(&["approve", "bee"]).expect(0);
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.text("apps/bee/job.py"), "safe(1)\n");
    let bench = fleet("[policy]\nreview = \"deliver\"\nweak = \"hold\"");
    bench.gander(&["run"]);
    // The test of `ant` would not notice a wrong name: it is held, and so is that of `bee`.
    assert_eq!(bench.text("apps/bee/job.py"), "risky(1)\n", "{:#}", bench.ledger());
    let bench = fleet("[policy]\nreview = \"deliver\"");
    bench.gander(&["run"]).expect(0);
    assert_eq!(bench.text("apps/bee/job.py"), "safe(1)\n");
}

#[test]
fn a_day_is_told_what_can_go_goes_and_a_rollback_has_its_time() {
    let bench = fleet("[policy]\nreview = \"deliver\"");
    bench.gander(&["run"]).expect(0);
    let told = bench.gander(&["digest", "--since", "24h"]).expect(0).stdout;
    assert!(told.contains("2  delivered: apps/ant, apps/bee"), "{told}");
    assert!(told.contains("wave 1  wave.pass"), "{told}");
    let json = bench.gander(&["digest", "--json"]).expect(0).json();
    assert_eq!(json["counts"]["verified"][0], 2, "{json:#}");
    let (text, json) = (bench.gander(&["history"]).stdout, bench.gander(&["history", "--json"]).expect(0).json());
    let events = json["events"].as_array().unwrap();
    assert_eq!((json["schema_version"].as_i64(), events.len()), (Some(1), text.lines().count()));
    assert_eq!((events[0]["seq"].as_i64(), events[0]["point"].as_str()), (Some(1), Some("bind")), "{:#}", events[0]);
    let of_one = bench.gander(&["history", "--consumer", "bee", "--json"]).expect(0).json();
    assert!((1..events.len()).contains(&of_one["events"].as_array().unwrap().len()), "{of_one:#}");
    bench.gander(&["digest", "--since", "soon"]).expect(2);
    let status = bench.gander(&["status"]).expect(0).stdout;
    assert!(status.contains("days are left to roll back (until 2099-12-31)"), "{status}");
    // A pinned tree of somebody who moved on since is nobody's any more.
    let pins = bench.root.join(".gander/small/pins");
    let needed = std::fs::read_dir(&pins).unwrap().count();
    std::fs::create_dir_all(pins.join("0123/x")).unwrap();
    std::fs::write(pins.join("0123/x/y"), "12345").unwrap();
    let dry = bench.gander(&["gc", "--dry-run"]).expect(0).stdout;
    assert!(dry.contains("5  pins/0123") && dry.contains("1 folder and 5 bytes would go"), "{dry}");
    assert!(pins.join("0123").exists());
    bench.gander(&["gc"]).expect(0);
    assert_eq!(std::fs::read_dir(&pins).unwrap().count(), needed);
    bench.gander(&["run"]).expect(0);
    // Once the day is over, a rollback has to be meant.
    bench.put("migration.toml", bench.text("migration.toml").replace("2099-12-31", "2020-01-01"));
    let dry = bench.gander(&["rollback", "--all", "--dry-run", "--json"]).expect(2);
    assert_eq!(dry.json()["end"]["kind"], "rolled-back", "{}", dry.stdout);
    bench.gander(&["rollback", "--all", "--dry-run", "--late"]).expect(0);
    assert!(dry.stderr.contains("2020-01-01 was the last day"), "{}", dry.stderr);
    let late = bench.gander(&["rollback", "--all"]).expect(2);
    assert!(late.stderr.contains("2020-01-01 was the last day"), "{}", late.stderr);
    assert_eq!(bench.text("apps/bee/job.py"), "safe(1)\n");
    bench.gander(&["rollback", "--all", "--late"]).expect(0);
    assert_eq!(bench.text("apps/bee/job.py"), "risky(1)\n");
    for arguments in [&["rollback", "--consumer", "cat", "--late"][..], &["rollback", "--wave", "7", "--late"]] {
        for dry in [&[][..], &["--dry-run"]] {
            bench.gander(&[arguments, dry].concat()).expect(2);
        }
    }
}

#[test]
fn descriptions_follow_the_migrations_template_and_name_code_owners() {
    let bench = fleet("template = \"pr.md.jinja\"\n[policy]\nreview = \"deliver\"");
    bench.put("CODEOWNERS", "* @everyone\n/apps/ant/ @ant-team\n");
    bench.put(
        "pr.md.jinja",
        "{{ title }} for {% for one in consumers %}{{ one.entity }}{% endfor %}\n\
         asked: {{ code_owners | join(' ') }}\n{% for one in left %}- {{ one.path }}:{{ one.line }} {{ one.message }}\n{% endfor %}{{ parts.back }}",
    );
    bench.commit_all();
    bench.gander(&["run"]).expect(0);
    let text = bench.text(".gander/small/change-sets/wave-1/ant/PULL_REQUEST.md");
    let head =
        "Read users_v2 for component:default/ant\nasked: @ant-team\n- job.py:3 somebody has to decide\n## Going back\n";
    assert!(text.starts_with(head), "{text}");
    let json = bench.text(".gander/small/change-sets/wave-1/bee/change.json");
    assert!(json.contains("\"code_owners\": [\n    \"@everyone\"\n  ]"), "{json}");
    // A mistake is found before anything is done.
    bench.put("pr.md.jinja", "{{ title }\n");
    let ended = bench.gander(&["run", "--replan"]);
    assert!(ended.stderr.contains("[deliver] template: ") && ended.stderr.contains("line 1"), "{}", ended.stderr);
    ended.expect(2);
}

#[test]
fn owners_opt_out_in_their_catalog() {
    let bench = fleet("");
    let catalog = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: ant\n  annotations:\n    \
                   gander/opt-out: being replaced in spring\nspec:\n  type: service\n  lifecycle: production\n  owner: team\n";
    bench.put("apps/ant/catalog-info.yaml", catalog);
    bench.commit_all();
    bench.gander(&["run"]);
    let ledger = bench.ledger();
    assert_eq!(outcomes(&ledger)["ant"], "refused", "{ledger:#}");
    assert!(super::bench::reason(&ledger, "ant").contains("being replaced in spring"), "{ledger:#}");
}

#[test]
fn what_waiting_does_not_mend_is_no_reason_to_wait() {
    let bench = fleet("[policy]\nreview = \"deliver\"");
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 7\n";
    bench.put("apps/bee/big.py", lfs);
    // Two that consume each other, as their catalog says.
    for (name, other) in [("ant", "bee"), ("bee", "ant")] {
        let text = format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: service\n  \
             lifecycle: production\n  owner: team\n  dependsOn: [\"component:default/{other}\", \"resource:default/old\"]\n"
        );
        bench.put(&format!("apps/{name}/catalog-info.yaml"), text);
    }
    let resource = "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: old\nspec:\n  type: table\n  owner: team\n";
    bench.put("apps/catalog-info.yaml", resource);
    let from = "[consumers]\nof = [\"resource:default/old\"]\n[[consumers.from]]\ncatalog = \"apps\"";
    bench.put(
        "migration.toml",
        bench.text("migration.toml").replace("[[consumers.from]]\nfolders = [\"apps/*\"]", from),
    );
    bench.commit_all();
    let ran = bench.gander(&["run"]).expect(0);
    assert!(ran.stderr.contains("depend on each other in a circle"), "{}", ran.stderr);
    // What could not be searched is left to a person.
    let said = super::bench::reason(&bench.ledger(), "bee").to_owned();
    assert!(said.contains("; 1 file could not be searched: `gander show bee`"), "{said}");
    assert!(bench.gander(&["show", "bee"]).stdout.contains("big.py"));
    assert!(bench.gander(&["todo"]).stdout.contains("1 file could not be searched"));
}

/// gander as somebody who may not do everything: with a full disk, or a folder that is not
/// to be written. In a user namespace; where there are none, the test says so and passes.
fn confined(bench: &Bench, script: &str) -> Option<String> {
    let probe = std::process::Command::new("unshare").args(["-rm", "true"]).output();
    if !probe.is_ok_and(|done| done.status.success()) {
        eprintln!("SKIPPED: this machine gives no user namespaces");
        return None;
    }
    let script = format!("set -e\ncd {}\nG={}\n{script}", bench.root.display(), env!("CARGO_BIN_EXE_gander"));
    let done = std::process::Command::new("unshare")
        .args(["-rm", "sh", "-c", &script])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    Some(format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr)))
}

#[test]
fn a_full_disk_and_a_read_only_folder_lose_nothing() {
    let bench = fleet("[policy]\nreview = \"deliver\"");
    bench.put("migration.toml", format!("{}\n[sandbox]\nmode = \"none\"\n", bench.text("migration.toml")));
    bench.commit_all();
    std::fs::create_dir_all(bench.root.join(".gander")).unwrap();
    // The state is on a disk that is full at every stage of a run, until somebody makes room.
    let full = "mount -t tmpfs -o size=32k none .gander\n\
                for size in 32k 128k 192k 256k 320k 384k 448k 512k 16m; do\n  \
                mount -o remount,size=$size .gander\n  code=0; $G run -q > out-$size 2>&1 || code=$?\n  echo run $code\n\
                done\ngrep -c users_v2 apps/ant/job.py\ngrep -c safe apps/bee/job.py\n\
                $G rollback --all -q > back 2>&1 && echo back\ngrep -c users_v1 apps/ant/job.py\n";
    if let Some(said) = confined(&bench, full) {
        let codes: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("run ")).collect();
        assert_eq!(codes.len(), 9, "{said}");
        assert!(codes[0] == "5" && codes.iter().all(|code| ["0", "4", "5", "7"].contains(code)), "{said}");
        let ended = said.ends_with("1\n1\nback\n1\n");
        assert!(codes[8] == "0" && ended, "{said}\n{}", bench.text("out-16m"));
    }
    // The consumer's folder is read-only: nothing of it is half written, and it goes on later.
    let bench = fleet("[policy]\nreview = \"deliver\"");
    bench.put("migration.toml", format!("{}\n[sandbox]\nmode = \"none\"\n", bench.text("migration.toml")));
    bench.commit_all();
    let locked = "mount --bind apps/ant apps/ant\nmount -o remount,bind,ro apps/ant\n\
                  $G run -q > first 2>&1 && echo FIRST PASSED || echo first $?\ngrep -c users_v1 apps/ant/job.py\n\
                  grep -c safe apps/bee/job.py\numount apps/ant\n\
                  $G run -q --retry > second 2>&1 && echo second 0 || echo second $?\ngrep -c users_v2 apps/ant/job.py\n";
    if let Some(said) = confined(&bench, locked) {
        assert!(said.contains("first 7\n1\n1\n"), "{said}\n{}", bench.text("first"));
        assert!(said.contains("second 0\n1\n"), "{said}\n{}", bench.text("second"));
    }
}
