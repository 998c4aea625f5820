//! The helper on systems without Linux's namespaces: steps run without isolation,
//! in the private copy, with a wall-clock limit. Isolation is refused, in words.
//!
//! Must not: pretend to enforce anything.

use std::io;
use std::time::Instant;

use super::spec::{SideReply, SideSpec};
use super::tail::Tail;
use super::{StepEnd, StepResult, scratch};
use crate::config::{SandboxMode, Step};
use crate::process::{Exit, Invocation, ProcessError};

/// Runs the side.
pub fn run(spec: &SideSpec) -> io::Result<SideReply> {
    let mut reply = SideReply::default();
    for step in &spec.steps {
        let result = run_step(spec, step);
        let infra = result.end.is_infra();
        reply.steps.push(result);
        if infra {
            break;
        }
    }
    Ok(reply)
}

fn run_step(spec: &SideSpec, step: &Step) -> StepResult {
    let started = Instant::now();
    let (end, output) = if spec.mode == SandboxMode::None {
        start(spec, step)
    } else {
        let why = "isolation needs Linux: pass `--sandbox none`, or run on Linux";
        (StepEnd::NotStarted(why.to_owned()), String::new())
    };
    StepResult {
        name: step.name.clone(),
        command: step.run.clone(),
        end,
        millis: started.elapsed().as_millis().try_into().unwrap_or(u64::MAX),
        output,
    }
}

fn start(spec: &SideSpec, step: &Step) -> (StepEnd, String) {
    let Some((program, args)) = step.run.split_first() else {
        let why = "the step names no program".to_owned();
        return (StepEnd::NotStarted(why), String::new());
    };
    let part = |name: &str| spec.scratch.join(name);
    let mut env = spec.toolchain.env_outside(&part(scratch::HOME), &part(scratch::TMP));
    env.extend(spec.env.clone());
    let mut invocation =
        Invocation::new(program).args(args).current_dir(part(scratch::TREE)).env_clear().limit(step.timeout);
    for (name, value) in env {
        invocation = invocation.env(name, value);
    }
    match invocation.run() {
        Ok(output) => {
            let mut tail = Tail::new(spec.limits.output);
            tail.push(&output.stdout);
            tail.push(&output.stderr);
            let end = match output.status {
                Exit::Code(code) => StepEnd::Exited(code),
                Exit::Signal(signal) => StepEnd::Signalled(signal),
            };
            (end, tail.text())
        }
        Err(ProcessError::Missing { program }) => (StepEnd::MissingProgram(program), String::new()),
        Err(ProcessError::TimedOut { .. }) => (StepEnd::TimedOut, String::new()),
        Err(error @ ProcessError::TooMuchOutput { .. }) => (StepEnd::Killed(error.to_string()), String::new()),
        Err(error) => (StepEnd::NotStarted(error.to_string()), String::new()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::sandbox::spec::Limits;
    use std::time::Duration;

    #[test]
    fn steps_run_in_the_copy_and_isolation_is_refused() {
        let scratch = tempfile::tempdir().unwrap();
        for part in [scratch::TREE, scratch::HOME, scratch::TMP] {
            std::fs::create_dir(scratch.path().join(part)).unwrap();
        }
        let step = |run: &[&str], millis| Step {
            name: "step".to_owned(),
            run: run.iter().map(|arg| (*arg).to_owned()).collect(),
            timeout: Duration::from_millis(millis),
            ..Step::default()
        };
        let mut spec = SideSpec {
            parent: 0,
            mode: SandboxMode::None,
            exe: Default::default(),
            scratch: scratch.path().to_owned(),
            lower: None,
            steps: vec![
                step(&["sh", "-c", "basename $PWD $X; exit 3"], 10_000),
                step(&["no-such-tool"], 10_000),
                step(&["sleep", "30"], 50),
                step(&["true"], 10_000),
            ],
            limits: Limits {
                memory: 1 << 30,
                processes: 100,
                cpu_millis: 60_000,
                output: 1 << 20,
                file_size: 1 << 30,
                disk: 1 << 30,
                silence_millis: None,
            },
            shown: Vec::new(),
            proxy: None,
            secrets: Default::default(),
            shell: false,
            env: Default::default(),
            read_only: Vec::new(),
            toolchain: Default::default(),
        };
        let reply = run(&spec).unwrap();
        let ends: Vec<&StepEnd> = reply.steps.iter().map(|step| &step.end).collect();
        let missing = StepEnd::MissingProgram("no-such-tool".to_owned());
        assert_eq!(ends, [&StepEnd::Exited(3), &missing, &StepEnd::TimedOut]);
        assert_eq!(reply.steps[0].output, "tree\n");
        assert!(reply.enforced.is_empty());
        spec.mode = SandboxMode::Namespaces;
        let reply = run(&spec).unwrap();
        assert!(matches!(reply.steps[0].end, StepEnd::NotStarted(_)));
    }
}
