//! What `language.toml` says of names: how they are written, what brings them, and how types are written.
//!
//! Must not: know a grammar, or any language by name.

use serde::Deserialize;

/// What can't be said in `symbols.scm`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SymbolFacts {
    /// Kinds of leaves that are names.
    #[serde(default)]
    pub names: Vec<String>,
    /// Kinds whose children are the segments of one path: `a.b.C`.
    #[serde(default)]
    pub dotted: Vec<String>,
    /// The name that a path begins with which nothing around it changes: `_root_`.
    #[serde(default)]
    pub root: Option<String>,
    /// What may stand around a name that would be a word of the language otherwise.
    #[serde(default)]
    pub quote: Option<String>,
    /// Kinds around a type or value that is the one meant: `List` of `List<T>`.
    #[serde(default)]
    pub wrappers: Vec<String>,
    /// Kinds around what is written: each of `(a.b, c) = d`.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Fields of an import that hold what stands before each of its names.
    #[serde(default)]
    pub prefix: Vec<String>,
    /// Names of files that are there for what they import: others import it from them.
    #[serde(default)]
    pub exporting_files: Vec<String>,
    /// Whether a wildcard import may bring names that were defined elsewhere.
    #[serde(default)]
    pub reexports: bool,
    /// Whether a class may bring members to values of other types that nobody here declares it to.
    #[serde(default)]
    pub extensions: bool,
    /// Whether a function that an import brings may be called as a member of a value: `import p.m`, `x.m()`.
    #[serde(default)]
    pub extension_functions: bool,
    /// Whether a name with a dot in it means what an import brings, or the file's own, and never a whole path.
    #[serde(default)]
    pub qualified_by_import: bool,
    /// Kinds of statements, and of names in them, by which a file gives on what another one has: `export { f } from "m"`.
    #[serde(default)]
    pub given_on: Vec<String>,
    /// Calls around a file's code that bring what it needs, so that it takes no import: `define` of AMD.
    #[serde(default)]
    pub loaders: Vec<String>,
    /// Whether code in a class sees by their names alone what the class has from those above it, and of a package, too.
    #[serde(default)]
    pub inherits: bool,
    /// Whether methods have names of their own, so that what is called is never a variable.
    #[serde(default)]
    pub methods_apart: bool,
    /// Kinds of expressions that make an object of a class without a name; its body ends them.
    #[serde(default)]
    pub anonymous: Vec<String>,
    /// Whether what a wildcard import brings may hide the first name of a path that is written out.
    #[serde(default)]
    pub globs: bool,
    /// First names of paths that nothing hides: `std`.
    #[serde(default)]
    pub certain: Vec<String>,
    /// First segments of paths that depend on where the file lies: `crate`.
    #[serde(default)]
    pub relative: Vec<String>,
    /// Modules whose names need no import.
    #[serde(default)]
    pub implicit: Vec<String>,
    /// Kinds of declarations whose names are known only after them: `let x = x`.
    #[serde(default)]
    pub after_declaration: Vec<String>,
    /// What stands between the segments of a path in code.
    #[serde(default = "SymbolFacts::default_separator")]
    pub separator: String,
    /// How imports are written.
    #[serde(default)]
    pub import: ImportFacts,
    /// How a file writes them that imports by calls, and has no import statement.
    #[serde(default)]
    pub require: ImportFacts,
    /// How one is written that waits for a module while the program runs.
    #[serde(default)]
    pub dynamic: ImportFacts,
    /// Names that every file has: a dotted path that begins with any other name, which
    /// the file does not define, may be anything. Empty where such a path is what it says.
    #[serde(default)]
    pub globals: Vec<String>,
    /// Whether a text may speak of what the file imports: an annotation, or a list of exports.
    #[serde(default = "SymbolFacts::default_in_texts")]
    pub named_in_texts: bool,
    /// Whether such a name hides an earlier one of its own scope.
    #[serde(default)]
    pub shadows: bool,
    /// Kinds of whole import statements, where `symbols.scm` marks parts of them.
    #[serde(default)]
    pub imports: Vec<String>,
    /// Whether a module's default export may be the module itself.
    #[serde(default)]
    pub default: bool,
    /// Whether a call of a capitalised name makes a value of that type.
    #[serde(default)]
    pub capitalised_types: bool,
    /// How types are written.
    #[serde(default)]
    pub types: TypeFacts,
}

