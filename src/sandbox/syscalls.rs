//! System calls that no build or test needs and that reach past namespaces.
//!
//! The kernel's keyrings hold credentials (of file systems, of Kerberos) and know
//! of users, not of namespaces: a step that runs as its user could read them.
//!
//! Must not: grow into an allow-list. A step is any program there is.

use std::collections::BTreeMap;

use nix::errno::Errno;
use nix::libc;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

/// What is refused, with `EPERM`.
const REFUSED: [libc::c_long; 6] = [
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_keyctl,
    libc::SYS_perf_event_open,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
];

/// A filter that is ready to be applied.
pub struct Filter(BpfProgram);

impl Filter {
    /// The filter for this machine; `None` on processors that it is not made for.
    pub fn new() -> Option<Self> {
        let processor = TargetArch::try_from(std::env::consts::ARCH).ok()?;
        let rules: BTreeMap<_, _> = REFUSED.into_iter().map(|call| (call, Vec::new())).collect();
        let refuse = SeccompAction::Errno(Errno::EPERM as u32);
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor).ok()?;
        Some(Self(filter.try_into().ok()?))
    }

    /// Applies it to the calling thread and to all that it will start.
    pub fn apply(&self) -> Result<(), String> {
        apply_filter(&self.0).map_err(|error| format!("cannot refuse system calls: {error}"))
    }
}
