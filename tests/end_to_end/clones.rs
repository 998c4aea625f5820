//! Repositories cloned by the program: private ones, many at once, broken connections, a
//! process that is killed, and what their content and the user's configuration could start.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::bench::{Bench, git, outcomes};
use super::discovery::{DONE, JOB, migration};
use super::git_server::{GitServer, Manners, NAME, PASSWORD, repository};

/// A migration of every repository that is listed, by these lines under `[code]`.
fn listing(bench: &Bench, urls: &[String], code: &str) {
    bench.put("list.txt", urls.join("\n"));
    let from = format!("[[consumers.from]]\nrepositories = \"list.txt\"\n[code]\nclone = true\n{code}");
    migration(bench, &from, "[deliver]\nhow = \"branch\"");
}

const HTTP: &str = "protocols = [\"http\"]";

/// Whether any file below holds `text`.
fn holds(root: &Path, text: &str) -> Option<PathBuf> {
    let files = walkdir::WalkDir::new(root).into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
    let found = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    };
    files.map(walkdir::DirEntry::into_path).find(found)
}

/// The clone of a repository, by the name it has in the list.
fn clone_of(bench: &Bench, name: &str) -> PathBuf {
    let mut entries =
        std::fs::read_dir(bench.root.join(".gander/m/clones")).unwrap().map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| path.is_dir() && path.file_name().unwrap().to_str().unwrap().starts_with(name);
    entries.find(named).unwrap_or_else(|| panic!("no clone of {name}"))
}

#[test]
fn credentials_come_from_gits_own_helpers_and_are_kept_nowhere() {
    let bench = Bench::new();
    repository(&bench, "ant", &[("job.py", JOB)]);
    let server = GitServer::start(&bench.root.join("served"), Manners { private: true, ..Manners::default() });
    listing(&bench, &[format!("{}/ant", server.url)], HTTP);
    let none = bench.root.join("none.gitconfig");
    bench.put("none.gitconfig", "");
    let told = |config: &Path| {
        let begun = Instant::now();
        let ended = bench.gander_with(&[("GIT_CONFIG_GLOBAL", config.as_os_str())], &["run"]);
        assert!(begun.elapsed() < Duration::from_secs(60), "it waits for somebody");
        assert!(!ended.stdout.contains(PASSWORD) && !ended.stderr.contains(PASSWORD), "the password is shown");
        ended
    };
    let ended = told(&none).expect(4);
    assert!(ended.stderr.contains("no credential helper of git's has them: set one up"), "{}", ended.stderr);
    assert_eq!(outcomes(&bench.ledger())["ant"], "unresolved");
    // The store of git itself, which is named in the user's configuration.
    let helper = |password: &str| {
        let (scheme, host) = server.url.split_once("://").unwrap();
        bench.put("home/credentials", format!("{scheme}://{NAME}:{password}@{host}\n"));
        let store = bench.root.join("home/credentials");
        bench.put("home/gitconfig", format!("[credential]\n\thelper = store --file={}\n", store.display()));
        bench.root.join("home/gitconfig")
    };
    let ended = told(&helper("not-the-one")).expect(4);
    assert!(ended.stderr.contains("what git's credential helper gave was not accepted"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("not-the-one"), "{}", ended.stderr);
    told(&helper(PASSWORD)).expect(0);
    assert_eq!(outcomes(&bench.ledger())["ant"], "changed");
    assert_eq!(git(&clone_of(&bench, "ant"), &["show", "gander/m/ant:job.py"]), DONE);
    assert_eq!(holds(&bench.root.join(".gander"), PASSWORD), None, "the password is in the state");
    assert_eq!(holds(&bench.root.join(".gander"), "Z29vc2U6"), None, "the header is in the state");
    // A helper may live on variables: they reach it.
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    let script = format!("!f() {{ echo username={NAME}; echo password=$SECRET_OF_CI; }}; f");
    bench.put("home/gitconfig", format!("[credential]\n\thelper = \"{script}\"\n"));
    let config = bench.root.join("home/gitconfig");
    let variables = [("GIT_CONFIG_GLOBAL", config.as_os_str()), ("SECRET_OF_CI", OsStr::new(PASSWORD))];
    bench.gander_with(&variables, &["run"]).expect(0);
}

#[test]
fn so_many_are_cloned_at_once_and_not_more() {
    let bench = Bench::new();
    let names: Vec<String> = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"].map(str::to_owned).to_vec();
    names.iter().for_each(|name| drop(repository(&bench, name, &[("job.py", JOB)])));
    let server = GitServer::start(&bench.root.join("served"), Manners { gather: 3, ..Manners::default() });
    let urls: Vec<String> = names.iter().map(|name| format!("{}/{name}", server.url)).collect();
    listing(&bench, &urls, &format!("{HTTP}\njobs = 3"));
    let found = bench.gander(&["discover", "--format", "json"]).json();
    assert_eq!(found["workspaces"].as_array().unwrap().len(), 8, "{found:#}");
    assert_eq!(server.seen.most.load(Ordering::SeqCst), 3, "three at once, never four");
    let asked = server.asked().len();
    bench.gander(&["discover"]);
    assert_eq!(server.asked().len(), asked, "what is here is not asked for again");
}

#[test]
fn a_connection_that_breaks_is_made_again() {
    let bench = Bench::new();
    repository(&bench, "ant", &[("job.py", JOB)]);
    let server = GitServer::start(&bench.root.join("served"), Manners { cut: 2.into(), ..Manners::default() });
    listing(&bench, &[format!("{}/ant", server.url)], HTTP);
    bench.gander(&["run"]).expect(0);
    assert_eq!(server.manners.cut.load(Ordering::SeqCst), 0, "it was cut twice");
    // Too often: that is said, and the next run goes on.
    std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
    server.manners.cut.store(3, Ordering::SeqCst);
    let ended = bench.gander(&["run"]).expect(4);
    assert!(ended.stderr.contains("/ant: can't be cloned"), "{}", ended.stderr);
    bench.gander(&["run"]).expect(0);
    assert_eq!(outcomes(&bench.ledger())["ant"], "changed");
}

/// Ends every program that works below a folder at once, as a power cut does.
fn cut_the_power(root: &Path) {
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(root)) {
            let id = rustix::process::Pid::from_raw(id).unwrap();
            let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        }
    }
}

