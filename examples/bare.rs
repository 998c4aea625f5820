//! The floor that gander is measured against: walk, read, look for a text, and parse
//! with bare tree-sitter the files that hold it, visiting every node. It matches nothing.
//!
//! `bare LANGUAGE TEXT FOLDER`; an empty text is in every file. See `benches/peers`.

// Nothing of gander is used, so that nothing of gander is measured.
use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use tree_sitter_language::LanguageFn;

const LANGUAGES: [(&str, &str, LanguageFn); 6] = [
    ("python", "py", tree_sitter_python::LANGUAGE),
    ("java", "java", tree_sitter_java::LANGUAGE),
    ("scala", "scala", tree_sitter_scala::LANGUAGE),
    ("rust", "rs", tree_sitter_rust::LANGUAGE),
    ("javascript", "js", tree_sitter_javascript::LANGUAGE),
    ("typescript", "ts", tree_sitter_typescript::LANGUAGE_TYPESCRIPT),
];

thread_local! {
    static KEPT: RefCell<(Vec<u8>, tree_sitter::Parser)> = RefCell::new((Vec::new(), tree_sitter::Parser::new()));
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, text, folder] = args.as_slice() else {
        eprintln!("bare LANGUAGE TEXT FOLDER");
        std::process::exit(2);
    };
    let Some((_, extension, function)) = LANGUAGES.iter().find(|(known, ..)| known == name) else {
        eprintln!("bare speaks {}", LANGUAGES.map(|(name, ..)| name).join(", "));
        std::process::exit(2);
    };
    let language = tree_sitter::Language::from(*function);
    let finder = memchr::memmem::Finder::new(text);
    let (files, parsed, nodes) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let speaks = |path: &Path| path.extension().is_some_and(|e| e == *extension);
    let mut walk = ignore::WalkBuilder::new(folder);
    let walk = walk.hidden(false).sort_by_file_name(Ord::cmp).build();
    let found = walk.filter_map(Result::ok).filter(|e| e.file_type().is_some_and(|t| t.is_file()) && speaks(e.path()));
    found.par_bridge().for_each(|entry| {
        KEPT.with_borrow_mut(|(bytes, parser)| {
            bytes.clear();
            let read = std::fs::File::open(entry.path()).and_then(|mut f| std::io::Read::read_to_end(&mut f, bytes));
            files.fetch_add(1, Ordering::Relaxed);
            if read.is_err() || finder.find(bytes).is_none() || std::str::from_utf8(bytes).is_err() {
                return;
            }
            parsed.fetch_add(1, Ordering::Relaxed);
            let _ = parser.set_language(&language);
            let Some(tree) = parser.parse(&*bytes, None) else { return };
            nodes.fetch_add(visit(tree.walk()), Ordering::Relaxed);
        });
    });
    println!("{} files, {} parsed, {} nodes", files.into_inner(), parsed.into_inner(), nodes.into_inner());
}

fn visit(mut cursor: tree_sitter::TreeCursor<'_>) -> usize {
    let mut nodes = 0;
    loop {
        nodes += 1;
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return nodes;
            }
        }
    }
}
