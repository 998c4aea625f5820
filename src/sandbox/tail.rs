//! Keeps the end of what a step prints and drops the rest, however much it is.
//!
//! Must not: grow with the output.

/// The most that is kept, in bytes.
pub const KEPT: u64 = 16 << 10;

/// The end of an output.
#[derive(Debug)]
pub struct Tail {
    keep: usize,
    bytes: Vec<u8>,
    seen: u64,
}

impl Tail {
    /// Keeps the last `limit` bytes, at most [`KEPT`].
    pub fn new(limit: u64) -> Self {
        Self { keep: limit.min(KEPT) as usize, bytes: Vec::new(), seen: 0 }
    }

    /// Adds what was printed.
    pub fn push(&mut self, bytes: &[u8]) {
        self.seen += bytes.len() as u64;
        let bytes = &bytes[bytes.len().saturating_sub(self.keep)..];
        self.bytes.extend_from_slice(bytes);
        // Shifting only every `keep` bytes keeps the cost per byte constant.
        if self.bytes.len() > self.keep * 2 {
            self.bytes.drain(..self.bytes.len() - self.keep);
        }
    }

    /// What was kept, as text of at most [`KEPT`] bytes; what was dropped is said.
    pub fn text(mut self) -> String {
        let surplus = self.bytes.len().saturating_sub(self.keep);
        self.bytes.drain(..surplus);
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let dropped = self.seen - self.bytes.len() as u64;
        if dropped == 0 && text.len() <= KEPT as usize {
            return text;
        }
        let notice = format!("[{dropped} earlier bytes were dropped]\n");
        let room = (KEPT as usize).saturating_sub(notice.len());
        let mut start = text.len().saturating_sub(room);
        while !text.is_char_boundary(start) {
            start += 1;
        }
        notice + &text[start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_kept_whole() {
        let mut tail = Tail::new(1 << 20);
        tail.push(b"one ");
        tail.push("zwölf".as_bytes());
        assert_eq!(tail.text(), "one zwölf");
    }

    #[test]
    fn the_end_of_long_output_is_kept_and_the_loss_is_said() {
        let mut tail = Tail::new(1 << 20);
        for number in 0..100_000 {
            tail.push(format!("{number}\n").as_bytes());
        }
        let text = tail.text();
        assert!(text.len() <= KEPT as usize, "{}", text.len());
        assert!(text.starts_with("[") && text.contains("earlier bytes were dropped]"));
        assert!(text.ends_with("99998\n99999\n"));
    }

    #[test]
    fn a_lower_limit_holds_and_bad_utf8_stays_bounded() {
        let mut tail = Tail::new(3);
        tail.push(b"abcdef");
        assert!(tail.text().ends_with("\ndef"));
        let mut tail = Tail::new(u64::MAX);
        tail.push(&[0xff; KEPT as usize]);
        assert!(tail.text().len() <= KEPT as usize);
    }
}
