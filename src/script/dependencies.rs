//! `requires(dependency("g:a", "<2"))`, `set_dependency("g:a", "2.0.1")`: what a codebase must be
//! built with for a rule to be meant, and what it is built with after.

use rhai::EvalAltResult;

use super::builder::Handle;
use super::error::fail;
use super::reference::Api;
use crate::dependency::{Range, Version, Wanted};
use crate::rule::SetDependency;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

pub(super) fn register(api: &mut Api<'_>) {
    let example =
        r#".find("f($X)").requires(dependency("client", ">=1.2, <2")).replace("g($X)").example("f(1)", "g(1)")"#;
    let docs = "A dependency and the versions of it that are meant. `requires` takes it.";
    api.type_of::<Wanted>("Dependency", docs, example);
    let docs = "A dependency as the build names it, `\"com.spotify:scio-core\"`, `\"react\"`, `\"apache-beam\"`, and bounds that all hold: `\"<0.13\"`, `\">=1.2, <2\"`, `\"1.4\"`.";
    api.function(
        "dependency(name, versions) -> Dependency",
        docs,
        example,
        |name: &str, versions: &str| -> Fallible<Wanted> {
            let name = named(name)?;
            let read = Range::parse(versions);
            let versions = read.ok_or_else(|| {
                let parted = versions.split_whitespace().collect::<Vec<_>>().join(", ");
                fail(match Range::parse(&parted) {
                    Some(_) => format!("{versions:?} are no versions: part them by a comma, {parted:?}"),
                    None => format!(
                        "{versions:?} are no versions: write bounds that all hold, such as \"<0.13\" or \">=1.2, <2\""
                    ),
                })
            })?;
            Ok(Wanted { name, versions, or_unknown: false })
        },
    );
    let docs = "The same dependency, taken to be there where the build does not tell: only a build that is known to have other versions keeps the rule out.";
    let lenient =
        r#".find("f($X)").requires(dependency("client", "<2").or_unknown()).replace("g($X)").example("f(1)", "g(1)")"#;
    api.function("Dependency.or_unknown() -> Dependency", docs, lenient, |wanted: &mut Wanted| Wanted {
        or_unknown: true,
        ..wanted.clone()
    });
    let docs = "The codebase must depend on this for the rule to be meant there: the files of its build are read. Where they tell otherwise, a match is left, with the reason; where they don't tell, `if_unknown` says what happens. An example has whatever its rule requires.";
    api.function("Rule.requires(dependency) -> Rule", docs, example, |h: &mut Handle, wanted: Wanted| {
        h.change(|d| d.requires.push(wanted))
    });
    let docs = "Where the rule edits a codebase, its build asks for this version from then on, in the same change set. A codebase without edits keeps what it has, and so does one that has a later version. What can't be set, and lockfiles, are left to a person, by name.";
    let example = r#".find("f($X)").requires(dependency("client", "<2")).set_dependency("client", "2.0.1").replace("g($X)").example("f(1)", "g(1)")"#;
    api.function(
        "Rule.set_dependency(name, version) -> Rule",
        docs,
        example,
        |h: &mut Handle, name: &str, version: &str| -> Fallible<Handle> {
            let name = named(name)?;
            let read = Version::parse(version);
            let version =
                read.ok_or_else(|| fail(format!("{version:?} is no version: write one, such as \"0.13.0\"")))?;
            Ok(h.change(|d| d.sets.push(SetDependency { name, version })))
        },
    );
}

fn named(name: &str) -> Fallible<String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-/@:".contains(c);
    if name.is_empty() || !name.chars().all(good) {
        return Err(fail(format!(
            "{name:?} names no dependency: write it as the build does, \"com.spotify:scio-core\""
        )));
    }
    Ok(name.to_owned())
}
