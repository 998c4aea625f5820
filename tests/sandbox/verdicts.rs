//! Every verdict, each from a project that earns it.

use super::*;
use gander::verify::{Job, Subject, Verdict, VerdictKind, verify, verify_all};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

fn judged(config: &SandboxConfig, files: &[(&str, &str)], changes: &[FileVersion], steps: &[Step]) -> Verdict {
    let bench = Bench::new(files);
    let tree = bench.tree();
    verify(&bench.sandbox(config), &Subject::new(&tree, changes, steps)).unwrap()
}

/// A program whose test executes what a change touches.
const PRICE: &str = "fn price(net: u32) -> u32 { net * 119 / 100 }\n\
    fn main() {}\n#[test]\nfn gross() { assert_eq!(price(100), 119); }\n";

fn rust_steps() -> Vec<Step> {
    vec![step("build", &["rustc", "--test", "-o", "tests", "price.rs"]), step("test", &["./tests"])]
}

#[test]
fn pass_regressed_and_baseline_broken() {
    let better = PRICE.replace("net * 119 / 100", "net + net * 19 / 100");
    let worse = PRICE.replace("119 / 100", "107 / 100");
    let broken = PRICE.replace("net: u32", "net: u33");
    for config in [config(), open()] {
        let judge = |from: &str, to: &str| {
            judged(&config, &[("price.rs", from)], &[changed("price.rs", Some(to))], &rust_steps())
        };
        let verdict = judge(PRICE, &better);
        assert_eq!(verdict.kind, VerdictKind::Pass, "{verdict:?}");
        assert_eq!(verdict.patched.len(), 2);
        let isolated = config.mode == SandboxMode::Namespaces;
        assert_eq!(verdict.enforced.is_empty(), !isolated);
        let verdict = judge(PRICE, &worse);
        assert_eq!(verdict.kind, VerdictKind::Regressed, "{verdict:?}");
        assert!(verdict.reason.contains("`test`"), "{}", verdict.reason);
        let verdict = judge(PRICE, &broken);
        assert_eq!(verdict.kind, VerdictKind::Regressed, "{verdict:?}");
        assert!(verdict.reason.contains("`build`"), "{}", verdict.reason);
        let verdict = judge(&worse, &worse.replace("107", "108"));
        assert_eq!(verdict.kind, VerdictKind::BaselineBroken, "{verdict:?}");
        let verdict = judge(&broken, &worse);
        assert_eq!(verdict.kind, VerdictKind::BaselineBroken, "{verdict:?}");
        for red in [&worse, &broken] {
            let verdict = judge(red, PRICE);
            assert_eq!(verdict.kind, VerdictKind::Fixed, "{verdict:?}");
        }
    }
}

#[test]
fn no_data() {
    let change = [changed("a", Some("b"))];
    let none = judged(&config(), &[("a", "a")], &change, &[]);
    assert_eq!(none.kind, VerdictKind::NoData);
    let steps = [step("sbt", &["no-such-sbt", "test"])];
    let missing = judged(&config(), &[("a", "a")], &change, &steps);
    assert_eq!(missing.kind, VerdictKind::NoData);
    assert!(missing.reason.contains("no-such-sbt"), "{}", missing.reason);
    let steps = [sh("true"), steps[0].clone()];
    let half = judged(&config(), &[("a", "a")], &change, &steps);
    assert_eq!(half.kind, VerdictKind::NoData, "{half:?}");
}

#[test]
fn infra() {
    let tight = SandboxConfig { memory: 60 << 20, processes: 30, ..config() };
    let change = [changed("run.sh", Some("head -c 200M /dev/zero | tail | wc -c"))];
    let steps = [step("run", &["sh", "run.sh"])];
    let verdict = judged(&tight, &[("run.sh", "true")], &change, &steps);
    assert_eq!(verdict.kind, VerdictKind::Infra, "{verdict:?}");
    assert!(verdict.reason.contains("memory"), "{}", verdict.reason);
    let steps = [Step { timeout: Duration::from_millis(200), ..sh("sleep 60") }];
    let verdict = judged(&tight, &[], &change, &steps);
    assert_eq!(verdict.kind, VerdictKind::Infra, "{verdict:?}");
    assert!(verdict.patched.is_empty());
    let bench = Bench::new(&[]);
    let sandbox = Sandbox::new("/no/such/gander".into(), &config(), &bench.scratch());
    let tree = bench.tree();
    let (changes, steps) = ([changed("a", Some("b"))], [sh("true")]);
    let verdict = verify(&sandbox, &Subject::new(&tree, &changes, &steps)).unwrap();
    assert_eq!(verdict.kind, VerdictKind::Infra);
    assert!(verdict.reason.contains("/no/such/gander"), "{}", verdict.reason);
}

