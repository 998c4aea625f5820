//! `fuzz CASES --seconds N [--seed S]`: cuts, doubles, swaps and joins of the cases'
//! texts, parsed one after the other. A crash or a hang leaves its text in
//! `fuzz-last.sql`; a text that takes longer than its length allows is printed.
//! Times are the processor's, so that a busy machine finds nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use googlesql_bench::{corpora, cpu_time, parse, parser};

/// Slower than this per byte, as often as `TRIES` says, is reported: a hundred times the usual.
const LIMIT: Duration = Duration::from_micros(20);
/// A neighbour on the same core slows a parse, but not this often in a row.
const TRIES: usize = 4;
/// What a text may take whatever its length: recovery from errors tries many ways over a
/// bounded stretch. The worst text of an hour took 85 ms for 2 KB, and as much for 10 KB.
const LEAST: Duration = Duration::from_millis(150);
const PIECES: &[&str] = &[
    "(",
    ")",
    "{{",
    "}}",
    "{%",
    "%}",
    "'",
    "\"",
    "`",
    ";",
    ",",
    "select ",
    " from ",
    "case ",
    " end ",
    "[",
    "]",
    "<",
    "|> ",
    "{% if a %}",
    "{% else %}",
    "{% endif %}",
    "'''",
    "/*",
    "--",
    "{#",
    "@{",
    "begin ",
    "union all ",
    "\\",
    "\u{3000}",
    "é",
];

struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % end.max(1)
    }

    fn place(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

fn mutate(dice: &mut Dice, text: &str, other: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..=dice.below(6) {
        let (a, b) = (dice.place(&text), dice.place(&text));
        let (a, b) = (a.min(b), a.max(b));
        match dice.below(6) {
            0 => text.replace_range(a..b, ""),
            1 if b - a < 2000 => {
                let piece = text[a..b].to_owned();
                text.insert_str(b, &piece);
            }
            2 => text.insert_str(a, PIECES[dice.below(PIECES.len())]),
            3 => {
                let piece = PIECES[dice.below(PIECES.len())];
                text.insert_str(a, &piece.repeat(dice.below(200)));
            }
            4 => text.truncate(b),
            _ => {
                let (c, d) = (dice.place(other), dice.place(other));
                text.insert_str(a, &other[c.min(d)..c.max(d)]);
            }
        }
    }
    text
}

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| {
        args.iter().position(|a| a == name).and_then(|at| args.get(at + 1)?.parse().ok()).unwrap_or(default)
    };
    let folder = args.first().ok_or("usage: fuzz CASES --seconds N [--seed S]")?;
    let texts: Vec<String> =
        corpora(Path::new(folder))?.into_iter().flat_map(|(_, cases)| cases).map(|c| c.text).collect();
    let mut dice = Dice(number("--seed", 1) | 1);
    let mut parser = parser();
    let (start, seconds) = (Instant::now(), number("--seconds", 60));
    let (mut parses, mut slow, mut worst) = (0_u64, 0, 0.0_f64);
    while start.elapsed().as_secs() < seconds {
        let (one, other) = (dice.below(texts.len()), dice.below(texts.len()));
        let text = mutate(&mut dice, &texts[one], &texts[other]);
        std::fs::write("fuzz-last.sql", &text).map_err(|e| e.to_string())?;
        let time = |parser: &mut _| {
            let start = cpu_time();
            drop(parse(parser, &text));
            cpu_time() - start
        };
        let mut took = time(&mut parser);
        let allowed = LEAST + LIMIT * text.len() as u32;
        for _ in 1..TRIES {
            if took > allowed {
                took = took.min(time(&mut parser));
            }
        }
        if took > allowed {
            slow += 1;
            println!("slow: {took:?} for {} bytes: {:?}", text.len(), &text.chars().take(300).collect::<String>());
        }
        worst = worst.max(took.as_secs_f64() * 1e6 / text.len().max(200) as f64);
        parses += 1;
    }
    println!("{parses} texts parsed in {seconds} s, {slow} slow, at worst {worst:.1} µs a byte");
    if slow > 0 { Err("some texts took too long".to_owned()) } else { Ok(()) }
}
