use super::*;
use crate::symbol::Certainty;

/// What a file declares: name, versions, and the text of the site.
fn told(path: &str, text: &str) -> Vec<String> {
    let all = read(path, text).unwrap_or_else(|why| panic!("{path}: {why}"));
    let one = |one: &Declared| {
        let site = one.site.clone().into_iter().next().map_or("-", |site| &text[site]);
        let versions = match &one.versions {
            Ok(versions) => versions.to_string(),
            Err(why) => format!("? {why}"),
        };
        format!("{} {versions} at {site}", one.name)
    };
    all.iter().map(one).collect()
}

#[test]
fn each_build_says_what_it_depends_on_and_where() {
    let sbt = r#"
val scioVersion = "0.12.8" // it was "0.11"
lazy val root = project.settings(libraryDependencies ++= Seq(
  "com.spotify" %% "scio-core" % scioVersion,
  // "com.spotify" %% "gone" % "1.0",
  "org.example" % "lib" % "1.2-rc1" % Test,
  "org.example" % "far" % Versions.far,
))
"#;
    let gradle = "def scio = '0.12.8'\ndependencies {\n  implementation 'com.spotify:scio-core_2.13:0.12.8'\n  api \"com.spotify:a:$scio\"\n  api \"com.spotify:b:${scio}\"\n  testImplementation group: 'g', name: 'n', version: '1'\n  implementation(libs.scio)\n  api 'a:latest:+'\n}\n";
    let pom = "<project><properties><scio.version>0.12.8</scio.version></properties>\n<!-- <dependency><groupId>no</groupId><artifactId>no</artifactId></dependency> -->\n<dependencies><dependency><groupId>com.spotify</groupId><artifactId>scio-core_2.13</artifactId>\n<version>\n  ${scio.version}\n</version><exclusions><exclusion><groupId>x</groupId><artifactId>y</artifactId></exclusion></exclusions></dependency>\n<dependency><groupId>g</groupId><artifactId>managed</artifactId></dependency></dependencies></project>";
    let npm = r#"{ "name": "react", "dependencies": { "react": "^18.2.0", "two": ">=1 <2", "any": "*", "@a/b": "workspace:^1" }, "devDependencies": { "exact": "1.2.3" } }"#;
    let cargo = "[dependencies]\nserde = \"1.0\"\nold = { package = \"older\", version = \"=0.3.1\" }\nhere = { path = \"here\" }\n[target.'cfg(unix)'.dev-dependencies]\nnix = { version = \"0.29\" }\n";
    let pyproject = "[project]\ndependencies = [\"NumPy>=1.20,<2\", 'apache_beam[gcp]~=2.50.0', \"plain\"]\n[tool.poetry.dependencies]\npython = \"^3.9\"\nrequests = \"2.1\"\n";
    let requirements = "# numpy==1\nnumpy==1.26.4  # pinned\napache-beam[gcp] >= 2.50 ; python_version > '3.8'\n-r other.txt\ngit+https://example.org/x@1\n";
    let go = "module m\n\nrequire example.org/one v1.2.3 // indirect\nrequire (\n\texample.org/two v0.0.0-20200101000000-abcdef\n\texample.org/three v2.0.0+incompatible\n)\n";
    let rows: [(&str, &str, &[&str]); 8] = [
        (
            "build.sbt",
            sbt,
            &[
                "com.spotify:scio-core =0.12.8 at 0.12.8",
                "org.example:far ? `Versions.far` is given no plain text in this file at -",
                "org.example:lib =1.2-rc1 at 1.2-rc1",
            ],
        ),
        (
            "app/build.gradle",
            gradle,
            &[
                "a:latest ? `+` is no single version at -",
                "com.spotify:a =0.12.8 at 0.12.8",
                "com.spotify:b =0.12.8 at 0.12.8",
                "com.spotify:scio-core_2.13 =0.12.8 at 0.12.8",
                "g:n =1 at 1",
            ],
        ),
        (
            "pom.xml",
            pom,
            &[
                "com.spotify:scio-core_2.13 =0.12.8 at 0.12.8",
                "g:managed ? a parent or a list of versions elsewhere decides it at -",
            ],
        ),
        (
            "web/package.json",
            npm,
            &[
                "react >=18.2.0, <19 at 18.2.0",
                "two >=1, <2 at -",
                "any ? `*` is not read at -",
                "@a/b ? `workspace:^1` is not read at -",
                "exact =1.2.3 at 1.2.3",
            ],
        ),
        (
            "Cargo.toml",
            cargo,
            &[
                "here ? it is not written here at -",
                "older =0.3.1 at 0.3.1",
                "serde >=1.0, <2 at 1.0",
                "nix >=0.29, <0.30 at 0.29",
            ],
        ),
        (
            "pyproject.toml",
            pyproject,
            &[
                "NumPy >=1.20, <2 at -",
                "apache_beam >=2.50.0, <2.51 at 2.50.0",
                "plain ? it names none at -",
                "python >=3.9, <4 at 3.9",
                "requests =2.1 at 2.1",
            ],
        ),
        ("requirements-dev.txt", requirements, &["numpy =1.26.4 at 1.26.4", "apache-beam >=2.50 at 2.50"]),
        (
            "go.mod",
            go,
            &[
                "example.org/one =1.2.3 at 1.2.3",
                "example.org/two =0.0.0-20200101000000-abcdef at 0.0.0-20200101000000-abcdef",
                "example.org/three =2.0.0 at 2.0.0",
            ],
        ),
    ];
    for (path, text, wanted) in rows {
        assert_eq!(told(path, text), wanted, "{path}");
    }
    for (path, text) in [("pom.xml", "<a></b>"), ("package.json", "{,"), ("Cargo.toml", "[")] {
        assert!(read(path, text).is_err(), "{path}");
    }
    assert!(!declares("src/main.scala") && !declares("requirements.md") && declares("a/project/Dependencies.scala"));
}

