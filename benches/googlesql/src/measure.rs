//! `measure CASES [--failures CORPUS [--half seen]] [--kinds CORPUS]`: the shares of
//! cases that the grammar reads as it should, and how fast.

use std::collections::BTreeMap;
use std::path::Path;

use googlesql_bench::{Case, corpora, cpu_time, first_error, parse, parser};

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1));
    let folder = args.first().ok_or("usage: measure CASES [--failures CORPUS] [--kinds CORPUS]")?;
    let corpora = corpora(Path::new(folder))?;
    let mut parser = parser();
    println!("{:<18} {:>16} {:>24} {:>16}", "corpus", "accepted", "of these: seen, held", "rejected");
    for (name, cases) in &corpora {
        let read: Vec<bool> = cases.iter().map(|c| !parse(&mut parser, &c.text).root_node().has_error()).collect();
        let share = |wanted: &dyn Fn(&Case) -> bool, outcome: bool| {
            let chosen: Vec<bool> = cases.iter().zip(&read).filter(|(c, _)| wanted(c)).map(|(_, r)| *r).collect();
            let good = chosen.iter().filter(|r| **r == outcome).count();
            let percent = 100.0 * good as f64 / chosen.len().max(1) as f64;
            (format!("{percent:.1}"), format!("{good}/{}", chosen.len()))
        };
        let all = share(&|c| c.accept, true);
        let seen = share(&|c| c.accept && c.half == "seen", true);
        let held = share(&|c| c.accept && c.half == "held", true);
        let rejected = share(&|c| !c.accept, false);
        let rejected =
            if cases.iter().all(|c| c.accept) { String::new() } else { format!("{} {}", rejected.0, rejected.1) };
        println!("{name:<18} {:>6} {:>9} {:>16} {:>7} {rejected:>16}", all.0, all.1, seen.0, held.0);
        if option("--kinds") == Some(name) {
            let mut kinds: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
            for (case, read) in cases.iter().zip(&read) {
                let counts = kinds.entry(&case.kind).or_default();
                let at = if case.accept { 0 } else { 2 };
                counts[at] += usize::from(*read == case.accept);
                counts[at + 1] += 1;
            }
            for (kind, [good, all, refused, wrong]) in kinds {
                println!("    {kind:<40} accepted {good:>4}/{all:<4} rejected {refused:>4}/{wrong}");
            }
        }
        if option("--failures") == Some(name) {
            let wrong = args.iter().any(|a| a == "--wrong");
            for (case, read) in cases.iter().zip(&read) {
                if *read == case.accept || case.accept == wrong || option("--half").is_some_and(|h| *h != case.half) {
                    continue;
                }
                let tree = parse(&mut parser, &case.text);
                let place = first_error(tree.root_node()).map(|n| n.start_position());
                let (line, column) = place.map_or((0, 0), |p| (p.row, p.column));
                println!("=== {} at {}:{}", case.place, line + 1, column + 1);
                println!(
                    "{}",
                    case.text
                        .lines()
                        .skip(line.saturating_sub(if case.text.len() > 2000 { 3 } else { 99 }))
                        .take(14)
                        .collect::<Vec<_>>()
                        .join("\n")
                );
            }
        }
    }
    // Speed: the texts of a corpus that should parse one after the other, best of three,
    // in the processor's time.
    for (name, cases) in &corpora {
        let cases: Vec<&Case> = cases.iter().filter(|c| c.accept).collect();
        let bytes: usize = cases.iter().map(|c| c.text.len()).sum();
        if bytes < 50_000 || args.iter().any(|a| a == "--no-speed") {
            continue;
        }
        let best = (0..3)
            .map(|_| {
                let start = cpu_time();
                cases.iter().for_each(|c| drop(parse(&mut parser, &c.text)));
                (cpu_time() - start).as_secs_f64()
            })
            .fold(f64::INFINITY, f64::min);
        println!("{name:<18} {:>6.1} MB/s over {:.1} MB", bytes as f64 / 1e6 / best, bytes as f64 / 1e6);
    }
    Ok(())
}