/// How types are written, and what literals are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeFacts {
    /// Kinds of nodes that are types and nothing else.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Kinds of lists of type arguments.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// Kinds around a type, besides those around values.
    #[serde(default)]
    pub wrappers: Vec<String>,
    /// Kinds of types of tuples.
    #[serde(default)]
    pub tuples: Vec<String>,
    /// The path of their class, without the number that ends it.
    #[serde(default)]
    pub tuple: String,
    /// Kinds of types with an operator between two others.
    #[serde(default)]
    pub infix: Vec<String>,
    /// The operator that says that one type is another.
    #[serde(default)]
    pub evidence: String,
    /// Kinds of expressions in parentheses.
    #[serde(default)]
    pub parenthesized: Vec<String>,
    /// Kinds of expressions with type arguments.
    #[serde(default)]
    pub applied: Vec<String>,
    /// The member that is meant where a value, or a class, is called.
    #[serde(default)]
    pub apply: String,
    /// Kinds of declarations whose members are those of a class itself, not of its values.
    #[serde(default)]
    pub objects: Vec<String>,
    /// Kinds around a type that are, around a value, an element of it.
    #[serde(default)]
    pub elements: Vec<String>,
    /// The kind of the expression that is the object of an implementation.
    #[serde(default)]
    pub receiver: String,
    /// Kinds of code that implements members of the type in its field `type`.
    #[serde(default)]
    pub implementations: Vec<String>,
    /// Functions that say of which type a value is.
    #[serde(default)]
    pub casts: Vec<String>,
    /// Types whose values may be of any: `Any`.
    #[serde(default)]
    pub open: Vec<String>,
    /// Whether a value of a type with arguments is never of one of these.
    #[serde(default)]
    pub exact: bool,
    /// Kinds of names that are those of types, where a value may have the same name and is another thing.
    #[serde(default)]
    pub namespace: Vec<String>,
    /// Types that no class declares, and that nothing is above: `int`.
    #[serde(default)]
    pub primitives: Vec<String>,
    /// Classes of the first module that needs no import.
    #[serde(default)]
    pub known: Vec<String>,
    /// Of which class literals are, by their kind.
    #[serde(default)]
    pub literals: std::collections::BTreeMap<String, String>,
}

/// How imports are written: `<module>`, `<name>`, `<alias>` and `<q>`, the file's quote, are filled in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportFacts {
    /// A name of a module.
    #[serde(default)]
    pub name: String,
    /// The same, under another name; empty where that can't be.
    #[serde(default)]
    pub name_as: String,
    /// A name that is a member of a class, where that is written otherwise.
    #[serde(default)]
    pub member: String,
    /// A module.
    #[serde(default)]
    pub module: String,
    /// The same, under another name.
    #[serde(default)]
    pub module_as: String,
    /// What a module exports by default.
    #[serde(default)]
    pub default: String,
    /// What stands for every name of a module.
    #[serde(default)]
    pub wildcard: String,
    /// A name with an alias in a list.
    #[serde(default)]
    pub element_as: String,
    /// Kinds of lists that names of one module may join.
    #[serde(default)]
    pub lists: Vec<String>,
    /// Whether those lists hold modules, and not names of one.
    #[serde(default)]
    pub module_lists: bool,
    /// Whether modules that are not the language's own begin with the name of a host, with a dot in it: they stand
    /// in groups of their own.
    #[serde(default)]
    pub hosted: bool,
    /// Kinds of what must stand before every import.
    #[serde(default)]
    pub preamble: Vec<String>,
    /// Whether modules are named by paths of files, with dots in them.
    #[serde(default)]
    pub file_modules: bool,
    /// Modules that are their own default export.
    #[serde(default)]
    pub whole_defaults: Vec<String>,
    /// Whether what a module holds is reached through the module only.
    #[serde(default)]
    pub through_module: bool,
    /// Whether the `;` may be left out.
    #[serde(default)]
    pub optional_semicolon: bool,
    /// Whether one brings its names only once it was run.
    #[serde(default)]
    pub runs: bool,
    /// Whether one brings its names to what stands below it only.
    #[serde(default)]
    pub from_here: bool,
    /// What begins an attribute of an import that is not there in every build.
    #[serde(default)]
    pub conditional: Vec<String>,
    /// Names of which a file that imports in this way speaks, where it has no import yet.
    #[serde(default)]
    pub signs: Vec<String>,
}

impl ImportFacts {
    /// Whether a module is its own default export.
    pub fn is_whole_default(&self, module: &str) -> bool {
        let bare = module.strip_prefix("node:").unwrap_or(module);
        self.whole_defaults.iter().any(|whole| whole == bare || whole == module)
    }
}

impl SymbolFacts {
    fn default_in_texts() -> bool {
        true
    }

    fn default_separator() -> String {
        ".".to_owned()
    }
}
