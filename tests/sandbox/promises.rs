//! Each promise, attacked from inside. Where the same attempt is harmless without
//! the sandbox it is made there too, and must succeed: it proves that the test bites.

use super::*;
use gander::process::{Invocation, ProcessError};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Stdio;
use std::time::Instant;

const REACH: &str = r#"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(atoi(argv[2])) };
    inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
    if (!strcmp(argv[1], "tcp"))
        return connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&in, sizeof in) ? 1 : 0;
    if (!strcmp(argv[1], "udp")) {
        int s = socket(AF_INET, SOCK_DGRAM, 0);
        char reply[8];
        struct timeval patience = { .tv_sec = 1 };
        setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (sendto(s, "ping", 4, 0, (void *)&in, sizeof in) < 0) return 1;
        return recv(s, reply, sizeof reply, 0) < 0 ? 2 : 0;
    }
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    strcpy(un.sun_path + 1, argv[2]);
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(argv[2]);
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&un, length) ? 1 : 0;
}
"#;

#[test]
fn network_is_off() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let name = format!("gander-test-{}", std::process::id());
    let abstract_name = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let _unix = UnixListener::bind_addr(&abstract_name).unwrap();
    let udp_port = udp.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut buffer = [0; 8];
        while let Ok((count, from)) = udp.recv_from(&mut buffer) {
            udp.send_to(&buffer[..count], from).unwrap();
        }
    });
    let bench = Bench::new(&[("reach.c", REACH)]);
    let attempts =
        [("tcp", tcp.local_addr().unwrap().port().to_string()), ("udp", udp_port.to_string()), ("abstract", name)];
    for (how, target) in attempts {
        let script = format!("cc -o reach reach.c && exec ./reach {how} {target}");
        let outside = bench.one(&open(), sh(&script));
        assert_eq!(outside.end, StepEnd::Exited(0), "{how}: {outside:?}");
        let inside = bench.one(&config(), sh(&script));
        assert!(matches!(inside.end, StepEnd::Exited(1 | 2)) && inside.output.is_empty(), "{how}: {inside:?}");
    }
}

#[test]
fn a_private_loopback_is_there_for_tests() {
    let server = r#"
#include <netinet/in.h>
#include <sys/socket.h>
int main(void) {
    struct sockaddr_in in = { .sin_family = AF_INET };
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof in;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(s, (void *)&in, sizeof in) || listen(s, 1)) return 1;
    getsockname(s, (void *)&in, &length);
    return connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&in, sizeof in) ? 2 : 0;
}"#;
    let bench = Bench::new(&[("s.c", server)]);
    let result = bench.one(&config(), sh("cc -o s s.c && exec ./s"));
    assert_eq!(result.end, StepEnd::Exited(0), "{result:?}");
}

#[test]
fn nothing_outside_can_be_written() {
    let bench = Bench::new(&[]);
    let outside = bench.folder.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    let script = format!("echo x > {}/file", outside.display());
    assert_ne!(bench.one(&config(), sh(&script)).end, StepEnd::Exited(0));
    assert!(!outside.join("file").exists());
    assert_eq!(bench.one(&open(), sh(&script)).end, StepEnd::Exited(0));
    assert!(outside.join("file").exists());
    for place in [
        "/usr/gander-test",
        "/usr/bin/sh",
        "/etc/passwd",
        "/gander-test",
        "/dev/gander-test",
        "/.gander/init",
        "/proc/sys/kernel/core_pattern",
        "/proc/sys/kernel/pid_max",
        "/proc/sysrq-trigger",
    ] {
        let result = bench.one(&config(), sh(&format!(": >> {place}")));
        assert_ne!(result.end, StepEnd::Exited(0), "{place}");
    }
    assert!(!Path::new("/usr/gander-test").exists());
}

#[test]
fn read_only_mounts_cannot_be_opened_again() {
    let bench = Bench::new(&[]);
    for script in [
        "mount -o remount,rw /usr",
        "umount /proc",
        "mount -t tmpfs x /mnt",
        "unshare -r true",
        "unshare -rm mount -o remount,bind,rw /usr",
        "chroot / true",
        "mknod x b 8 0",
    ] {
        let result = bench.one(&config(), sh(script));
        assert_ne!(result.end, StepEnd::Exited(0), "{script}: {result:?}");
    }
}

