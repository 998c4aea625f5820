//! The `gander` program: everything lives in the library.

fn main() {}
