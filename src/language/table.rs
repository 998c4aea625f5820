//! Which grammar belongs to which folder under `grammars/`: one line each.

use tree_sitter_language::LanguageFn;

/// A folder under `grammars/`, tied to its parser.
pub(super) struct Grammar {
    /// `language.toml`.
    pub(super) facts: &'static str,
    /// `statements.scm`.
    pub(super) statements: &'static str,
    /// `tests.scm`.
    pub(super) tests: &'static str,
    /// The compiled grammar.
    pub(super) function: LanguageFn,
    /// The crate it comes from.
    pub(super) version: &'static str,
}

/// A query from the folder of the language, or of the one that it reads `as`.
macro_rules! query {
    ($folder:literal, $file:literal) => {
        include_str!(concat!("../../grammars/", $folder, $file))
    };
    ($folder:literal $queries:literal, $file:literal) => {
        include_str!(concat!("../../grammars/", $queries, $file))
    };
}

macro_rules! grammars {
    ($($folder:literal $(as $queries:literal)?, $grammar:path, $version:literal;)*) => {
        pub(super) static GRAMMARS: &[Grammar] = &[
            $(Grammar {
                facts: include_str!(concat!("../../grammars/", $folder, "/language.toml")),
                statements: query!($folder $($queries)?, "/statements.scm"),
                tests: query!($folder $($queries)?, "/tests.scm"),
                function: $grammar,
                version: $version,
            },)*
        ];
    };
}

grammars! {
    "python", tree_sitter_python::LANGUAGE, "tree-sitter-python 0.25";
    "sql", tree_sitter_googlesql::LANGUAGE, "tree-sitter-googlesql 0.1";
    "scala", tree_sitter_scala::LANGUAGE, "tree-sitter-scala 0.26";
    "java", tree_sitter_java::LANGUAGE, "tree-sitter-java 0.23";
    "swift", tree_sitter_swift::LANGUAGE, "tree-sitter-swift 0.7";
    "kotlin", tree_sitter_kotlin_sg::LANGUAGE, "tree-sitter-kotlin-sg 0.4";
    "go", tree_sitter_go::LANGUAGE, "tree-sitter-go 0.25";
    "rust", tree_sitter_rust::LANGUAGE, "tree-sitter-rust 0.24";
    "javascript", tree_sitter_javascript::LANGUAGE, "tree-sitter-javascript 0.25";
    "typescript", tree_sitter_typescript::LANGUAGE_TYPESCRIPT, "tree-sitter-typescript 0.23";
    "tsx" as "typescript", tree_sitter_typescript::LANGUAGE_TSX, "tree-sitter-typescript 0.23 (tsx)";
    "yaml", tree_sitter_yaml::LANGUAGE, "tree-sitter-yaml 0.7";
    "json", tree_sitter_json::LANGUAGE, "tree-sitter-json 0.24";
    "toml", tree_sitter_toml_ng::LANGUAGE, "tree-sitter-toml-ng 0.7";
    "bash", tree_sitter_bash::LANGUAGE, "tree-sitter-bash 0.25";
}
