//! Where the runner's Python and its packages come from.
//!
//! The packages are locked with their hashes in `requirements.txt`, and installed by
//! `gander verify --prepare` alone: what verifies has no network.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::VerifySql;
use crate::digest::DigestBuilder;
use crate::files::{self, FilesError};
use crate::process::{Invocation, ProcessError};

/// What the runner needs, each with the hashes of its files.
pub const REQUIREMENTS: &str = include_str!("requirements.txt");
/// Where a sandbox finds programs of the system.
const BIN: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];
/// How long installing may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// Why the packages could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// There is no Python that a sandbox sees.
    #[error("[verify.sql] needs Python 3.10 or later: {0}")]
    NoPython(String),
    /// gander's own folder can't be used.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// A program can't be run.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A step of it failed.
    #[error("{what} failed:\n{said}")]
    Failed {
        /// What.
        what: &'static str,
        /// The end of what it printed.
        said: String,
    },
}

/// The program and the folder of its packages.
///
/// # Errors
/// Why there is none, with what to do.
pub fn find(config: &VerifySql, folder: &Path) -> Result<(PathBuf, PathBuf), String> {
    let python = python(config)?;
    let packages = packages(&python, folder);
    if !packages.is_dir() {
        return Err("its packages are not there: `gander verify --prepare` installs them".to_owned());
    }
    Ok((python, packages))
}

fn python(config: &VerifySql) -> Result<PathBuf, String> {
    if let Some(python) = &config.python {
        return Ok(python.clone());
    }
    let there = BIN.iter().map(|folder| Path::new(folder).join("python3")).find(|path| path.is_file());
    there.ok_or_else(|| format!("there is no python3 in {}: install it, or name one by `python`", BIN.join(", ")))
}

/// Packages are compiled for one Python: where it lies names its folder, too.
fn packages(python: &Path, folder: &Path) -> PathBuf {
    let real = python.canonicalize().unwrap_or_else(|_| python.to_owned());
    let name = DigestBuilder::new("gander.sql.packages").field(REQUIREMENTS).field(real.to_string_lossy().as_bytes());
    folder.join(format!("packages-{}", name.finish().short()))
}

/// Installs what `[verify.sql]` needs below `folder`; returns where. What is there already and
/// can be used is left as it is.
///
/// # Errors
/// See [`PrepareError`].
pub fn prepare(config: &VerifySql, folder: &Path) -> Result<PathBuf, PrepareError> {
    let python = python(config).map_err(PrepareError::NoPython)?;
    let place = packages(&python, folder);
    if works(&python, &place) {
        return Ok(place);
    }
    files::make_folder(folder)?;
    files::remove_folder(&place)?;
    let half = place.with_extension("half");
    files::remove_folder(&half)?;
    files::make_folder(&half)?;
    let environment = half.join("environment");
    let venv = Invocation::new(&python).args(["-m", "venv"]).arg(&environment).limit(PATIENCE).interruptible();
    succeed("making a virtual environment (Debian: install python3-venv)", venv)?;
    let requirements = half.join("requirements.txt");
    files::write_whole(&requirements, REQUIREMENTS.as_bytes(), false)?;
    let target = half.join("packages");
    let pip = Invocation::new(environment.join("bin/python"))
        .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"])
        .args(["--require-hashes", "--only-binary", ":all:", "--no-compile", "--target"])
        .arg(&target)
        .arg("--requirement")
        .arg(&requirements)
        .limit(PATIENCE)
        .interruptible();
    succeed("installing the packages", pip)?;
    if !works(&python, &target) {
        let said = "they can't be loaded".to_owned();
        return Err(PrepareError::Failed { what: "trying the packages", said });
    }
    files::settle_folder(&target, &place)?;
    files::remove_folder(&half)?;
    Ok(place)
}

/// Whether the packages can be loaded.
fn works(python: &Path, packages: &Path) -> bool {
    let code = format!(
        "import sys; sys.path.insert(0, {:?}); import duckdb, sqlglot, jinja2",
        packages.to_string_lossy().into_owned()
    );
    let tried = Invocation::new(python).args(["-I", "-S", "-B", "-c", &code]).limit(Duration::from_secs(60)).run();
    packages.is_dir() && tried.is_ok_and(|output| output.success())
}

fn succeed(what: &'static str, invocation: Invocation) -> Result<(), PrepareError> {
    let output = invocation.run()?;
    if output.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().collect();
    let said = lines[lines.len().saturating_sub(12)..].join("\n");
    Err(PrepareError::Failed { what, said })
}