#[test]
fn keys_and_accounts_cannot_be_read() {
    let bench = Bench::new(&[]);
    let key = bench.folder.path().join("home/.ssh/id_ed25519");
    put(&key, "secret\n");
    let script = format!("cat {}", key.display());
    assert_eq!(bench.one(&open(), sh(&script)).output, "secret\n");
    let inside = bench.one(&config(), sh(&script));
    assert!(!inside.output.contains("secret"), "{inside:?}");
    for hidden in ["/etc/shadow", "/root/.ssh", "/root/.bashrc", "/var/log", "/var/lib", "/run", "/sys", "/boot"] {
        let result = bench.one(&config(), sh(&format!("ls -d {hidden}")));
        assert_ne!(result.end, StepEnd::Exited(0), "{hidden}: {result:?}");
    }
    // The home folder that Rust may lie in shows Rust, and nothing else.
    let script = "for d in /root/.cargo /home/*/.cargo; do ls -A $d 2>/dev/null; done; ls -A /root 2>/dev/null; true";
    let result = bench.one(&config(), sh(script));
    for name in result.output.split_whitespace() {
        assert!(["bin", "registry", "git", ".cargo", ".rustup"].contains(&name), "{name}");
    }
}

#[test]
fn keyrings_cannot_be_used() {
    let source = r#"
#include <sys/syscall.h>
#include <unistd.h>
int main(void) {
    const int OWN_PROCESS = -2;
    if (syscall(SYS_add_key, "user", "gander-test", "x", 1, OWN_PROCESS) >= 0) return 3;
    return syscall(SYS_keyctl, 0, OWN_PROCESS, 1) >= 0 ? 4 : 0;
}"#;
    let bench = Bench::new(&[("k.c", source)]);
    let steps = [sh("cc -o k k.c && exec ./k"), sh("cat /proc/keys")];
    let inside = bench.side(&config(), &[], &steps).steps;
    assert_eq!(inside[0].end, StepEnd::Exited(0), "{inside:?}");
    assert_eq!(inside[1].output, "");
    let outside = bench.one(&open(), steps[0].clone());
    assert_eq!(outside.end, StepEnd::Exited(3), "{outside:?}");
}

#[test]
fn processes_of_the_machine_cannot_be_seen() {
    let bench = Bench::new(&[]);
    let mut witness =
        Invocation::new("sleep").arg("4242.4242").spawn(Stdio::null(), Stdio::null(), Stdio::null()).unwrap();
    let script = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
    let outside = bench.one(&open(), sh(script));
    let inside = bench.one(&config(), sh(script));
    let signalled = bench.one(&config(), sh(&format!("kill -9 {}", witness.id())));
    let alive = witness.try_wait().unwrap().is_none();
    witness.kill().unwrap();
    witness.wait().unwrap();
    // Everything is more than the 16 KiB that are kept: look for any process of the machine.
    assert!(outside.output.len() > inside.output.len(), "{outside:?}");
    assert!(!inside.output.contains("4242.4242"));
    assert!(alive && signalled.end != StepEnd::Exited(0), "{signalled:?}");
    let count = bench.one(&config(), sh("ls -d /proc/[0-9]* | wc -l"));
    let count: u32 = count.output.trim().parse().unwrap();
    assert!(count <= 5, "{count} processes in an empty sandbox");
}

#[test]
fn the_first_process_cannot_be_attacked() {
    let bench = Bench::new(&[]);
    // At once: it has only just started this step.
    for signal in ["KILL", "STOP", "TERM", "HUP", "INT", "CHLD", "SEGV", "USR1"] {
        let kill = step("kill", &["sh", "-c", &format!("kill -{signal} 1; exit 0")]);
        for _ in 0..4 {
            let result = bench.one(&config(), kill.clone());
            assert_eq!(result.end, StepEnd::Exited(0), "{signal}: {result:?}");
        }
    }
    let script = "
        cat /proc/1/environ && exit 3; ls -l /proc/1/fd/ | grep socket && exit 4
        echo x > /proc/1/fd/0 && exit 5; echo x > /proc/1/mem && exit 6; exit 0";
    let result = bench.one(&config(), sh(script));
    assert_eq!(result.end, StepEnd::Exited(0), "{result:?}");
}

