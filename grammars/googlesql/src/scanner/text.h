// The tokens, what the scanner remembers, and characters and words.
#ifndef GOOGLESQL_TEXT_H
#define GOOGLESQL_TEXT_H

#include "tree_sitter/parser.h"

#include <string.h>

enum Token {
  UNCLOSED, FULL, END_OF_FILE, NULLS, BREAK, ALT_OPERAND, ALT, ALT_AS, FRAGMENT, JOINER, RAW,
  STRING, DSTRING, BACKTICKED, STRING_OPEN, DSTRING_OPEN, BACKTICK_OPEN, CHUNK, STRING_CLOSE,
  JINJA_STRING, PREFIX, MIDDLE, SUFFIX, NAME_END, DASHED, DOT_STAR,
  BODY_END, SET_MODE, STAR_EXCEPT, DOT_PAREN, MACRO_BODY, OPEN_SET, OPEN_ALONE,
  TYPED, PIVOT, UNPIVOT, MATCH_RECOGNIZE, ALIGN, SAMPLE, FILTER, CLAMPED,
  OFFSET, TOP, JOIN_WORD, GENERIC, UNIT, FULL_STOP, DOT_NAME, COLON,
};

enum { LOOK = 4096, WORD = 32 };

/// `quote` is the quote of the string that is open, 0 outside of one; `unclosed` are the
/// quotes that were found to have no end, so that their end is sought once.
typedef struct {
  uint8_t quote, triple, jinja, begun, ended, unclosed;
} Scanner;

static inline int32_t peek(TSLexer *l) { return l->lookahead; }
static inline void step(TSLexer *l) { l->advance(l, false); }

static bool is_space(int32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || (c >= 0x2000 && c <= 0x200b) || c == 0x3000 || c == 0xfeff;
}
static bool is_start(int32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c > 0xaa && !is_space(c));
}
static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }
static bool is_word(int32_t c) { return is_start(c) || is_digit(c) || c == '$'; }
static int32_t lower(int32_t c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

/// A token before whatever comes: the mark is where the scan began.
static bool zero_width(TSLexer *l, Scanner *s, unsigned symbol) {
  s->begun = 1;
  l->result_symbol = symbol;
  return true;
}

/// Reads a word in lower case, cut to fit. Answers its length.
static unsigned read_word(TSLexer *l, char *word) {
  unsigned n = 0;
  while (is_word(peek(l))) {
    int32_t c = lower(peek(l));
    if (n < WORD - 1) word[n] = c < 128 ? (char)c : '?';
    n++;
    step(l);
  }
  word[n < WORD - 1 ? n : WORD - 1] = 0;
  return n;
}

static bool is(const char *word, const char *list) {
  // `list` is words between spaces: " and or ".
  size_t n = strlen(word);
  if (!n) return false;
  for (const char *at = strstr(list, word); at; at = strstr(at + 1, word)) {
    if (at[-1] == ' ' && at[n] == ' ') return true;
  }
  return false;
}

#endif