/// Whether any program works below a folder.
fn anybody(root: &Path) -> bool {
    let works =
        |entry: std::fs::DirEntry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(root));
    std::fs::read_dir("/proc").unwrap().flatten().any(works)
}

/// gander, once the server has stopped in the middle of a pack.
fn begun(bench: &Bench, server: &GitServer, command: &str) -> std::process::Child {
    let child = Command::new(env!("CARGO_BIN_EXE_gander"))
        .arg(command)
        .current_dir(&bench.root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !server.seen.stalled.load(Ordering::SeqCst) {
        assert!(begun.elapsed() < Duration::from_secs(60), "no pack was asked for");
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_clone_that_was_killed_is_finished_by_the_next_run() {
    let bench = Bench::new();
    repository(&bench, "ant", &[("job.py", JOB)]);
    repository(&bench, "bee", &[("job.py", JOB)]);
    let server = GitServer::start(&bench.root.join("served"), Manners { stall: true.into(), ..Manners::default() });
    listing(&bench, &[format!("{}/ant", server.url), format!("{}/bee", server.url)], &format!("{HTTP}\njobs = 1"));
    let mut child = begun(&bench, &server, "run");
    // git has to take its lock before it is killed.
    let (lock, begun) = (clone_of(&bench, "ant").join(".git/shallow.lock"), Instant::now());
    while !lock.exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no lock");
        std::thread::sleep(Duration::from_millis(10));
    }
    cut_the_power(&bench.root);
    child.wait().unwrap();
    server.manners.stall.store(false, Ordering::SeqCst);
    assert!(lock.exists(), "nothing is left of it: this test shows nothing");
    let begun = Instant::now();
    while anybody(&bench.root) {
        assert!(begun.elapsed() < Duration::from_secs(60), "somebody is left");
        std::thread::sleep(Duration::from_millis(10));
    }
    bench.gander(&["run"]).expect(0);
    let words = outcomes(&bench.ledger());
    assert_eq!((words["ant"].as_str(), words["bee"].as_str()), ("changed", "changed"));
    assert!(!lock.exists());
}

fn executable(bench: &Bench, path: &str, text: &str) -> PathBuf {
    bench.put(path, text);
    let place = bench.root.join(path);
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).unwrap();
    place
}

#[test]
fn ssh_asks_nobody_and_is_the_users_own() {
    let bench = Bench::new();
    let origin = repository(&bench, "ant", &[("job.py", JOB)]);
    let (log, ssh) = (bench.root.join("ssh.log"), bench.root.join("bin/ssh"));
    // It runs what it is asked to on this machine, and notes how it was called.
    let script = format!("#!/bin/sh\necho \"$@\" >> '{}'\nfor last; do :; done\nexec sh -c \"$last\"\n", log.display());
    executable(&bench, "bin/ssh", &script);
    let url = format!("ssh://git@code.example.org{}", origin.display());
    listing(&bench, &[url], "protocols = [\"ssh\"]");
    let with = |variables: &[(&str, &OsStr)]| {
        bench.gander_with(variables, &["run"]).expect(0);
        let called = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        std::fs::remove_dir_all(bench.root.join(".gander")).unwrap();
        assert!(called.lines().all(|line| line.contains("-oBatchMode=yes")), "{called}");
        called
    };
    let path = format!("{}:{}", ssh.parent().unwrap().display(), std::env::var("PATH").unwrap());
    with(&[("PATH", path.as_ref())]);
    let command = format!("{} -i mine", ssh.display());
    assert!(with(&[("GIT_SSH_COMMAND", command.as_ref())]).contains("-i mine"));
    bench.put("gitconfig", format!("[core]\n\tsshCommand = {} -i ours\n", ssh.display()));
    assert!(with(&[("GIT_CONFIG_GLOBAL", bench.root.join("gitconfig").as_os_str())]).contains("-i ours"));
}

/// What the user's git does to the content of repositories stays off: hooks, templates,
/// filters, submodules. How it reaches servers is the user's business, and is honoured.
#[test]
fn the_users_hooks_filters_and_templates_stay_off_and_their_addresses_hold() {
    let bench = Bench::new();
    let inner = repository(&bench, "inner", &[("x", "1")]);
    let origin = repository(&bench, "ant", &[("job.py", JOB), (".gitattributes", "* filter=evil\n")]);
    git(&origin, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.to_str().unwrap(), "sub"]);
    git(&origin, &["commit", "-q", "-m", "two"]);
    let owned = bench.root.join("owned");
    let evil = format!("#!/bin/sh\necho \"$0\" >> '{}'\ncat\n", owned.display());
    let filter = executable(&bench, "home/filter", &evil);
    let ran = |name: &str| {
        let text = std::fs::read_to_string(&owned).unwrap_or_default();
        text.contains(name)
    };
    for folder in ["home/hooks", "home/template/hooks"] {
        for hook in ["post-checkout", "reference-transaction", "post-index-change"] {
            executable(&bench, &format!("{folder}/{hook}"), &evil.replace("\ncat", ""));
        }
    }
    let server = GitServer::start(&bench.root.join("served"), Manners::default());
    let home = bench.root.join("home");
    let config = |hooks: &str| {
        format!(
            "[init]\n\ttemplateDir = {home}/template\n{hooks}[filter \"evil\"]\n\tsmudge = {filter}\n\tclean = {filter}\n\
             \trequired = true\n[submodule]\n\trecurse = true\n[core]\n\tfsmonitor = {filter}\n\
             [url \"{url}/\"]\n\tinsteadOf = http://code.example.org/\n",
            home = home.display(),
            filter = filter.display(),
            url = server.url
        )
    };
    let hooks = format!("[core]\n\thooksPath = {}/hooks\n", home.display());
    bench.put("home/gitconfig", config(&hooks));
    listing(&bench, &["http://code.example.org/ant".to_owned()], HTTP);
    let variable = ("GIT_CONFIG_GLOBAL", home.join("gitconfig"));
    bench.gander_with(&[(variable.0, variable.1.as_os_str())], &["run"]).expect(0);
    let clone = clone_of(&bench, "ant");
    assert_eq!(git(&clone, &["show", "gander/m/ant:job.py"]), DONE);
    assert!(!clone.join("sub/x").exists(), "a submodule was fetched");
    assert!(!owned.exists(), "it ran: {}", std::fs::read_to_string(&owned).unwrap());
    // Both traps work: the user's own git falls into them.
    for (name, hooks) in [("home/hooks/post-checkout", hooks.as_str()), ("/.git/hooks/post-checkout", "")] {
        bench.put("home/gitconfig", config(hooks));
        let place = bench.root.join(format!("by-hand-{}", hooks.len()));
        let cloned = Command::new("git")
            .args(["clone", "-q", "http://code.example.org/ant"])
            .arg(&place)
            .env("GIT_CONFIG_GLOBAL", &variable.1)
            .output()
            .unwrap();
        assert!(ran("post-checkout") && ran("home/filter"), "{name}: {}", String::from_utf8_lossy(&cloned.stderr));
        std::fs::remove_file(&owned).unwrap();
    }
}

