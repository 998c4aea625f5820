//! Ways out that go past mounts and namespaces: links where something is mounted, system
//! calls that know no namespaces, memory that nobody maps, and results that are no files.

use super::*;
use gander::config::{Fetch, Seed};
use gander::sandbox::Job;
use gander::verify::{Subject, VerdictKind, verify};
use std::os::unix::fs::MetadataExt as _;

/// Mount points are made while the root of the host is still the root.
#[test]
fn links_lead_no_mount_out_of_the_sandbox() {
    let bench = Bench::new(&[("a", "a")]);
    let outside = bench.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let seed = bench.folder.path().join("schemas");
    put(&seed.join("users.json"), "schema\n");
    std::os::unix::fs::symlink(&outside, bench.tree().join("data")).unwrap();
    let seeded = |to: &str| Step {
        name: "seeded".to_owned(),
        seeds: vec![Seed { from: seed.clone(), to: to.to_owned() }],
        ..sh("true")
    };
    let link = |place: &str| sh(&format!("ln -s {} {place}", outside.display()));
    let crates = sh(&format!("mv ~/.cargo ~/x && ln -s {} ~/.cargo || ln -s {0} ~/.cargo", outside.display()));
    let attempts = [
        // The consumer brings the link along, or a step before leaves it.
        vec![seeded("data/schemas")],
        vec![link("~/.config"), seeded("~/.config/schemas")],
        vec![link("made"), seeded("made/schemas")],
        vec![link("~/schemas"), seeded("~/schemas")],
        vec![crates, sh("true")],
    ];
    for steps in attempts {
        let side = bench.side(&config(), &[], &steps);
        let last = side.steps.last().unwrap();
        let crates_are_there = last.name == "seeded" || matches!(last.end, StepEnd::NotStarted(_));
        assert!(
            !crates_are_there || matches!(&last.end, StepEnd::NotStarted(why) if why.contains("symbolic link")),
            "{side:?}"
        );
        let made: Vec<_> = std::fs::read_dir(&outside).unwrap().collect();
        assert!(made.is_empty(), "made on the host: {made:?}");
    }
    // In the open, the consumer's link is not followed either.
    let steps = [seeded("data/schemas")];
    assert!(bench.sandbox(&open()).run_side(&bench.tree(), &[], &steps).is_err());
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
    // Where there is no link, the same is shown.
    for to in ["deep/er/schemas", "~/.config/schemas"] {
        let place = to.replace('~', "$HOME");
        let step = Step { run: sh(&format!("cat {place}/users.json")).run, ..seeded(to) };
        assert_eq!(bench.one(&config(), step).output, "schema\n", "{to}");
    }
}

#[test]
fn caches_behind_links_are_shown_to_nobody() {
    let bench = Bench::new(&[("a", "a")]);
    let keys = bench.folder.path().join("home");
    put(&keys.join("keys/id"), "secret\n");
    let caches = vec!["~/.config/keys".to_owned(), "~/direct".to_owned(), "made/keys".to_owned()];
    let script = format!("ln -s {0} ~/.config; ln -s {0}/keys ~/direct; ln -s {0} made", keys.display());
    let steps = [Step { fetch: Some(Fetch { caches, ..Fetch::default() }), ..sh(&script) }];
    let tree = bench.tree();
    let job = Job { pinned_tree: &tree, changes: &[], steps: &steps, fetched: None, keep: None };
    let fetched = bench.sandbox(&config()).fetch(&job).unwrap();
    assert_eq!(fetched.steps[0].end, StepEnd::Exited(0), "{fetched:?}");
    assert!(fetched.shown.is_empty(), "{fetched:?}");
}

/// Prints what it could do, one word a line.
const CALLS: &str = r#"
#define _GNU_SOURCE
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <fcntl.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
int main(void) {
    char place[64], params[256] = {0}, log[64];
    if (socket(40, SOCK_STREAM, 0) >= 0) puts("vsock");
    if (socket(38, SOCK_SEQPACKET, 0) >= 0) puts("alg");
    if (syscall(425, 1, params) >= 0) puts("io_uring");
    if (syscall(SYS_syslog, 3, log, sizeof log) >= 0) puts("syslog");
    if (syscall(0x40000000 | SYS_socket, 40, SOCK_STREAM, 0) >= 0) puts("x32");
    snprintf(place, sizeof place, "device-%d", getpid());
    /* The null device. Landlock says no before anybody asks for privileges. */
    if (mknod(place, S_IFCHR, 0x103) == 0 || errno != EACCES) { puts("device"); unlink(place); }
    uint64_t args[11] = { CLONE_NEWUSER, 0, 0, 0, SIGCHLD };
    long child = syscall(435, args, sizeof args);
    if (child == 0) _exit(0);
    if (child > 0) { waitpid(child, 0, 0); puts("clone3"); }
    int listing = socket(AF_NETLINK, SOCK_RAW, 15); /* the kernel's events */
    if (listing < 0) puts("no netlink at all");
    return 0;
}"#;

