//! Ctrl-C: noticed, not obeyed at once, so that whoever works can end what it has
//! begun and clear away.
//!
//! Must not: end the process at the first signal. The second one does.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

fn flag() -> &'static Arc<AtomicBool> {
    static FLAG: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    FLAG.get_or_init(Arc::default)
}

/// Whether the user wants this to end.
pub fn wanted() -> bool {
    flag().load(Ordering::Relaxed)
}

/// Listens from now on. Where that is impossible, Ctrl-C ends the process as ever.
pub fn listen() {
    #[cfg(unix)]
    static ONCE: std::sync::Once = std::sync::Once::new();
    // Twice, and the first signal would be taken for the second one.
    #[cfg(unix)]
    ONCE.call_once(register);
}

#[cfg(unix)]
fn register() {
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        // In this order: the first signal finds the flag down.
        let _ = signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(flag()));
        let _ = signal_hook::flag::register(signal, Arc::clone(flag()));
    }
}
