//! What a codebase is built with, and on which framework it rests, by the files that these
//! leave in it: enough to tell kinds of codebases apart.
//!
//! Must not: read those files.

use std::collections::BTreeSet;

/// A file at the top of a codebase, and what it speaks for. Of one tool any will do; what a
/// more special one speaks for hides the general one in the third column.
const TOP: [(&str, &str, &str); 35] = [
    ("Cargo.toml", "cargo", ""),
    ("go.mod", "go", ""),
    ("pom.xml", "maven", ""),
    ("build.gradle", "gradle", ""),
    ("build.gradle.kts", "gradle", ""),
    ("build.sbt", "sbt", ""),
    ("MODULE.bazel", "bazel", ""),
    ("WORKSPACE", "bazel", ""),
    ("WORKSPACE.bazel", "bazel", ""),
    ("CMakeLists.txt", "cmake", ""),
    ("meson.build", "meson", ""),
    ("Gemfile", "bundler", ""),
    ("composer.json", "composer", ""),
    ("mix.exs", "mix", ""),
    ("Makefile", "make", ""),
    ("package.json", "npm", ""),
    ("yarn.lock", "yarn", "npm"),
    ("pnpm-lock.yaml", "pnpm", "npm"),
    ("bun.lock", "bun", "npm"),
    ("pyproject.toml", "pip", ""),
    ("setup.py", "pip", ""),
    ("requirements.txt", "pip", ""),
    ("poetry.lock", "poetry", "pip"),
    ("uv.lock", "uv", "pip"),
    ("Pipfile", "pipenv", "pip"),
    ("environment.yml", "conda", ""),
    ("dbt_project.yml", "dbt", ""),
    ("manage.py", "Django", ""),
    ("next.config.js", "Next.js", ""),
    ("next.config.mjs", "Next.js", ""),
    ("next.config.ts", "Next.js", ""),
    ("angular.json", "Angular", ""),
    ("airflow.cfg", "Airflow", ""),
    ("dagster.yaml", "Dagster", ""),
    ("config/routes.rb", "Rails", ""),
];

/// The tools and frameworks of a codebase, of which `exists` says what lies in it.
pub fn tools(exists: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let found: Vec<&(&str, &str, &str)> = TOP.iter().filter(|(file, ..)| exists(file)).collect();
    let hidden: BTreeSet<&str> = found.iter().map(|(_, _, hides)| *hides).collect();
    // Makefiles mostly wrap one of the others.
    let alone = |tool: &str| tool != "make" || found.len() == 1;
    found
        .iter()
        .map(|(_, tool, _)| *tool)
        .filter(|tool| !hidden.contains(tool) && alone(tool))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_special_tool_is_told() {
        let of = |files: &[&str]| tools(|file| files.contains(&file)).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(of(&["job.py"]), "");
        assert_eq!(of(&["package.json", "yarn.lock", "Makefile"]), "yarn");
        assert_eq!(of(&["package.json", "Cargo.toml"]), "cargo npm");
        assert_eq!(of(&["pyproject.toml", "uv.lock", "manage.py"]), "Django uv");
        assert_eq!(of(&["requirements.txt", "dbt_project.yml"]), "dbt pip");
        assert_eq!(of(&["Makefile"]), "make");
    }
}
