//! Generates the parser from `src/grammar.json` and compiles it, without node and
//! without the tree-sitter program. Eighteen megabytes of C are thus in no history.

use std::error::Error;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=src/grammar.json");
    println!("cargo:rerun-if-changed=src/scanner.c");
    println!("cargo:rerun-if-changed=src/scanner");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let grammar = std::fs::read_to_string("src/grammar.json")?;
    let (_, parser) = tree_sitter_generate::generate_parser_for_grammar(
        &grammar,
        Some((0, 1, 0)),
        tree_sitter_generate::OptLevel::default(),
        &mut Vec::new(),
    )?;
    let headers = out.join("tree_sitter");
    std::fs::create_dir_all(&headers)?;
    std::fs::write(headers.join("parser.h"), tree_sitter_generate::PARSER_HEADER)?;
    std::fs::write(headers.join("alloc.h"), tree_sitter_generate::ALLOC_HEADER)?;
    std::fs::write(out.join("parser.c"), parser)?;
    // Tables, and one large function: optimised a little even where the crate is not.
    cc::Build::new()
        .std("c11")
        .include(&out)
        .opt_level(1)
        .warnings(false)
        .file(out.join("parser.c"))
        .file("src/scanner.c")
        .try_compile("tree-sitter-googlesql")?;
    Ok(())
}
