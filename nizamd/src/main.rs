//! nizamd, the control daemon of NIZAM.

use std::process::ExitCode;

fn main() -> ExitCode {
    nizamd::command::run(std::env::args_os())
}
