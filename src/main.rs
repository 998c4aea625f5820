//! The `gander` program: everything lives in the library.

use gander::cli::Exit;

/// tree-sitter asks for memory at every node: this one also answers C, and saves a run that
/// parses everything a tenth of its time (`benches/peers`).
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Exit {
    // The sandbox starts gander itself, single-threaded, before anything else happens.
    if std::env::args_os().nth(1).is_some_and(|arg| arg == gander::sandbox::SUBCOMMAND) {
        std::process::exit(gander::sandbox::helper_main());
    }
    gander::cli::main()
}
