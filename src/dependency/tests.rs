use super::*;

/// What a file declares: name, versions, and the text of the site.
fn told(path: &str, text: &str) -> Vec<String> {
    let all = read(path, text).unwrap_or_else(|why| panic!("{path}: {why}"));
    let one = |one: &Declared| {
        let site = one.site.clone().map_or("-", |site| &text[site]);
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
                "org.example:far ? `Versions.far` is given no value in this file at -",
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
                "example.org/three =2.0.0+incompatible at 2.0.0+incompatible",
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
    let wanted = |versions: &str| Wanted { name: "g:lib".to_owned(), versions: Range::parse(versions).unwrap() };
    let old = wanted("<2");
    assert_eq!(all.has(&old, "a.scala").0, Certainty::Unknown);
    all.add("build.sbt", "\"g\" %% \"lib\" % \"1.5\"");
    assert_eq!(all.has(&old, "src/a.scala").0, Certainty::Yes);
    assert_eq!(all.has(&wanted(">=2"), "src/a.scala").0, Certainty::No);
    all.add("new/build.sbt", "\"g\" % \"lib_2.13\" % \"2.1\"");
    assert_eq!(all.has(&old, "src/a.scala").0, Certainty::Yes);
    assert_eq!(all.has(&old, "new/src/a.scala").0, Certainty::No);
    all.add("both/build.sbt", "\"g\" % \"lib\" % \"2.1\"\n\"g\" % \"lib\" % \"1.1\"");
    let (told, why) = all.has(&old, "both/a.scala");
    assert_eq!(told, Certainty::Unknown);
    assert!(why.contains("several versions"), "{why}");
    assert!(all.has(&Wanted { name: "g:other".to_owned(), ..old.clone() }, "a").1.contains("no file of the build"));
    assert!(same("Scikit_Learn", "scikit-learn") && !same("a/B", "a/b") && same("g:a_2.12", "g:a"));
}