#[test]
fn ctrl_c_ends_a_clone_and_leaves_nobody_behind() {
    let bench = Bench::new();
    repository(&bench, "ant", &[("job.py", JOB)]);
    let server = GitServer::start(&bench.root.join("served"), Manners { stall: true.into(), ..Manners::default() });
    listing(&bench, &[format!("{}/ant", server.url)], HTTP);
    let mut child = begun(&bench, &server, "discover");
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() || anybody(&bench.root) {
        assert!(begun.elapsed() < Duration::from_secs(60), "somebody goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// Text that hardly gets smaller.
fn noise(bytes: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut text = String::with_capacity(bytes + 16);
    while text.len() < bytes {
        (state, _) = state.overflowing_mul(6_364_136_223_846_793_005);
        state = state.wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{state:016x}"));
    }
    text
}

#[test]
fn no_server_fills_the_disk() {
    let bench = Bench::new();
    repository(&bench, "ant", &[("job.py", JOB)]);
    repository(&bench, "flood", &[("job.py", JOB), ("noise.txt", &noise(16 << 20))]);
    // Little to send, and much to write.
    repository(&bench, "bomb", &[("job.py", JOB), ("zeros.txt", &"0".repeat(64 << 20))]);
    let manners = Manners { stall: true.into(), stall_over: 1 << 20, ..Manners::default() };
    let server = GitServer::start(&bench.root.join("served"), manners);
    let urls = ["ant", "bomb", "flood"].map(|name| format!("{}/{name}", server.url));
    listing(&bench, &urls, &format!("{HTTP}\ndisk = \"2MiB\""));
    let ended = bench.gander(&["run"]).expect(4);
    assert!(server.seen.stalled.load(Ordering::SeqCst), "git was not in the middle of a pack");
    let words = outcomes(&bench.ledger());
    assert_eq!(["ant", "bomb", "flood"].map(|name| words[name].as_str()), ["changed", "unresolved", "unresolved"]);
    for name in ["bomb", "flood"] {
        let said = format!("/{name}: can't be cloned (`git` was killed: ");
        assert!(ended.stderr.contains(&said), "{}", ended.stderr);
    }
    assert!(
        ended.stderr.contains("takes more than 2 MiB of disk): give a clone more room with `disk`"),
        "{}",
        ended.stderr
    );
    let left = std::fs::read_dir(bench.root.join(".gander/m/clones")).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<String> = left.map(|name| name.into_string().unwrap()).collect();
    assert!(left.iter().all(|name| name.starts_with("ant-")), "{left:?}");
    // Whoever trusts them gives them room.
    server.manners.stall.store(false, Ordering::SeqCst);
    listing(&bench, &urls, &format!("{HTTP}\ndisk = \"512MiB\""));
    bench.gander(&["run", "--replan"]).expect(0);
}
