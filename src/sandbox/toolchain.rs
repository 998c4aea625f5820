//! Finds a Rust toolchain that lies below a home folder, so that it can be shown
//! to a sandbox without the rest of that home: no credentials, no configuration.
//!
//! Must not: mount anything, or look below the folders it names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::spec::{HOME, PATH};

/// Where the parts of Rust lie on the host; `None` for what is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// The folder that holds `bin` and `registry`.
    pub cargo_home: Option<PathBuf>,
    /// The folder that holds `toolchains`.
    pub rustup_home: Option<PathBuf>,
    /// The toolchain to use where rustup has no default of its own.
    pub toolchain: Option<String>,
}

impl Toolchain {
    /// What the environment and the home folder of this process tell.
    pub fn detect() -> Self {
        let home = std::env::home_dir();
        let at = |variable: &str, folder: &str| {
            std::env::var_os(variable)
                .map(PathBuf::from)
                .or_else(|| home.as_ref().map(|home| home.join(folder)))
                .filter(|path| path.is_absolute() && path.is_dir())
        };
        let rustup_home = at("RUSTUP_HOME", ".rustup");
        let has_default = rustup_home.as_deref().is_some_and(has_default);
        Self {
            cargo_home: at("CARGO_HOME", ".cargo"),
            rustup_home,
            toolchain: std::env::var("RUSTUP_TOOLCHAIN").ok().filter(|_| !has_default),
        }
    }

    /// The folder of cargo and the rustup proxies.
    pub fn bin(&self) -> Option<PathBuf> {
        self.cargo_home.as_ref().map(|home| home.join("bin")).filter(|bin| bin.is_dir())
    }

    /// The folder of downloaded crates.
    pub fn registry(&self) -> Option<PathBuf> {
        self.cargo_home.as_ref().map(|home| home.join("registry")).filter(|registry| registry.is_dir())
    }

    /// The folder of crates that come from git.
    pub fn git(&self) -> Option<PathBuf> {
        self.cargo_home.as_ref().map(|home| home.join("git")).filter(|git| git.is_dir())
    }

    /// The environment of a step inside of the namespaces.
    pub fn env_inside(&self) -> BTreeMap<String, String> {
        let mut env = self.env_common();
        let path = match self.bin() {
            Some(bin) => format!("{}:{PATH}", bin.display()),
            None => PATH.to_owned(),
        };
        env.insert("PATH".to_owned(), path);
        env.insert("HOME".to_owned(), HOME.to_owned());
        env.insert("TMPDIR".to_owned(), "/tmp".to_owned());
        env.insert("USER".to_owned(), "gander".to_owned());
        env.insert("LOGNAME".to_owned(), "gander".to_owned());
        env.insert("CARGO_HOME".to_owned(), format!("{HOME}/.cargo"));
        env
    }

    /// The environment of a step that runs without isolation, in `home` and `tmp`.
    pub fn env_outside(&self, home: &Path, tmp: &Path) -> BTreeMap<String, String> {
        let mut env = self.env_common();
        // `--sandbox none` uses the machine as it is, the places of programs included.
        for name in ["PATH", "SystemRoot", "PATHEXT", "ComSpec"] {
            if let Ok(value) = std::env::var(name) {
                env.insert(name.to_owned(), value);
            }
        }
        env.insert("HOME".to_owned(), home.to_string_lossy().into_owned());
        for name in ["TMPDIR", "TMP", "TEMP"] {
            env.insert(name.to_owned(), tmp.to_string_lossy().into_owned());
        }
        if let Some(cargo_home) = &self.cargo_home {
            let cargo_home = cargo_home.to_string_lossy().into_owned();
            env.insert("CARGO_HOME".to_owned(), cargo_home);
        }
        env
    }

    fn env_common(&self) -> BTreeMap<String, String> {
        let mut env = BTreeMap::from([
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("CARGO_NET_OFFLINE".to_owned(), "true".to_owned()),
            // Without it pytest does not say which tests passed.
            ("PYTEST_ADDOPTS".to_owned(), "-rA".to_owned()),
            ("RUSTUP_AUTO_INSTALL".to_owned(), "0".to_owned()),
        ]);
        if let Some(rustup_home) = &self.rustup_home {
            let rustup_home = rustup_home.to_string_lossy().into_owned();
            env.insert("RUSTUP_HOME".to_owned(), rustup_home);
        }
        if let Some(toolchain) = &self.toolchain {
            env.insert("RUSTUP_TOOLCHAIN".to_owned(), toolchain.clone());
        }
        env
    }
}

/// Whether rustup names a default toolchain. Without one, its proxies refuse to
/// start unless `RUSTUP_TOOLCHAIN` is set, and with one, setting that variable
/// would override what the consumer asks for.
fn has_default(rustup_home: &Path) -> bool {
    std::fs::read_to_string(rustup_home.join("settings.toml"))
        .ok()
        .and_then(|text| text.parse::<toml::Table>().ok())
        .is_some_and(|settings| settings.contains_key("default_toolchain"))
}
