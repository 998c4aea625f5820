// Literals and names in quotes, with Jinja in them or without.
#ifndef GOOGLESQL_STRINGS_H
#define GOOGLESQL_STRINGS_H

#include "ahead.h"

/// At `{`: whether Jinja opens here. The look ahead does not go back.
static bool opens_jinja(TSLexer *l) {
  step(l);
  int32_t kind = peek(l);
  if (kind != '{' && kind != '%' && kind != '#') return false;
  step(l);
  int32_t close = kind == '{' ? '}' : kind;
  if (kind == '{') {
    if (peek(l) == '-') step(l);
    while (peek(l) == ' ' || peek(l) == '\n') step(l);
    if (!is_start(peek(l)) && peek(l) != '\'' && peek(l) != '"' && peek(l) != '(' && peek(l) != '[') return false;
  }
  for (int budget = LOOK; budget > 0 && peek(l); budget--) {
    int32_t c = peek(l);
    if (kind == '{' && c == ';') return false;
    step(l);
    if (c == close && peek(l) == '}') return true;
  }
  return false;
}

/// The rest of a literal, from behind its opening quotes. Stops before Jinja.
/// Answers 1 at its end (mark set behind it), 2 at Jinja (mark before it), 0 where neither comes.
static int rest_of_string(TSLexer *l, Scanner *s, bool *empty) {
  *empty = true;
  l->mark_end(l);
  while (!l->eof(l)) {
    int32_t c = peek(l);
    if (c == '{') {
      l->mark_end(l);
      if (opens_jinja(l)) return 2;
      *empty = false;
      continue;
    }
    if (c == '\\') {
      step(l);
      if (!l->eof(l)) step(l);
      *empty = false;
      continue;
    }
    if (c == s->quote) {
      l->mark_end(l);
      step(l);
      if (!s->triple) {
        // Two quotes stand for one in other dialects; in GoogleSQL they part two literals.
        return 1;
      }
      if (peek(l) == s->quote) {
        step(l);
        if (peek(l) == s->quote) {
          step(l);
          return 1;
        }
      }
      *empty = false;
      continue;
    }
    if (!s->triple && c == '\n' && s->quote == '`') return 0;
    step(l);
    *empty = false;
  }
  return 0;
}

/// Whether bytes are text that a prefix may stand before: r, b, rb, br.
static bool is_prefix(const char *word) { return is(word, " r b rb br e x n "); }

/// The bit of a quote in `unclosed`.
static uint8_t bit_of(int32_t quote, bool triple) {
  return (quote == '\'' ? 1 : quote == '"' ? 2 : 4) << (triple ? 3 : 0);
}

/// A literal without an end. Where the parser has lost its way it reaches to the end of its
/// line, so that the damage stays there and nothing is read again and again.
static bool unclosed_string(TSLexer *l, Scanner *s, uint8_t bit, bool recovering) {
  s->unclosed |= bit;
  l->result_symbol = UNCLOSED;
  return recovering;
}

static bool scan_string(TSLexer *l, Scanner *s, const bool *valid) {
  bool recovering = valid[STRING] && valid[JINJA_STRING];
  Scanner opened = *s;
  opened.triple = 0;
  opened.quote = (uint8_t)peek(l);
  step(l);
  if (opened.quote != '`' && peek(l) == opened.quote) {
    step(l);
    if (peek(l) == opened.quote) {
      opened.triple = 1;
      step(l);
    } else {
      l->mark_end(l);
      l->result_symbol = opened.quote == '"' ? DSTRING : STRING;
      return valid[l->result_symbol];
    }
  }
  unsigned whole = opened.quote == '`' ? BACKTICKED : opened.quote == '"' ? DSTRING : STRING;
  unsigned open = opened.quote == '`' ? BACKTICK_OPEN : opened.quote == '"' ? DSTRING_OPEN : STRING_OPEN;
  if (!valid[whole] && !valid[open]) return false;
  l->mark_end(l);
  uint8_t bit = bit_of(opened.quote, opened.triple);
  bool first_line = recovering;
  if (s->unclosed & bit) {
    while (recovering && !l->eof(l) && peek(l) != '\n') step(l);
    l->mark_end(l);
    return unclosed_string(l, s, bit, recovering);
  }
  for (;;) {
    if (l->eof(l)) return unclosed_string(l, s, bit, recovering);
    int32_t c = peek(l);
    if (c == '\n' && first_line) {
      l->mark_end(l);
      first_line = false;
    }
    if (c == '{') {
      // Only the quotes are the token, then: the mark stands behind them.
      if (!first_line && recovering) {
        step(l);
        continue;
      }
      if (opens_jinja(l)) {
        opened.jinja = opened.begun = 1;
        *s = opened;
        l->result_symbol = open;
        return valid[open];
      }
      continue;
    }
    if (c == '\\') {
      step(l);
      if (!l->eof(l)) step(l);
      continue;
    }
    if (c == '\n' && opened.quote == '`') return unclosed_string(l, s, 0, recovering);
    step(l);
    if (c != opened.quote) continue;
    if (!opened.triple) {
      // `''` within a literal of other dialects.
      if (opened.quote != '`' && peek(l) == opened.quote) {
        step(l);
        continue;
      }
      break;
    }
    if (peek(l) != opened.quote) continue;
    step(l);
    if (peek(l) != opened.quote) continue;
    step(l);
    break;
  }
  l->mark_end(l);
  l->result_symbol = whole;
  return valid[whole];
}

static bool scan_inside(TSLexer *l, Scanner *s, const bool *valid) {
  bool empty;
  int found = rest_of_string(l, s, &empty);
  // One without an end reaches to the end of the file.
  if (found == 0) l->mark_end(l);
  if (found == 0 && empty) return false;
  if (!empty) {
    l->result_symbol = CHUNK;
    return valid[CHUNK];
  }
  if (found == 2) return false; // the parser reads `{{` or `{%`
  l->mark_end(l);
  s->quote = s->triple = 0;
  l->result_symbol = STRING_CLOSE;
  return valid[STRING_CLOSE];
}

static bool scan_jinja_string(TSLexer *l, const Scanner *s) {
  int32_t quote = peek(l);
  if (s->unclosed & bit_of(quote, false)) return false;
  step(l);
  while (!l->eof(l)) {
    int32_t c = peek(l);
    step(l);
    if (c == '\\' && !l->eof(l)) step(l);
    if (c == quote) {
      l->mark_end(l);
      l->result_symbol = JINJA_STRING;
      return true;
    }
  }
  return false;
}

/// What a macro stands for: to the semicolon, strings and comments passed over.
static bool scan_macro(TSLexer *l) {
  l->result_symbol = MACRO_BODY;
  bool any = false;
  while (!l->eof(l) && peek(l) != ';') {
    int32_t c = peek(l);
    step(l);
    if (c == '\'' || c == '"' || c == '`') {
      while (!l->eof(l) && peek(l) != c && peek(l) != '\n') {
        if (peek(l) == '\\') step(l);
        step(l);
      }
      step(l);
    } else if (c == '#' || (c == '-' && peek(l) == '-')) {
      while (!l->eof(l) && peek(l) != '\n') step(l);
    } else if (c == '/' && peek(l) == '*') {
      int32_t last = 0;
      for (step(l); !l->eof(l) && !(last == '*' && peek(l) == '/'); step(l)) last = peek(l);
      step(l);
    }
    any = any || !is_space(c);
    l->mark_end(l);
  }
  return any;
}

#endif