#[test]
fn what_stands_nearest_decides_and_nobody_guesses() {
    let mut all = Dependencies::default();
    let wanted = |versions: &str| Wanted {
        name: "g:lib".to_owned(),
        versions: Range::parse(versions).unwrap(),
        or_unknown: false,
    };
    let old = wanted("<2");
    assert_eq!(all.has(&old, "a.scala", None).0, Certainty::Unknown);
    all.add("build.sbt", "\"g\" %% \"lib\" % \"1.5\"");
    assert_eq!(all.has(&old, "src/a.scala", None).0, Certainty::Yes);
    assert_eq!(all.has(&wanted(">=2"), "src/a.scala", None).0, Certainty::No);
    all.add("new/build.sbt", "\"g\" % \"lib_2.13\" % \"2.1\"");
    assert_eq!(all.has(&old, "src/a.scala", None).0, Certainty::Yes);
    assert_eq!(all.has(&old, "new/src/a.scala", None).0, Certainty::No);
    all.add("both/build.sbt", "\"g\" % \"lib\" % \"2.1\"\n\"g\" % \"lib\" % \"1.1\"");
    let (told, why) = all.has(&old, "both/a.scala", None);
    assert_eq!(told, Certainty::Unknown);
    assert!(why.contains("several versions"), "{why}");
    assert!(
        all.has(&Wanted { name: "g:other".to_owned(), ..old.clone() }, "a", None).1.contains("no file of the build")
    );
    for (path, one, other, alike) in [
        ("pyproject.toml", "Scikit_Learn", "scikit-learn", true),
        ("pyproject.toml", "zope.interface", "zope--Interface", true),
        ("package.json", "fs.extra", "fs-extra", false),
        ("package.json", "a/B", "a/b", false),
        ("Cargo.toml", "serde_json", "serde-json", true),
        ("Cargo.toml", "a.b", "a-b", false),
        ("go.mod", "example.org/A_b", "example.org/a-b", false),
        ("pom.xml", "g:a_2.12", "g:a", true),
        ("pom.xml", "g:a_b", "g:a-b", false),
    ] {
        assert_eq!(same(path, one, other), alike, "{path}: {one} {other}");
    }
}

fn has(all: &Dependencies, wanted: &Wanted, path: &str, language: &str) -> (Certainty, String) {
    all.has(wanted, path, crate::language::by_name(language).unwrap().facts.ecosystem)
}