#[test]
fn calls_that_know_no_namespaces_are_refused() {
    let bench = Bench::new(&[("calls.c", CALLS)]);
    let step = sh("cc -o calls calls.c && exec ./calls");
    let side = bench.side(&config(), &[], std::slice::from_ref(&step));
    let (inside, outside) = (&side.steps[0], bench.one(&open(), step));
    let fenced = side.enforced.iter().any(|name| name == "landlock");
    let expected = if fenced { "" } else { "device\n" };
    assert_eq!((&inside.end, inside.output.as_str()), (&StepEnd::Exited(0), expected), "{side:?}");
    let could: Vec<&str> = outside.output.lines().collect();
    println!("outside: {could:?}");
    // What a kernel has differs; no device is fenced off on any.
    assert!(could.contains(&"device"), "{outside:?}");
}

/// Takes 240 MiB in a way that shows in no process: `m` in files without a name, `s` in a
/// shared segment.
const HOARD: &str = r#"
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/shm.h>
int main(int argc, char **argv) {
    static char block[1 << 20];
    memset(block, 1, sizeof block);
    for (int file = 0; file < 24; file++) {
        if (*argv[1] == 'm') {
            int fd = memfd_create("x", 0);
            for (int i = 0; i < 10; i++) if (write(fd, block, sizeof block) < 0) return 9;
        } else {
            char *at = shmat(shmget(IPC_PRIVATE, 10 << 20, 0600), 0, 0);
            memset(at, 1, 10 << 20);
            shmdt(at);
        }
    }
    sleep(2);
    return 0;
}"#;

#[test]
fn memory_that_no_process_maps_counts() {
    let bench = Bench::new(&[("hoard.c", HOARD)]);
    for how in ["m", "s"] {
        let step = sh(&format!("cc -o hoard hoard.c && exec ./hoard {how}"));
        let roomy = bench.one(&config(), step.clone());
        assert_eq!(roomy.end, StepEnd::Exited(0), "{how}: {roomy:?}");
        let tight = bench.one(&SandboxConfig { memory: 100 << 20, ..config() }, step);
        assert_eq!(tight.end, StepEnd::OutOfMemory, "{how}: {tight:?}");
    }
}

/// Writes 30 MiB to a file that it has deleted and holds it: `o` open, `t` open in another
/// thread's own table, `m` mapped by one page. `s` makes it large without writing, and `d`
/// holds a third of it in twenty descriptors of two processes.
const HIDE: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
static int hidden(int blocks) {
    static char block[1 << 20];
    memset(block, 1, sizeof block);
    int fd = open("hidden", O_RDWR | O_CREAT | O_TRUNC, 0600);
    unlink("hidden");
    for (int i = 0; i < blocks; i++) if (write(fd, block, sizeof block) < 0) _exit(9);
    return fd;
}
static void *apart(void *how) {
    if (unshare(CLONE_FILES)) _exit(8);
    hidden(30);
    sleep(4);
    return how;
}
int main(int argc, char **argv) {
    pthread_t thread;
    switch (*argv[1]) {
    case 'o': hidden(30); break;
    case 't': pthread_create(&thread, 0, apart, 0); break;
    case 'm': {
        int fd = hidden(30);
        if (mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED) return 7;
        close(fd);
        break;
    }
    case 's': if (ftruncate(hidden(0), 300 << 20)) return 6; break;
    case 'd': {
        int fd = hidden(10);
        for (int i = 0; i < 19; i++) dup(fd);
        fork();
        break;
    }
    }
    sleep(4);
    return 0;
}"#;

