//! Compilers and git do their work inside.

use super::*;

#[test]
fn cc_and_git_work() {
    let bench = Bench::new(&[("main.c", "#include <stdio.h>\nint main(void) { puts(\"hi\"); }\n")]);
    let steps = [
        sh("cc -o main main.c && ./main"),
        sh(
            "git init -q . && git -c user.name=a -c user.email=b add . && git -c user.name=a -c user.email=b commit -qm x && git log --format=%s",
        ),
    ];
    let side = bench.side(&config(), &[], &steps);
    assert_eq!(side.steps[0].output, "hi\n");
    assert_eq!(side.steps[1].output, "x\n", "{side:?}");
}

#[test]
fn cargo_works_with_crates_of_the_machine() {
    let manifest =
        "[package]\nname = \"it\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nitoa = \"1\"\n";
    let lib = "pub fn text(n: u32) -> String { itoa::Buffer::new().format(n).to_owned() }\n\
        #[test]\nfn works() { assert_eq!(text(7), \"7\"); }\n";
    let bench = Bench::new(&[("Cargo.toml", manifest), ("src/lib.rs", lib)]);
    let steps = [step("rustc", &["rustc", "--version"]), step("test", &["cargo", "test", "--offline"])];
    let side = bench.side(&config(), &[], &steps);
    assert_eq!(side.steps[0].end, StepEnd::Exited(0), "{side:?}");
    assert_eq!(side.steps[1].end, StepEnd::Exited(0), "{side:?}");
    assert!(side.steps[1].output.contains("test works ... ok"), "{side:?}");
}

#[test]
fn a_missing_program_is_named() {
    let bench = Bench::new(&[("script", "")]);
    let script = FileVersion {
        after: Some(Content { bytes: b"#!/no/such/interpreter -x\n".to_vec(), executable: true }),
        ..changed("script", None)
    };
    let missing = |name: &str| StepEnd::MissingProgram(name.to_owned());
    for config in [config(), open()] {
        let steps = [step("x", &["no-such-tool", "--version"]), step("y", &["./nothing"]), step("z", &["./script"])];
        let side = bench.side(&config, std::slice::from_ref(&script), &steps);
        let ends: Vec<StepEnd> = side.steps.into_iter().map(|step| step.end).collect();
        let expected = ["no-such-tool", "./nothing", "/no/such/interpreter"].map(missing);
        assert_eq!(ends, expected);
    }
}