/// Paths, texts, and what they declare.
type Row<'t> = (&'t str, &'t str, &'t [&'t str]);

const CAREFUL: &[Row<'_>] = &[
    (
        "package.json",
        r#"{ "dependencies": { "major": "18", "minor": "=1.2", "up": ">1.2", "upto": "<=1.2", "apart": ">= 3.1", "exact": "1.2.3" } }"#,
        &[
            "major >=18, <19 at 18",
            "minor >=1.2, <1.3 at 1.2",
            "up >=1.3 at -",
            "upto <1.3 at -",
            "apart >=3.1 at 3.1",
            "exact =1.2.3 at 1.2.3",
        ],
    ),
    (
        "package.json",
        r#"{ "dependencies": { "a": "1.0.0", "@s/b": "1.0.0" }, "overrides": { "x": { "a": "2" } }, "resolutions": { "**/@s/b@^1": "2" }, "pnpm": { "overrides": { "x>c@1": "2" } } }"#,
        &[
            "a =1.0.0 at 1.0.0",
            "@s/b =1.0.0 at 1.0.0",
            "x ? `overrides` says what is installed instead at -",
            "a ? `overrides` says what is installed instead at -",
            "@s/b ? `resolutions` says what is installed instead at -",
            "c ? `overrides` says what is installed instead at -",
        ],
    ),
    (
        "Cargo.toml",
        "[dependencies]\na = \"=0.3\"\nb = \">1\"\nc = \"1.2, <1.5\"\nd = \"1\"\n[patch.crates-io]\nd = { path = \"d\" }\n",
        &[
            "a >=0.3, <0.4 at 0.3",
            "b >=2 at -",
            "c ? `1.2, <1.5` is not read at -",
            "d >=1, <2 at 1",
            "d ? `[patch]` says what is built instead at -",
        ],
    ),
    (
        "build.gradle",
        "def v = '1.0' + tail\ndef w = '2.0'\nversion = '7'\ndef u = '1'\nif (old) u = other\next.z = '3'\ndependencies {\n api 'a:plus:2.+'\n api 'a:bare'\n api \"a:v:$v\"\n api \"a:w:${w}\"\n api \"a:lib:$libs.version\"\n api \"a:u:$u\"\n api \"a:z:${ext.z}\"\n}\nprintln w\n",
        &[
            "a:bare ? a platform or a plugin decides it at -",
            "a:lib ? `libs.version` is given no plain text in this file at -",
            "a:plus ? `2.+` is no single version at -",
            "a:u ? `u` is given more than one value in this file at -",
            "a:v ? `v` is given more than a plain text in this file at -",
            "a:w =2.0 at -",
            "a:z =3 at 3",
        ],
    ),
    (
        "build.sbt",
        r#"val v = "33.1" + suffix
val w = sys.props.getOrElse("w", "1.12.0")
val x = "1"
  .trim
val own = "1.2.0"
version := own
val both = "3"
Seq("g" %% "a" % v, "g" % "b" % s"$v", "g" % "c" % w, "g" % "d" % x, "g" % "e" % own)
Seq("g" % "f" % both, "h" % "f" % both % Test, "g" % "h", "g" % "i" % at(1), "g" % "j" % "1".trim)
"#,
        &[
            "g:a ? `v` is given more than a plain text in this file at -",
            "g:b ? it is more than a plain text at -",
            "g:c ? `w` is given more than a plain text in this file at -",
            "g:d ? `x` is given more than a plain text in this file at -",
            "g:e =1.2.0 at -",
            "g:f =3 at 3",
            "g:h ? a platform or a plugin decides it at -",
            "g:i ? it is more than a plain text at -",
            "g:j ? it is more than a plain text at -",
            "h:f =3 at 3",
        ],
    ),
    (
        "pyproject.toml",
        r#"[project]
dependencies = ["tomli>=1.1.0; python_version<'3.11'", "esc\u003d\u003d1.2", '''long==1''']
[tool.poetry.dependencies]
numpy = [{version="^1.20",python="<3.9"}, {version="^1.26"}]
odd = 1
requests = "~=2.25.1"
[tool.uv.sources]
tomli = { path = "tomli" }
[tool.uv]
override-dependencies = ["esc==3"]
"#,
        &[
            "tomli >=1.1.0 at 1.1.0",
            "esc =1.2 at -",
            "long =1 at -",
            "numpy >=1.20, <2 at 1.20",
            "numpy >=1.26, <2 at 1.26",
            "odd ? it is not read at -",
            "requests >=2.25.1, <2.26 at 2.25.1",
            "tomli ? `tool.uv` says what is installed instead at -",
            "esc ? `tool.uv` says what is installed instead at -",
        ],
    ),
    (
        "requirements.txt",
        "flask==2.0.1 \\\n    --hash=sha256:aa\none==1.0 --hash=sha256:bb\ntwo \\\n  ==1.0\nlast==1.0\n",
        &["flask =2.0.1 at -", "one =1.0 at -", "two ? it goes on in the next line at -", "last =1.0 at 1.0"],
    ),
    (
        "go.mod",
        "require example.org/one v1.2.3\nrequire example.org/two v1.0.0\nrequire example.org/three v1.0.0\nreplace example.org/one => ../one\nreplace (\n\texample.org/two v1.0.0 => example.org/two v0.9.0\n)\n",
        &[
            "example.org/one ? `replace` says what is built instead at -",
            "example.org/two ? `replace` says what is built instead at -",
            "example.org/three =1.0.0 at 1.0.0",
        ],
    ),
    (
        "pom.xml",
        "<project><parent><groupId>g</groupId><artifactId>top</artifactId><version>3.1</version></parent>
<properties><v>1.0</v><w>2.0</w></properties><dependencyManagement><dependencies>
<dependency><groupId>g</groupId><artifactId>managed</artifactId><version>1.4</version></dependency>
</dependencies></dependencyManagement><dependencies>
<dependency><groupId>g</groupId><artifactId>managed</artifactId></dependency>
<dependency><groupId>g</groupId><artifactId>v</artifactId><version>${v}</version></dependency>
<dependency><groupId>g</groupId><artifactId>w</artifactId><version>${w}</version></dependency>
</dependencies><build><plugins><plugin><version>${w}</version><dependencies>
<dependency><groupId>g</groupId><artifactId>plugs</artifactId><version>1</version></dependency>
</dependencies></plugin></plugins></build></project>",
        &["g:top =3.1 at 3.1", "g:managed =1.4 at 1.4", "g:managed =1.4 at 1.4", "g:v =1.0 at 1.0", "g:w =2.0 at -"],
    ),
];

#[test]
fn what_is_no_single_version_or_decided_elsewhere_is_not_taken_for_one() {
    let mut differing = Vec::new();
    for (path, text, wanted) in CAREFUL {
        let told = told(path, text);
        if told != *wanted {
            differing.push(format!("{path}\n  says    {told:?}\n  and not {wanted:?}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Files of a build; language, path, name and versions that are asked for; and what is told.
type Asked<'t> = (&'t [(&'t str, &'t str)], [&'t str; 4], (Certainty, &'t str));

#[test]
fn builds_answer_for_the_code_they_are_for() {
    use Certainty::{No, Unknown, Yes};
    let npm = ("package.json", r#"{ "dependencies": { "redis": "^3.1.0", "fs.extra": "1.3.2" } }"#);
    let python = ("pyproject.toml", "[project]\ndependencies = [\"redis==4.5.0\"]\n");
    let old = ("requirements.txt", "redis==4.5.0\n");
    let bare = ("requirements.txt", "redis\n");
    let newer = ("requirements-dev.txt", "redis==5.0.0\nredis==5.1.0\n");
    let beside = ("b/requirements.txt", "redis==4.5.0\n");
    let project = ("project/Dependencies.scala", "\"g\" % \"lib\" % \"1.5\"");
    let plugins = ("project/plugins.sbt", "\"g\" % \"lib\" % \"1.5\"");
    let pinned = ("package.json", r#"{ "overrides": { "redis": "2.0.0" } }"#);
    let top = (
        "pom.xml",
        "<project><artifactId>top</artifactId><dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>lib</artifactId><version>1.5</version></dependency></dependencies></dependencyManagement></project>",
    );
    let module = |parent: &str| {
        format!(
            "<project><parent><groupId>g</groupId><artifactId>{parent}</artifactId><version>1</version></parent><artifactId>m</artifactId><dependencies><dependency><groupId>g</groupId><artifactId>lib</artifactId></dependency></dependencies></project>"
        )
    };
    let (own, foreign) = (module("top"), module("other"));
    let cargo = ("Cargo.toml", "[workspace.dependencies]\nlib = \"1.5\"\n");
    let member = ("m/deep/Cargo.toml", "[dependencies]\nlib = { workspace = true }\n");
    let inner = ("b/package.json", r#"{ "dependencies": { "redis": "3.1.0" } }"#);
    let rows: &[Asked<'_>] = &[
        (&[npm, python], ["python", "a.py", "redis", "<5"], (Yes, "")),
        (&[npm, python], ["javascript", "a.js", "redis", "<5"], (Yes, "")),
        (&[npm, python], ["javascript", "a.js", "redis", ">=4"], (No, "")),
        (&[npm], ["python", "a.py", "redis", "<5"], (Unknown, "no file of a build was found that could declare redis")),
        (
            &[npm, python],
            ["sql", "a.sql", "redis", "<5"],
            (Unknown, "package.json and pyproject.toml both name a redis, and these are two libraries"),
        ),
        (&[python], ["sql", "a.sql", "redis", "<5"], (Yes, "")),
        (&[npm], ["javascript", "a.js", "fs-extra", "<5"], (Unknown, "no file of the build declares fs-extra")),
        (&[npm], ["javascript", "a.js", "fs.extra", "<5"], (Yes, "")),
        (
            &[beside],
            ["python", "a/x.py", "redis", "<5"],
            (Unknown, "no file of the build above it declares redis; b/requirements.txt does"),
        ),
        (&[project], ["scala", "src/a.scala", "g:lib", "<2"], (Yes, "")),
        (&[top, ("m/pom.xml", &own)], ["java", "m/A.java", "g:lib", "<2"], (Yes, "")),
        (
            &[top, ("m/pom.xml", &foreign)],
            ["java", "m/A.java", "g:lib", "<2"],
            (Unknown, "m/pom.xml: which version of g:lib is not known: a parent or a list"),
        ),
        (&[cargo, member], ["rust", "m/deep/a.rs", "lib", "<2"], (Yes, "")),
        (&[member], ["rust", "m/deep/a.rs", "lib", "<2"], (Unknown, "its workspace decides it")),
        (&[plugins], ["scala", "src/a.scala", "g:lib", "<2"], (Unknown, "above it")),
        (
            &[old, ("b/pyproject.toml", "[")],
            ["python", "b/a.py", "redis", "<5"],
            (Unknown, "b/pyproject.toml can't be read"),
        ),
        (&[old, ("b/package.json", "[")], ["python", "b/a.py", "redis", "<5"], (Yes, "")),
        (
            &[pinned, inner],
            ["javascript", "b/a.js", "redis", "<5"],
            (Unknown, "package.json: which version of redis is not known: `overrides`"),
        ),
        (
            &[old, newer, beside],
            ["python", "a.py", "redis", "<5"],
            (Unknown, "requirements-dev.txt, requirements.txt declare several versions of redis"),
        ),
        (
            &[bare, python],
            ["python", "a.py", "redis", "<5"],
            (Unknown, "requirements.txt: which version of redis is not known: it names none"),
        ),
        (
            &[npm],
            ["javascript", "a.js", "redis", "<3.5"],
            (Unknown, "package.json allows redis >=3.1.0, <4, of which not all need be <3.5"),
        ),
    ];
    let mut differing = Vec::new();
    for (files, [language, path, name, versions], (told, why)) in rows {
        let mut all = Dependencies::default();
        files.iter().for_each(|(path, text)| all.add(path, text));
        let wanted = Wanted { name: (*name).to_owned(), versions: Range::parse(versions).unwrap(), or_unknown: false };
        let (answer, said) = has(&all, &wanted, path, language);
        if answer != *told || *told == Unknown && !said.contains(why) {
            differing.push(format!("{language} {path} {name} {versions} with {files:?}: {answer:?} {said}"));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