#[test]
fn many_at_once() {
    let bench = Bench::new(&[("state", "1\n")]);
    let tree = bench.tree();
    let sandbox = bench.sandbox(&config());
    let items: Vec<u32> = (0..24).collect();
    let heard = AtomicUsize::new(0);
    let one = |item: &u32| {
        // Every third change breaks its consumer.
        let after = if item.is_multiple_of(3) { "0\n" } else { "1\nmore\n" };
        let changes = [changed("state", Some(after))];
        verify(&sandbox, &Subject::new(&tree, &changes, &[sh("grep -q 1 state")]))
    };
    let job = |item: &u32| Job { name: item.to_string(), took: None };
    let hear = |_, _: &Verdict, _| {
        heard.fetch_add(1, Ordering::Relaxed);
    };
    let verdicts = verify_all(&items, 6, job, one, hear, |_| {});
    assert_eq!(heard.load(Ordering::Relaxed), 24);
    for (item, verdict) in items.iter().zip(verdicts.iter().flatten()) {
        let expected = match item % 3 {
            0 => VerdictKind::Regressed,
            _ => VerdictKind::Pass,
        };
        assert_eq!(verdict.kind, expected, "{item}: {verdict:?}");
    }
}

/// The middle one of 21 times.
fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            let started = Instant::now();
            run();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[10]
}

#[test]
fn starting_over_a_large_tree_is_cheap() {
    let (large, small) = (Bench::new(&[]), Bench::new(&[("f", "x")]));
    for index in 0..10_000 {
        put(&large.tree().join(format!("d{}/f{index}", index % 100)), "x");
    }
    let start = |bench: &Bench| median(|| drop(bench.side(&config(), &[], &[step("true", &["true"])])));
    let (over_large, over_small) = (start(&large), start(&small));
    let alone = median(|| drop(gander::process::Invocation::new("true").run().unwrap()));
    println!(
        "a start over 10,000 files takes {:?} beyond the step (over one file {:?}), of which the step is {alone:?}",
        over_large.saturating_sub(alone),
        over_small.saturating_sub(alone)
    );
    // Trees are not copied: what there is to do does not grow with them.
    assert!(over_large < over_small * 4 + Duration::from_millis(100), "{over_large:?} against {over_small:?}");
}

#[test]
fn the_sandbox_costs_little_beside_the_step() {
    // A step of about a tenth of a second, in and outside of the sandbox.
    let bench = Bench::new(&[("price.rs", PRICE)]);
    let compile = ["--test", "-o", "tests", "price.rs"];
    let program = gander::process::Invocation::new("rustc").args(["--print", "sysroot"]).run().unwrap();
    let rustc = PathBuf::from(String::from_utf8(program.stdout).unwrap().trim()).join("bin/rustc");
    let place = tempfile::tempdir().unwrap();
    put(&place.path().join("price.rs"), PRICE);
    let run = || drop(gander::process::Invocation::new(&rustc).args(compile).current_dir(place.path()).run().unwrap());
    let outside = median(run);
    let rustc = rustc.to_str().unwrap();
    let step = step("build", &[rustc, compile[0], compile[1], compile[2], compile[3]]);
    let inside = median(|| assert_eq!(bench.one(&config(), step.clone()).end, StepEnd::Exited(0)));
    let ratio = inside.as_secs_f64() / outside.as_secs_f64();
    println!("compiling takes {inside:?} in the sandbox and {outside:?} outside: {ratio:.2} times as long");
    assert!(ratio < 10.0, "{inside:?} against {outside:?}");
}