#[test]
fn daemons_end_with_their_step() {
    for (config, mark) in [(config(), mark(86391)), (open(), mark(86392))] {
        let bench = Bench::new(&[]);
        let daemon = format!(
            "setsid sh -c 'trap \"\" TERM HUP; sleep {mark}; sleep {mark}' >/dev/null 2>&1 </dev/null & sleep 0.1; ls -d /proc/[0-9]* | wc -l"
        );
        let steps = [sh(&daemon), sh("ls -d /proc/[0-9]* | wc -l")];
        let side = bench.side(&config, &[], &steps);
        assert_eq!(side.steps[0].end, StepEnd::Exited(0));
        assert_eq!(running(&mark), Vec::<i32>::new(), "{side:?}");
        if config.mode == SandboxMode::Namespaces {
            let count = |index: usize| side.steps[index].output.trim().parse::<u32>().unwrap();
            assert!(count(0) > count(1), "{side:?}");
        }
    }
    // Started as anyone would, the same daemon stays.
    let mark = mark(86394);
    Invocation::new("sh").args(["-c", &format!("setsid sleep {mark} >/dev/null 2>&1 &")]).run().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let left = running(&mark);
    for pid in &left {
        Invocation::new("kill").arg(pid.to_string()).run().unwrap();
    }
    assert_eq!(left.len(), 1);
}

#[test]
fn time_limits_hold_against_stubborn_steps() {
    let bench = Bench::new(&[]);
    for config in [config(), open()] {
        for script in [
            "sleep MARK",
            "trap '' TERM INT HUP; while :; do sleep MARK; done",
            "setsid sleep MARK & sleep MARK",
            "exec >/dev/null 2>&1; while :; do :; done",
            "kill -STOP $$",
        ] {
            let started = Instant::now();
            let mark = mark(86395);
            let step = Step { timeout: Duration::from_millis(300), ..sh(&script.replace("MARK", &mark)) };
            let result = bench.one(&config, step);
            assert_eq!(result.end, StepEnd::TimedOut, "{script}: {result:?}");
            assert!(started.elapsed() < Duration::from_secs(5), "{script}");
            assert_eq!(running(&mark), Vec::<i32>::new(), "{script}");
        }
    }
}

#[test]
fn memory_is_limited_over_all_processes() {
    let bench = Bench::new(&[]);
    let tight = |memory: u64| SandboxConfig { memory: memory << 20, ..config() };
    // tail must keep what has no line end.
    let one = sh("head -c 300M /dev/zero | tail | wc -c");
    assert_eq!(bench.one(&tight(2000), one.clone()).end, StepEnd::Exited(0));
    assert_eq!(bench.one(&tight(100), one.clone()).end, StepEnd::OutOfMemory);
    // Ten of 30 MB each: none is large.
    let many = sh("for i in 1 2 3 4 5 6 7 8 9 10; do (head -c 30M /dev/zero; sleep 5) | tail >/dev/null & done; wait");
    assert_eq!(bench.one(&tight(120), many).end, StepEnd::OutOfMemory);
    let unisolated = SandboxConfig { memory: 100 << 20, ..open() };
    assert_eq!(bench.one(&unisolated, one).end, StepEnd::OutOfMemory);
}

#[test]
fn files_in_memory_count_as_memory() {
    let bench = Bench::new(&[]);
    for folder in ["/tmp", "/dev/shm"] {
        let step = sh(&format!("head -c 150M /dev/zero > {folder}/x && sleep 1"));
        let roomy = bench.one(&config(), step.clone());
        assert_eq!(roomy.end, StepEnd::Exited(0), "{roomy:?}");
        let config = SandboxConfig { memory: 100 << 20, ..config() };
        let tight = bench.one(&config, step);
        assert!(tight.end != StepEnd::Exited(0), "{folder}: {tight:?}");
    }
}

