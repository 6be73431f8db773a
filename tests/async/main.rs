//! Async calls: guests that wait without a thread, on executors of every kind.

// In a module, so that `tests/sanitize.sh` can skip these tests by name.
mod fibers;
