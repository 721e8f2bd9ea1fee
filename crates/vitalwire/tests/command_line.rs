//! The command line as scripts see it: exit codes 0 (done), 1 (the job failed) and 2 (used wrongly),
//! and errors that say what to do.

use std::path::Path;
use std::process::Command;

/// Runs the program; its exit code and what it said must be as expected.
fn check(folder: &Path, arguments: &[&str], code: i32, said: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitalwire"));
    command.args(arguments).current_dir(folder).env_clear();
    let output = command.output().expect("the program can be started");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(said), "{arguments:?}: {text}");
}

#[test]
fn exit_codes_and_advice() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write("unknown.toml", "[http]\nlissten = 'x'\n").expect("written");
    write("file", "not a folder").expect("written");
    for (arguments, code, said) in [
        (&["--version"][..], 0, "vitalwire"),
        (&["--help"], 0, "serve"),
        (&["devices", "catalogue"], 0, "tests/sessions/hl7-pcd-01"),
        (&["device", "catalogue", "MDC_CONC_GLU_ISF", "--json"], 0, "\"session\":\"gatt-cgm\""),
        (&["devices", "catalogue", "teapot"], 1, "connect-a-device.md"),
        (&["serve", "--colour"], 2, "--colour"),
        (&["serve", "--config", "unknown.toml"], 2, "http.listen"),
        (&["serve", "--config", "absent.toml"], 2, "absent.toml"),
        (&["serve", "--open", "--http", "0.0.0.0:0"], 2, "loopback"),
        (&["serve", "--open", "--data", "file"], 1, "file"),
        (&["user", "token", "x", "--role", "king", "--data", "d"], 2, "administrator"),
    ] {
        check(folder.path(), arguments, code, said);
    }
}
