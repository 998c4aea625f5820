//! System calls that no build or test needs and that reach past namespaces.
//!
//! The kernel's keyrings hold credentials (of file systems, of Kerberos) and know
//! of users, not of namespaces: a step that runs as its user could read them. And
//! two requests to a terminal put text into the input of whoever reads it next.
//!
//! Must not: grow into an allow-list. A step is any program there is.

use std::collections::BTreeMap;

use nix::errno::Errno;
use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

/// What is refused, with `EPERM`.
const REFUSED: [libc::c_long; 6] = [
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_keyctl,
    libc::SYS_perf_event_open,
    libc::SYS_request_key,
    libc::SYS_userfaultfd,
];

/// Requests to a terminal that are refused: to type for its user, and the console's
/// selection, which can be made to do the same.
const TYPING: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

/// A filter that is ready to be applied.
pub struct Filter(BpfProgram);

impl Filter {
    /// The filter for this machine; `None` on processors that it is not made for.
    pub fn new() -> Option<Self> {
        let processor = TargetArch::try_from(std::env::consts::ARCH).ok()?;
        let mut rules: BTreeMap<_, _> = REFUSED.into_iter().map(|call| (call, Vec::new())).collect();
        rules.insert(libc::SYS_ioctl, typing().ok()?);
        let refuse = SeccompAction::Errno(Errno::EPERM as u32);
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor).ok()?;
        Some(Self(filter.try_into().ok()?))
    }

    /// Applies it to the calling thread and to all that it will start.
    pub fn apply(&self) -> Result<(), String> {
        apply_filter(&self.0).map_err(|error| format!("cannot refuse system calls: {error}"))
    }
}

/// The kernel looks at the lower half of the request only, and so must this.
fn typing() -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |request: u64| {
        let is = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request)?;
        SeccompRule::new(vec![is])
    };
    TYPING.into_iter().map(rule).collect()
}
