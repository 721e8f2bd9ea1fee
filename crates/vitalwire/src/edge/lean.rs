//! An edge has little memory. The allocator takes its memory in huge pages unless it is told otherwise, and a
//! huge page is 2 MiB wherever one byte of it is used: fast for a busy centre, but tens of MiB more than
//! an edge needs (docs/interfaces/edge.md has the figures). It reads what it is told from the environment
//! when the program begins, so an edge says it there and begins once more, as the same process.

/// What tells the allocator.
const TOLD: &str = "MIMALLOC_ALLOW_THP";

/// Begins again with the allocator told, unless somebody has told it already. Where that fails the edge
/// goes on with more memory.
pub(super) fn begin_again() {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::process::CommandExt;
        if std::env::var_os(TOLD).is_some() {
            return;
        }
        let Ok(program) = std::env::current_exe() else { return };
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_else(|| program.clone().into_os_string());
        // Returns only if it fails.
        let _ = std::process::Command::new(program).arg0(name).args(arguments).env(TOLD, "0").exec();
    }
}
