//! The `gander` program: everything lives in the library.

use gander::cli::Exit;

fn main() -> Exit {
    // The sandbox starts gander itself, single-threaded, before anything else happens.
    if std::env::args_os().nth(1).is_some_and(|arg| arg == gander::sandbox::SUBCOMMAND) {
        std::process::exit(gander::sandbox::helper_main());
    }
    gander::cli::main()
}
