//! Files that are refused, and what is said of each mistake.

use super::*;

#[test]
fn unknown_keys() {
    let text = with("[rolout]\nwaves = []\n[sandbox]\nmemroy = \"1GiB\"\nquux = 1\n");
    insta::assert_snapshot!(errors(text), @r##"
    error: `rolout`: unknown key
      --> migration.toml:10:2
       |
    10 | [rolout]
       |  ^^^^^^
       |
       = help: did you mean `rollout`?

    error: `sandbox.memroy`: unknown key
      --> migration.toml:13:1
       |
    13 | memroy = "1GiB"
       | ^^^^^^
       |
       = help: did you mean `memory`?

    error: `sandbox.quux`: unknown key
      --> migration.toml:14:1
       |
    14 | quux = 1
       | ^^^^
       |
       = help: remove it; known here: `mode`, `memory`, `processes`, `cpu`, `output`, `file_size`, `disk`, `silence`, `read_only`, `env`, `require`, `jobs`
    "##);
}

#[test]
fn wrong_types() {
    let text = with(
        "[[verify.step]]\nname = \"a\"\nrun = [\"x\"]\n[[verify.step]]\nname = \"b\"\nrun = \"make test\"\n[sandbox]\nprocesses = \"many\"\nmemory = true\n",
    );
    insta::assert_snapshot!(errors(text), @r##"
    error: `verify.step[1].run`: expected an array of strings, found a string
      --> migration.toml:15:7
       |
    15 | run = "make test"
       |       ^^^^^^^^^^^
       |
       = help: write it like `run = ["make", "test"]`

    error: `sandbox.processes`: expected a whole number, found a string
      --> migration.toml:17:13
       |
    17 | processes = "many"
       |             ^^^^^^
       |
       = help: write it like `processes = 256`

    error: `sandbox.memory`: expected a string, found a boolean
      --> migration.toml:18:10
       |
    18 | memory = true
       |          ^^^^
       |
       = help: write it like `memory = "512MiB"`
    "##);
}

#[test]
fn a_section_that_is_no_table() {
    insta::assert_snapshot!(errors("migration = 3\nconsumers = []\n"), @r##"
    error: `migration`: expected a table
     --> migration.toml:1:13
      |
    1 | migration = 3
      |             ^
      |
      = help: write it as a section of its own: `[migration]`

    error: `consumers`: expected a table
     --> migration.toml:2:13
      |
    2 | consumers = []
      |             ^^
      |
      = help: write it as a section of its own: `[consumers]`
    "##);
}

#[test]
fn missing_sections_and_keys() {
    insta::assert_snapshot!(errors(""), @r##"
    error: `migration`: the section `[migration]` is missing
     --> migration.toml:1:1
      |
    1 |
      | ^
      |
      = help: add it: [migration] with `id`, `title` and `rules`

    error: `consumers`: the section `[consumers]` is missing
     --> migration.toml:1:1
      |
    1 |
      | ^
      |
      = help: add it: [consumers] with `of`, and [[consumers.from]] with `catalog` or `folders`
    "##);
    insta::assert_snapshot!(errors("[migration]\nid = \"x\"\n[consumers]\n[[consumers.from]]\ncatalog = \"services\"\n"), @r##"
    error: `migration.title`: this key is missing
     --> migration.toml:1:1
      |
    1 | [migration]
      | ^^^^^^^^^^^
      |
      = help: add it: `title = "users_v1 becomes users_v2"`

    error: `migration.rules`: this key is missing
     --> migration.toml:1:1
      |
    1 | [migration]
      | ^^^^^^^^^^^
      |
      = help: add it: `rules = ["rules/table.rhai"]`

    error: `consumers.of`: this key is missing
     --> migration.toml:3:1
      |
    3 | [consumers]
      | ^^^^^^^^^^^
      |
      = help: add it: `of = ["resource:default/users_v1"]`
    "##);
}

#[test]
fn duplicate_steps() {
    let text = with(
        "[[verify.step]]\nname = \"a\"\nrun = [\"x\"]\n[[verify.step]]\nname = \"a\"\nrun = []\nwhen = \"../x\"\ntimeout = \"5\"\n",
    );
    insta::assert_snapshot!(errors(text), @r##"
    error: `verify.step[1].name`: the step "a" is there twice
      --> migration.toml:14:8
       |
    14 | name = "a"
       |        ^^^
       |
       = help: give each step a name of its own

    error: `verify.step[1].run`: names no program
      --> migration.toml:15:7
       |
    15 | run = []
       |       ^^
       |
       = help: write for example `run = ["make", "test"]`

    error: `verify.step[1].when`: "../x" leaves the consumer's folder
      --> migration.toml:16:8
       |
    16 | when = "../x"
       |        ^^^^^^
       |
       = help: name a file relative to the consumer, for example "Cargo.toml"

    error: `verify.step[1].timeout`: "5" has no unit
      --> migration.toml:17:11
       |
    17 | timeout = "5"
       |           ^^^
       |
       = help: write a number with a unit: "90s", "5m", "2h"
    "##);
}

#[test]
fn bad_ids_and_references() {
    let text = GOOD
        .replace("\"users-v2\"", "\"Users V2\"")
        .replace("\"resource:users_v1\"", "\"users_v1\", \"api:\", \"api:x\", \"API:default/X\"");
    insta::assert_snapshot!(errors(text), @r##"
    error: `migration.id`: "Users V2" can't name folders and branches
     --> migration.toml:3:6
      |
    3 | id = "Users V2"
      |      ^^^^^^^^^^
      |
      = help: use a letter or digit, then lower-case letters, digits, `-` and `_`, at most 64

    error: `consumers.of[0]`: "users_v1" names no kind
     --> migration.toml:7:7
      |
    7 | of = ["users_v1", "api:", "api:x", "API:default/X"]
      |       ^^^^^^^^^^
      |
      = help: write `resource:users_v1` for a resource, or `api:users_v1` for an API

    error: `consumers.of[1]`: "api:" is not an entity reference
     --> migration.toml:7:19
      |
    7 | of = ["users_v1", "api:", "api:x", "API:default/X"]
      |                   ^^^^^^
      |
      = help: write `kind:namespace/name`, for example `resource:default/users_v1`

    error: `consumers.of[3]`: "API:default/X" is named twice
     --> migration.toml:7:36
      |
    7 | of = ["users_v1", "api:", "api:x", "API:default/X"]
      |                                    ^^^^^^^^^^^^^^^
      |
      = help: remove one of the two
    "##);
}

#[test]
fn missing_files() {
    let text = GOOD
        .replace("\"b.rhai\"", "\"c.rhai\", \"services\", \"a.rhai\"")
        .replace("catalog = \"services\"", "catalog = \"nowhere\"");
    let text = format!("{text}[mappings]\nusers = \"none.toml\"\n");
    insta::assert_snapshot!(errors(text), @r##"
    error: `migration.rules[1]`: there is no file "c.rhai"
     --> migration.toml:5:20
      |
    5 | rules = ["a.rhai", "c.rhai", "services", "a.rhai"]
      |                    ^^^^^^^^
      |
      = help: create it, or correct the path, which is relative to the migration file

    error: `migration.rules[2]`: "services" is not a file
     --> migration.toml:5:30
      |
    5 | rules = ["a.rhai", "c.rhai", "services", "a.rhai"]
      |                              ^^^^^^^^^^
      |
      = help: create it, or correct the path, which is relative to the migration file

    error: `migration.rules[3]`: "a.rhai" is named twice
     --> migration.toml:5:42
      |
    5 | rules = ["a.rhai", "c.rhai", "services", "a.rhai"]
      |                                          ^^^^^^^^
      |
      = help: remove one of the two

    error: `consumers.from[0].catalog`: there is no folder "nowhere"
     --> migration.toml:9:11
      |
    9 | catalog = "nowhere"
      |           ^^^^^^^^^
      |
      = help: create it, or correct the path, which is relative to the migration file

    error: `mappings.users`: there is no file "none.toml"
      --> migration.toml:11:9
       |
    11 | users = "none.toml"
       |         ^^^^^^^^^^^
       |
       = help: create it, or correct the path, which is relative to the migration file
    "##);
}

#[test]
fn not_toml() {
    insta::assert_snapshot!(errors("[migration\nid = \"x\nrules = [\"a\"]\n"), @r##"
    error: not TOML: unclosed table, expected `]`
     --> migration.toml:1:11
      |
    1 | [migration
      |           ^
      |
      = help: correct the syntax here; the rest is checked once the file is TOML
    "##);
    insta::assert_snapshot!(errors("[parameters]\nbig = 99999999999999999999\n"), @r##"
    error: not TOML: invalid type: integer `99999999999999999999` as i128, expected any valid TOML value
     --> migration.toml:2:7
      |
    2 | big = 99999999999999999999
      |       ^^^^^^^^^^^^^^^^^^^^
      |
      = help: correct the syntax here; the rest is checked once the file is TOML
    "##);
}

#[test]
fn not_utf8() {
    insta::assert_snapshot!(errors(b"[migration]\nid = \"\xff\xfe\"\n"), @r##"
    error: byte 18 of the file is not UTF-8
     --> migration.toml:2:7
      |
    2 | id = "��"
      |       ^
      |
      = help: save the file as UTF-8
    "##);
}

#[test]
fn files_that_are_none() {
    let dir = folder();
    let missing = load(&dir.path().join("no.toml")).unwrap_err().to_string();
    assert!(missing.contains("can't be read"), "{missing}");
    let folder = load(&dir.path().join("services")).unwrap_err().to_string();
    assert!(folder.contains("not a file"), "{folder}");
    let huge = load_in(dir.path(), "#".repeat((1 << 20) + 1)).unwrap_err();
    assert!(huge.render(false).contains("larger than 1 MiB"));
}

#[test]
fn places_count_lines_and_characters() {
    let dir = folder();
    let errors = load_in(dir.path(), with("# ü\n[\"ü\"]\n")).unwrap_err();
    assert_eq!(errors.place(&errors.errors()[0]), (11, 2));
    assert!(errors.render(true).contains('\u{1b}'));
}
