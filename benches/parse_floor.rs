//! What a check costs, against the floor: reading and parsing the same files and doing nothing with them.
//!
//! `cargo bench --bench parse_floor -- FOLDER…` runs both by turns, in processes of their own, with the same allocator,
//! profile, number of threads and stacks, and compares the processor time they took. The floor parses without the guard
//! against deep nesting, so a file that overflows the stack ends it.

use leaklint::parse::STACK_BYTES;
use leaklint::source::SourceText;
use rayon::prelude::*;
use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How often both are run; the first round only warms the caches of the system.
const ROUNDS: usize = 6;

/// What makes this program the floor itself.
const FLOOR: &str = "--floor";

/// In the unit of the process table, 1/100 s on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

fn main() -> Result<()> {
    // `cargo bench` adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.split_first() {
        Some((first, folders)) if first == FLOOR => floor(folders),
        Some(_) => arguments.iter().try_for_each(|folder| compare(folder)),
        None => compare("."),
    }
}

/// Walks, reads and parses.
fn floor(folders: &[String]) -> Result<()> {
    let folders: Vec<PathBuf> = folders.iter().map(PathBuf::from).collect();
    let files = leaklint::discover::discover(&folders, &[])?.files;
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES).build()?;
    let parse = |path: &PathBuf| {
        let Ok(source) = SourceText::read(path) else { return (0, 0) };
        let code = source.code().0;
        let parsed = syn::parse_str::<syn::File>(code).is_ok();
        proc_macro2::extra::invalidate_current_thread_spans();
        (usize::from(parsed), code.len())
    };
    let sum = |a: (usize, usize), b: (usize, usize)| (a.0 + b.0, a.1 + b.1);
    let files = files.par_iter().with_max_len(1);
    let (parsed, bytes) = pool.install(|| files.map(|file| parse(&file.path)).reduce(|| (0, 0), sum));
    println!("{parsed} files, {:.1} MB", bytes as f64 / 1e6);
    Ok(())
}

fn compare(folder: &str) -> Result<()> {
    let this = std::env::current_exe()?;
    let mut floor = Command::new(&this);
    floor.args([FLOOR, folder]);
    let mut check = Command::new(env!("CARGO_BIN_EXE_leaklint"));
    check.args(["check", "--exit-zero", "--quiet", "--isolated", "--no-cache", folder]);
    let size = String::from_utf8(floor.output()?.stdout)?;
    measure(&mut check)?;
    let (mut floors, mut checks) = (Vec::new(), Vec::new());
    for _ in 1..ROUNDS {
        floors.push(measure(&mut floor)?);
        checks.push(measure(&mut check)?);
    }
    println!("{folder}: {}", size.trim());
    let (floor, check) = (median(&mut floors), median(&mut checks));
    println!("  floor {:6.2} s CPU {:6.2} s wall", floor.cpu, floor.wall);
    println!("  check {:6.2} s CPU {:6.2} s wall", check.cpu, check.wall);
    println!("  ratio {:6.2}", check.cpu / floor.cpu);
    Ok(())
}

#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

fn measure(command: &mut Command) -> Result<Cost> {
    let (before, start) = (cpu_of_children()?, Instant::now());
    let status = command.stdout(Stdio::null()).status()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    Ok(Cost { cpu: cpu_of_children()? - before, wall: start.elapsed().as_secs_f64() })
}

/// By processor time, which neighbours on the machine disturb less than the clock.
fn median(costs: &mut [Cost]) -> Cost {
    costs.sort_by(|a, b| a.cpu.total_cmp(&b.cpu));
    costs[costs.len() / 2]
}

/// User and system time of all children that were waited for.
fn cpu_of_children() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in parentheses may hold spaces. After it, from the state on: `cutime` and `cstime`.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks = fields.split_whitespace().skip(13).take(2).map(str::parse::<u64>);
    Ok(ticks.sum::<std::result::Result<u64, _>>()? as f64 / TICKS_PER_SECOND)
}
