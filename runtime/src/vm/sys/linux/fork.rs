//! Forks of the process.

/// Has functions called around each fork by the C library: before it, after it in the parent, and after
/// it in the child, each on the thread that forks. They stay for the life of the process.
pub(in crate::vm) fn around_forks(
    before: extern "C" fn(),
    in_parent: extern "C" fn(),
    in_child: extern "C" fn(),
) {
    // SAFETY: the functions take and give locks and change memory of this process, which they may in
    // a forked child too. Without memory for the registration, a child's calls are not interrupted.
    let _ = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}
