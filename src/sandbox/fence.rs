//! A second fence around a step, by Landlock: whatever the mounts let through, it writes
//! only below its own folders, makes no devices, and signals nobody outside of itself.
//!
//! Must not: be what a promise rests on alone. Older kernels have less of it, or none.

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, RestrictionStatus, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

/// The newest version that is asked for; of older kernels, what they have.
const VERSION: ABI = ABI::V6;
/// Where a step may write besides its mounts: the devices that everybody has.
const DEVICES: &str = "/dev";

/// Whether this kernel has it.
pub fn is_to_be_had() -> bool {
    let strict = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    strict.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

/// Fences the calling thread in, and all that it will start. `writable` are the mount
/// points that steps may write to; those that are not there are passed over.
pub fn put_up(writable: &[String]) -> Result<(), String> {
    let status = restrict(writable).map_err(|error| format!("cannot fence the step in: {error}"))?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("cannot fence the step in: the kernel took no notice".to_owned()),
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
    }
}

fn restrict(writable: &[String]) -> Result<RestrictionStatus, RulesetError> {
    let made = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(VERSION))?
        .scope(Scope::from_all(VERSION))?
        .create()?;
    let devices = AccessFs::MakeChar | AccessFs::MakeBlock;
    let mut fence = below(made, "/", AccessFs::from_read(VERSION))?;
    for folder in writable.iter().map(String::as_str).chain([DEVICES]) {
        fence = below(fence, folder, AccessFs::from_all(VERSION) & !devices)?;
    }
    fence.restrict_self()
}

fn below(fence: RulesetCreated, folder: &str, access: BitFlags<AccessFs>) -> Result<RulesetCreated, RulesetError> {
    match PathFd::new(folder) {
        Ok(place) => fence.add_rule(PathBeneath::new(place, access)),
        Err(_) => Ok(fence),
    }
}
