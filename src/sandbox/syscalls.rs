//! System calls that no build or test needs and that reach past namespaces.
//!
//! The kernel's keyrings hold credentials (of file systems, of Kerberos) and know
//! of users, not of namespaces: a step that runs as its user could read them. Two
//! requests to a terminal put text into the input of whoever reads it next. Some
//! families of sockets know nothing of network namespaces: `vsock` leads from a virtual
//! machine to its host. And the kernel's log tells of everybody.
//!
//! Must not: grow into an allow-list. A step is any program there is.

use std::collections::BTreeMap;

use nix::errno::Errno;
use nix::libc;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

/// What is refused, with `EPERM`. `io_uring` takes requests past every filter.
const REFUSED: [libc::c_long; 10] = [
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_keyctl,
    libc::SYS_perf_event_open,
    libc::SYS_request_key,
    libc::SYS_syslog,
    libc::SYS_userfaultfd,
];

/// The families of sockets that are let through. All of them know namespaces.
const FAMILIES: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The second set of numbers that an x86 kernel may know for the same calls, and the one
/// call among ours that has another number there.
#[cfg(target_arch = "x86_64")]
const X32: libc::c_long = 0x4000_0000;
#[cfg(target_arch = "x86_64")]
const X32_IOCTL: libc::c_long = X32 | 514;

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
        rules.insert(libc::SYS_socket, odd_families().ok()?);
        #[cfg(target_arch = "x86_64")]
        {
            let again: Vec<_> = rules.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
            rules.extend(again);
            rules.insert(X32_IOCTL, typing().ok()?);
        }
        let refuse = SeccompAction::Errno(Errno::EPERM as u32);
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, processor).ok()?;
        Some(Self(filter.try_into().ok()?))
    }

    /// Applies it to the calling thread and to all that it will start.
    pub fn apply(&self) -> Result<(), String> {
        apply_filter(&self.0).map_err(|error| format!("cannot refuse system calls: {error}"))
    }
}

/// One rule: the family is none of those that are let through.
fn odd_families() -> Result<Vec<SeccompRule>, BackendError> {
    let is_not = |family: libc::c_int| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family.unsigned_abs().into())
    };
    let all: Result<Vec<_>, _> = FAMILIES.into_iter().map(is_not).collect();
    Ok(vec![SeccompRule::new(all?)?])
}

/// The kernel looks at the lower half of the request only, and so must this.
fn typing() -> Result<Vec<SeccompRule>, BackendError> {
    let rule = |request: u64| {
        let is = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request)?;
        SeccompRule::new(vec![is])
    };
    TYPING.into_iter().map(rule).collect()
}