#[test]
fn a_fork_bomb_is_bounded_and_ends() {
    let bench = Bench::new(&[]);
    let config = SandboxConfig { processes: 60, ..config() };
    let mark = mark(86393);
    let bomb = format!("f() {{ f | f & f & }}; f; sleep {mark}");
    let started = Instant::now();
    let bomb = Step { timeout: Duration::from_secs(5), ..sh(&bomb) };
    // It may be over before the watch has looked: then the kernel has refused it.
    let result = bench.one(&config, bomb);
    assert_ne!(result.end, StepEnd::Exited(0), "{result:?}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(running(&mark), Vec::<i32>::new());
    let many = sh("i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i + 1)); done; wait");
    for config in [&config, &SandboxConfig { processes: 60, ..open() }] {
        let result = bench.one(config, many.clone());
        assert!(matches!(&result.end, StepEnd::Killed(why) if why.contains("processes")), "{result:?}");
    }
    let few = sh("for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2 & done; wait");
    assert_eq!(bench.one(&config, few).end, StepEnd::Exited(0));
}

#[test]
fn the_kernel_bounds_threads_and_processes_too() {
    let source = r#"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/wait.h>
int main(void) {
    int started = 0;
    for (; started < 20000; started++) {
        pid_t pid = fork();
        if (pid < 0) { printf("refused after %d\n", started); return 0; }
        if (pid == 0) _exit(0); /* a zombie takes a process id, and no watch counts it */
    }
    return 1;
}"#;
    let bench = Bench::new(&[("z.c", source)]);
    // Far more than can be alive at once here: the watch must not be what ends it.
    let config = SandboxConfig { processes: 400, ..config() };
    let result = bench.one(&config, sh("cc -o z z.c && exec ./z"));
    assert_eq!(result.end, StepEnd::Exited(0), "{result:?}");
    assert!(result.output.contains("refused after"), "{result:?}");
}

#[test]
fn floods_of_output_are_drained_and_the_end_is_kept() {
    let bench = Bench::new(&[]);
    let flood = sh("head -c 50000000 /dev/zero | tr '\\0' x; echo; echo the end >&2");
    for config in [config(), open()] {
        let result = bench.one(&config, flood.clone());
        assert_eq!(result.end, StepEnd::Exited(0));
        assert!(result.output.len() <= 16 << 10);
        assert!(result.output.contains("bytes were dropped"));
        assert!(result.output.ends_with("xxx\nthe end\n"));
    }
}

#[test]
fn computing_and_large_files_are_limited() {
    let bench = Bench::new(&[]);
    for (config, roomy) in [(config(), config()), (open(), open())] {
        let cpu = SandboxConfig { cpu: Duration::from_millis(300), ..config.clone() };
        let result = bench.one(&cpu, sh("while :; do :; done"));
        assert!(matches!(&result.end, StepEnd::Killed(why) if why.contains("CPU")), "{result:?}");
        let size = SandboxConfig { file_size: 1 << 20, ..config };
        let write = step("dd", &["dd", "if=/dev/zero", "of=file", "bs=1M", "count=5"]);
        let result = bench.one(&size, write.clone());
        assert!(matches!(&result.end, StepEnd::Killed(why) if why.contains("file")), "{result:?}");
        assert_eq!(bench.one(&roomy, write).end, StepEnd::Exited(0));
    }
}

#[test]
fn there_is_no_terminal_and_nothing_to_read() {
    let bench = Bench::new(&[]);
    let result = bench.one(&config(), sh("cat; tty; : < /dev/tty"));
    assert_ne!(result.end, StepEnd::Exited(0));
    assert!(result.output.contains("not a tty"), "{result:?}");
}

/// A run of this program that is started from a terminal, with one step that opens it.
#[test]
#[ignore = "started by another test, on a terminal"]
fn a_run_on_a_terminal() {
    let Some(mode) = std::env::var_os("GANDER_TEST_TERMINAL") else {
        return;
    };
    let config = if mode == "open" { open() } else { config() };
    let result = Bench::new(&[]).one(&config, sh(": < /dev/tty"));
    println!("on a terminal: {:?}", result.end);
}

#[test]
fn a_terminal_cannot_be_reached() {
    for (mode, end) in [("open", "Exited(0)"), ("closed", "Exited(2)")] {
        let run = format!(
            "{} --ignored --exact --nocapture promises::a_run_on_a_terminal",
            std::env::current_exe().unwrap().display()
        );
        let output = Invocation::new("script")
            .args(["-qec", &run, "/dev/null"])
            .env("GANDER_TEST_TERMINAL", mode)
            .env("GANDER_TEST_EXE", exe())
            .run();
        let output = match output {
            Err(ProcessError::Missing { .. }) => {
                eprintln!("not tried: there is no script(1) on this machine");
                return;
            }
            output => output.unwrap(),
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(&format!("on a terminal: {end}")), "{mode}: {said}");
    }
}

#[test]
fn what_is_required_is_checked() {
    let bench = Bench::new(&[]);
    let requiring = |names: &[&str], config: SandboxConfig| SandboxConfig {
        require: names.iter().map(|name| (*name).to_owned()).collect(),
        ..config
    };
    let kept = requiring(&["network-off", "memory-limit"], config());
    bench.sandbox(&kept).check().unwrap();
    let unknown = requiring(&["tea"], config());
    let error = bench.sandbox(&unknown).check().unwrap_err().to_string();
    assert!(error.contains("tea"), "{error}");
    let open = requiring(&["network-off"], open());
    let error = bench.sandbox(&open).check().unwrap_err().to_string();
    assert!(error.contains("network-off"), "{error}");
    assert!(bench.sandbox(&super::open()).check().unwrap().is_empty());
}

/// Types into the terminal that it runs on, or tries to on whatever its output is.
const TYPE: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
int main(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) return 9;
    setsid();
    int slave = open(ptsname(master), O_RDWR);
    if (slave < 0) return 8;
    ioctl(slave, TIOCSCTTY, 0);
    char c = 'x';
    if (!ioctl(slave, TIOCSTI, &c)) return 0;
    return errno == EPERM ? 3 : 4;
}"#;

