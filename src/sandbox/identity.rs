//! What steps run with: limits, variables, and the tools of the machine. Two runs of
//! the same code under the same identity may stand for each other.
//!
//! Tools are told by what package managers and installers touch: the entries of the
//! folders of programs with size and time, the package database, Rust's toolchains.
//!
//! Must not: take long. It looks at names and times, never at content.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::spec::PATH;
use super::toolchain::Toolchain;
use crate::config::SandboxConfig;
use crate::digest::{Digest, DigestBuilder};

/// Where libraries lie that no package manager of the system knows, and how deep.
const LIBRARIES: [(&str, usize); 3] = [("/usr/local/lib", 4), ("/usr/lib/jvm", 2), ("/opt", 2)];
/// Package databases.
const DATABASES: [&str; 4] =
    ["/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite", "/lib/apk/db/installed", "/var/lib/pacman/local"];
/// The most entries of one folder tree that are looked at.
const MOST: usize = 20_000;

/// The digest of everything but the code and the steps.
pub fn identity(config: &SandboxConfig, toolchain: &Toolchain) -> Digest {
    let config = SandboxConfig { jobs: None, require: Vec::new(), ..config.clone() };
    let mut digest = DigestBuilder::new("gander.sandbox").field(env!("CARGO_PKG_VERSION")).field(format!("{config:?}"));
    let programs = PATH.split(':').map(PathBuf::from).chain(toolchain.bin());
    for folder in programs {
        digest = listed(digest, &folder, 1);
    }
    for (folder, depth) in LIBRARIES {
        digest = listed(digest, Path::new(folder), depth);
    }
    for database in DATABASES {
        digest = stamp(digest, Path::new(database));
    }
    if let Some(rustup) = &toolchain.rustup_home {
        digest = listed(digest, &rustup.join("toolchains"), 1);
        digest = digest.field(fs::read(rustup.join("settings.toml")).unwrap_or_default());
    }
    digest = digest.field(toolchain.toolchain.as_deref().unwrap_or_default());
    if let Some(registry) = toolchain.registry() {
        digest = listed(digest, &registry, 3);
    }
    for folder in &config.read_only {
        digest = listed(digest, folder, 3);
    }
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    digest.field(kernel).field(std::env::consts::ARCH).finish()
}

/// Names, sizes and times of what lies in a folder.
fn listed(mut digest: DigestBuilder, folder: &Path, depth: usize) -> DigestBuilder {
    digest = digest.field(folder.to_string_lossy().as_bytes());
    let walk = walkdir::WalkDir::new(folder).follow_links(false).max_depth(depth).sort_by_file_name();
    for entry in walk.into_iter().flatten().take(MOST) {
        digest = digest.field(entry.path().to_string_lossy().as_bytes());
        digest = match entry.path_is_symlink() {
            true => digest.field(fs::read_link(entry.path()).unwrap_or_default().to_string_lossy().as_bytes()),
            false => stamp(digest, entry.path()),
        };
    }
    digest
}

fn stamp(digest: DigestBuilder, path: &Path) -> DigestBuilder {
    let Ok(meta) = fs::metadata(path) else { return digest.field("absent") };
    let time = meta.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    digest.field(format!("{} {}", meta.len(), time.unwrap_or_default().as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_step_runs_with_tells_two_runs_apart() {
        let folder = tempfile::tempdir().unwrap();
        let (config, toolchain) = (SandboxConfig::default(), Toolchain::detect());
        let plain = identity(&config, &toolchain);
        assert_eq!(identity(&SandboxConfig { jobs: Some(3), ..config.clone() }, &toolchain), plain);
        assert_ne!(identity(&SandboxConfig { memory: 1 << 30, ..config.clone() }, &toolchain), plain);
        let shown = SandboxConfig { read_only: vec![folder.path().to_owned()], ..config };
        let empty = identity(&shown, &toolchain);
        assert_ne!(empty, plain);
        fs::create_dir(folder.path().join("a-new-tool")).unwrap();
        assert_ne!(identity(&shown, &toolchain), empty);
    }
}