#[test]
fn files_that_are_deleted_while_they_are_open_count() {
    let bench = Bench::new(&[("hide.c", HIDE)]);
    let small = |config| SandboxConfig { disk: 20 << 20, ..config };
    let step = |how: &str| sh(&format!("cc -pthread -o hide hide.c && exec ./hide {how}"));
    assert_eq!(bench.one(&config(), step("o")).end, StepEnd::Exited(0));
    for how in ["s", "d"] {
        let result = bench.one(&small(config()), step(how));
        assert_eq!(result.end, StepEnd::Exited(0), "{how}: {result:?}");
    }
    // Only root can look at what is mapped and closed. To others the file system as a whole
    // tells, which is not this test's alone.
    let root = std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0);
    let hidden: &[&str] = if root { &["o", "t", "m"] } else { &["o", "t"] };
    for config in [config(), open()] {
        for how in hidden {
            let result = bench.one(&small(config.clone()), step(how));
            assert!(matches!(&result.end, StepEnd::Killed(why) if why.contains("disk")), "{how}: {result:?}");
        }
    }
    // What lies in memory is counted there.
    let memory = "exec 3> /dev/shm/hidden; rm /dev/shm/hidden; head -c 30M /dev/urandom >&3; sleep 1";
    assert_eq!(bench.one(&small(config()), sh(memory)).end, StepEnd::Exited(0));
    let result = bench.one(&SandboxConfig { memory: 20 << 20, ..config() }, sh(memory));
    assert_eq!(result.end, StepEnd::OutOfMemory, "{result:?}");
}

/// Everything that can stand in the place of a result.
#[test]
fn results_that_are_no_files_are_not_read() {
    let bench = Bench::new(&[]);
    let secret = bench.folder.path().join("secret.xml");
    put(&secret, "<testsuite name=\"secret\"><testcase name=\"secret\"/></testsuite>");
    put(&bench.folder.path().join("folder/secret.xml"), "secret");
    let script = format!(
        "mkdir out; ln -s {0} out/link.xml; ln -s {1}/folder out/dir; mkfifo out/fifo.xml
         truncate -s 300G out/huge.xml; ln /usr/bin/env out/hard.xml; ln -s /proc/self/environ out/proc.xml
         printf x > \"$(printf 'out/line\\nbreak.xml')\"; printf x > \"$(printf 'out/\\033]0;t\\007.xml')\"
         mkdir out/folder.xml; exit 0",
        secret.display(),
        bench.folder.path().display()
    );
    let snapshot = vec!["out/**/*.xml".to_owned()];
    let step = Step { snapshot, results: vec!["out/**/*.xml".to_owned()], ..sh(&script) };
    let roomy = SandboxConfig { file_size: 1 << 40, ..config() };
    let side = bench.side(&roomy, &[], &[step]);
    assert_eq!(side.steps[0].end, StepEnd::Exited(0), "{side:?}");
    let names: Vec<&str> = side.left[0].files.keys().map(String::as_str).collect();
    assert_eq!(names, ["out/\u{1b}]0;t\u{7}.xml", "out/line\nbreak.xml"]);
}

/// What a parser may die of.
#[test]
fn results_that_are_bombs_are_passed_over() {
    let bench = Bench::new(&[]);
    let deep = "i=0; while [ $i -lt 17 ]; do x=\"$x$x\"; i=$((i + 1)); done";
    let bombs = [
        // Half a megabyte of suites within suites.
        format!("mkdir -p test-results; x='<testsuite name=\"a\">'; {deep}; printf %s \"$x\" > test-results/a.xml"),
        "mkdir -p test-results; printf '<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><testsuite name=\"&c;\"/>' > test-results/a.xml".to_owned(),
        "head -c 900000 /dev/zero | tr '\\0' '['".to_owned(),
        "printf '{\"Action\":\"fail\",\"Test\":'; head -c 900000 /dev/zero | tr '\\0' '['".to_owned(),
    ];
    for bomb in bombs {
        let changes = [changed("note", Some("changed\n"))];
        let (tree, steps) = (bench.tree(), [sh(&format!("{bomb}; exit 0"))]);
        let verdict = verify(&bench.sandbox(&config()), &Subject::new(&tree, &changes, &steps)).unwrap();
        assert_eq!(verdict.kind, VerdictKind::Pass, "{bomb}: {verdict:#?}");
        assert_eq!(verdict.tests, (0, 0), "{bomb}");
    }
}