#[test]
fn nothing_can_be_typed_into_a_terminal() {
    let bench = Bench::new(&[("t.c", TYPE)]);
    let script = sh("cc -o t t.c && exec ./t");
    let outside = bench.one(&open(), script.clone());
    // Since Linux 6.2 a machine may refuse it to everyone but root, and with EIO.
    let bites = [StepEnd::Exited(0), StepEnd::Exited(4)];
    assert!(bites.contains(&outside.end), "{outside:?}");
    assert_eq!(bench.one(&config(), script).end, StepEnd::Exited(3));
}

#[test]
fn user_namespaces_cannot_be_nested() {
    let bench = Bench::new(&[]);
    let nest = sh("unshare -U true");
    let outside = bench.one(&open(), nest.clone());
    assert_eq!(outside.end, StepEnd::Exited(0), "{outside:?}");
    assert_ne!(bench.one(&config(), nest).end, StepEnd::Exited(0));
}

#[test]
fn a_silent_step_is_ended_and_a_talking_one_is_not() {
    let bench = Bench::new(&[]);
    for config in [config(), open()] {
        let quiet = SandboxConfig { silence: Some(Duration::from_millis(1500)), ..config.clone() };
        let result = bench.one(&quiet, sh("echo begun; sleep 40"));
        assert!(matches!(&result.end, StepEnd::Killed(why) if why.contains("silence")), "{result:?}");
        assert_eq!(result.output, "begun\n");
        // Longer than the limit in all, but never silent for so long.
        let result = bench.one(&quiet, sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo $i; sleep 0.2; done"));
        assert_eq!(result.end, StepEnd::Exited(0), "{result:?}");
        let result = bench.one(&config, sh("sleep 2"));
        assert_eq!(result.end, StepEnd::Exited(0), "{result:?}");
    }
}

#[test]
fn the_disk_is_limited_over_all_files_and_steps() {
    let bench = Bench::new(&[]);
    let write = "i=0; while [ $i -lt 40 ]; do head -c 1M /dev/urandom > f$i; i=$((i + 1)); done; exit 0";
    for config in [config(), open()] {
        assert_eq!(bench.one(&config, sh(write)).end, StepEnd::Exited(0));
        let small = SandboxConfig { disk: 10 << 20, ..config };
        for script in [write.to_owned(), write.replace("> f", "> $HOME/f")] {
            let result = bench.one(&small, sh(&script));
            assert!(matches!(&result.end, StepEnd::Killed(why) if why.contains("disk")), "{result:?}");
        }
        // No step is over the limit alone.
        let half = write.replace("40", "7");
        let steps = [sh(&half), Step { name: "more".to_owned(), ..sh(&half.replace("> f", "> g")) }];
        let side = bench.side(&small, &[], &steps);
        assert_eq!(side.steps[0].end, StepEnd::Exited(0), "{side:?}");
        assert!(matches!(&side.steps[1].end, StepEnd::Killed(_)), "{side:?}");
    }
}

#[test]
fn the_kernel_holds_the_memory_where_it_can() {
    let bench = Bench::new(&[]);
    let side = bench.side(&config(), &[], &[sh("true")]);
    let by_kernel = side.enforced.iter().any(|name| name == "memory-by-kernel");
    let told = doctor(&exe(), &bench.scratch());
    let told = told.iter().find(|promise| promise.name == "memory-by-kernel").unwrap();
    assert_eq!(by_kernel, told.state == PromiseState::Enforced, "doctor and verdict say the same");
    assert!(side.enforced.iter().any(|name| name == "memory-limit"));
    let groups = || std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    println!("by the kernel: {by_kernel} ({})", groups().lines().count());
}

#[test]
fn files_in_memory_that_find_no_room_are_the_machines_failure() {
    let bench = Bench::new(&[]);
    let small = SandboxConfig { memory: 40 << 20, ..config() };
    let result = bench.one(&small, sh("head -c 200M /dev/zero > /tmp/x"));
    assert!(result.end.is_infra(), "{result:?}");
}
