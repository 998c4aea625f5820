// What a table of tokens can't tell: strings with Jinja in them, words that are
// keywords only before something else, names made of parts, and which Jinja tags
// part two alternatives.
//
// Bounds: every look ahead is at most LOOK characters, so that no input costs more
// than that many steps a token.

#include "tree_sitter/alloc.h"
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

/// Skips white space and comments. `budget` counts down.
static void blank(TSLexer *l, int *budget) {
  for (;;) {
    while (is_space(peek(l)) && --*budget > 0) step(l);
    if (*budget <= 0) return;
    // Comments begin with two characters, which can't be given back; this is a look ahead only.
    if (peek(l) == '-' || peek(l) == '/') return;
    if (peek(l) == '#') {
      while (peek(l) && peek(l) != '\n' && --*budget > 0) step(l);
      continue;
    }
    return;
  }
}

/// Skips Jinja to its end, from within it. False where it has no end in reach.
static bool rest_of_jinja(TSLexer *l, int32_t kind, int *budget) {
  int32_t close = kind == '{' ? '}' : kind;
  int32_t quote = 0;
  unsigned depth = 0; // of dictionaries: `{{ a({'b': {}}) }}`
  while (peek(l) && --*budget > 0) {
    int32_t c = peek(l);
    if (kind != '#' && quote) {
      if (c == '\\') step(l);
      else if (c == quote) quote = 0;
      step(l);
      continue;
    }
    if (kind != '#' && (c == '"' || c == '\'')) quote = c;
    step(l);
    if (kind != '#' && c == '{') depth++;
    if (kind != '#' && c == '}' && depth) {
      depth--;
      continue;
    }
    if (c == close && peek(l) == '}') {
      step(l);
      return true;
    }
  }
  return false;
}

static bool rest_of_output(TSLexer *l, int *budget) { return rest_of_jinja(l, '{', budget); }

/// Behind `{`: skips a tag, an output or a comment whole.
static bool skip_jinja(TSLexer *l, int *budget) {
  int32_t kind = peek(l);
  step(l);
  return rest_of_jinja(l, kind, budget);
}

/// What comes next in the SQL, Jinja tags and comments left out.
typedef enum { END, WORDS, OPERAND, OUTPUT, OTHER, CLOSER, SEMICOLON } Next;

static Next next_code(TSLexer *l, char *word, int *budget, bool *tags) {
  word[0] = 0;
  for (;;) {
    blank(l, budget);
    if (*budget <= 0 || l->eof(l)) return END;
    int32_t c = peek(l);
    if (c == '{') {
      step(l);
      if (peek(l) == '{') return OUTPUT;
      if (peek(l) != '%' && peek(l) != '#') return OTHER;
      if (peek(l) == '%' && tags) *tags = true;
      if (!skip_jinja(l, budget)) return END;
      continue;
    }
    if (c == '-') {
      step(l);
      if (peek(l) == '-') {
        while (peek(l) && peek(l) != '\n' && --*budget > 0) step(l);
        continue;
      }
      return OTHER;
    }
    if (c == '/') {
      step(l);
      if (peek(l) != '*') return OTHER;
      int32_t last = 0;
      step(l);
      while (peek(l) && --*budget > 0 && !(last == '*' && peek(l) == '/')) {
        last = peek(l);
        step(l);
      }
      step(l);
      continue;
    }
    if (is_start(c)) {
      read_word(l, word);
      return WORDS;
    }
    if (is_digit(c) || c == '\'' || c == '"' || c == '`' || c == '(' || c == '[' || c == '@') return OPERAND;
    if (c == ')' || c == ']' || c == '}') return CLOSER;
    return c == ';' ? SEMICOLON : OTHER;
  }
}

/// Words that begin a statement.
static const char *STATEMENTS =
  " select with insert update delete merge create alter drop undrop truncate declare set begin call export load grant revoke "
  "execute if while loop for return raise assert commit rollback describe show analyze explain values use copy "
  "refresh optimize vacuum comment lock ";
/// Those that are names as often.
static const char *COMMANDS =
  " clone define desc rename run batch abort start import module prepare deallocate pragma declare attach detach install "
  "unset cache uncache reset put rm list kill add get summarize repeat case from table values ";
/// Words that go on with what stands before them.
static const char *GOES_ON =
  " and or as from where group having qualify window order limit join left right inner cross full natural on using union "
  "intersect except when then else end is in like ilike between not over asc desc nulls offset for partition cluster "
  "rows range exclude into collate escape options lateral pivot unpivot tablesample do minus fetch filter returning "
  "preceding following respect ignore within at ";
/// Words before which a list or a chain of operands has ended.
static const char *ENDS = " from where group having qualify window order limit union intersect except end when then else on using as ";

/// Words that join queries, and those that may stand before them: `full outer union`.
static const char *SET_OPERATORS = " union intersect except minus ";
static const char *SET_MODES = " full left right inner outer ";
/// Words that go on with a query in parentheses where it might be an operand or a table as well.
static const char *QUERY_GOES_ON = " union intersect except minus order limit fetch offset ";

// --- strings -----------------------------------------------------------------

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

// --- Jinja tags --------------------------------------------------------------

/// Tags that bound a whole text of their own.
static const char *BOUNDS =
  " macro endmacro test endtest materialization endmaterialization snapshot endsnapshot call endcall endset docs enddocs "
  "block endblock data_test enddata_test ";

/// At `{%`, behind the `{`: whether the tag parts what is before it from what is behind.
/// The token is its `{%` then, or a token of no width before it where an expression ends.
static bool scan_tag(TSLexer *l, Scanner *s, const bool *valid) {
  int budget = LOOK;
  char tag[WORD], word[WORD];
  step(l);
  if (peek(l) == '-' || peek(l) == '+') step(l);
  if (!valid[FULL] && !valid[BODY_END]) l->mark_end(l);
  while (is_space(peek(l)) && --budget > 0) step(l);
  read_word(l, tag);
  if (valid[RAW] && strcmp(tag, "raw") == 0) {
    // To `endraw %}`.
    while (!l->eof(l)) {
      if (is_start(peek(l))) {
        read_word(l, word);
        if (strcmp(word, "endraw") != 0) continue;
        while (!l->eof(l) && peek(l) != '}') step(l);
        step(l);
        l->mark_end(l);
        l->result_symbol = RAW;
        return true;
      }
      step(l);
    }
    // Without an end it is the rest of the file.
    l->mark_end(l);
    l->result_symbol = RAW;
    return true;
  }
  if (!valid[FULL] && !valid[BREAK] && !valid[ALT] && !valid[ALT_AS] && !valid[BODY_END]) return false;
  bool otherwise = strcmp(tag, "else") == 0 || strcmp(tag, "elif") == 0;
  bool bound = is(tag, BOUNDS), alternative = false;
  Next next = END;
  if (!bound) {
    // What follows this tag?
    int32_t quote = 0, last = 0;
    bool closed = false, assigned = false;
    while (peek(l) && --budget > 0) {
      int32_t c = peek(l);
      step(l);
      if (quote) {
        if (c == '\\') step(l);
        else if (c == quote) quote = 0;
        continue;
      }
      if (c == '"' || c == '\'') quote = c;
      if (c == '=') assigned = true;
      if (c == '}' && last == '%') {
        closed = true;
        break;
      }
      last = c;
    }
    if (!closed) return false;
    // `{% set x %}` opens a block.
    if (strcmp(tag, "set") == 0 && !assigned) bound = true;
    next = bound ? END : next_code(l, word, &budget, NULL);
    if (next == WORDS) {
      if (otherwise && valid[ALT_AS] && strcmp(word, "as") == 0) {
        l->result_symbol = ALT_AS;
        s->jinja = 1;
        return true;
      }
      if (valid[BODY_END] && is(word, QUERY_GOES_ON)) return zero_width(l, s, BODY_END);
      bound = is(word, STATEMENTS) && !is(word, " set for if values replace with copy use ");
      if (strcmp(word, "with") == 0) {
        while (is_space(peek(l)) && --budget > 0) step(l);
        read_word(l, word);
        bound = word[0] && !is(word, " offset connection partition depth weight ordinality options time ties rollup ");
      }
      alternative = otherwise && !bound && !is(word, GOES_ON);
    } else if (next == OPERAND) {
      alternative = otherwise;
    } else if (next == OUTPUT && otherwise && skip_jinja(l, &budget)) {
      // An output is an operand where something of one follows it.
      alternative = peek(l) == '.' || peek(l) == '(' || is_word(peek(l));
      if (!alternative) {
        next = next_code(l, word, &budget, NULL);
        alternative = next == WORDS ? is(word, " as in is like ") : next == OTHER && peek(l) != ',' && peek(l) != '{';
      }
    }
  }
  s->jinja = 1;
  unsigned part = valid[FULL] ? ALT_OPERAND : ALT;
  if (alternative && valid[part]) {
    l->result_symbol = part;
    return true;
  }
  if (!bound && next == CLOSER && valid[BODY_END] && !valid[FULL]) bound = true;
  if (!bound) return false;
  l->result_symbol = valid[FULL] ? FULL : valid[BODY_END] ? BODY_END : BREAK;
  return valid[l->result_symbol];
}

/// Behind `case`: whether a statement follows the first `then`.
static bool begins_case_statement(TSLexer *l, int *budget) {
  char word[WORD];
  while (!l->eof(l) && --*budget > 0) {
    if (!is_word(peek(l))) {
      step(l);
      continue;
    }
    read_word(l, word);
    if (strcmp(word, "then") == 0) {
      // `if`, `values` or `comment` would be an operand.
      return next_code(l, word, budget, NULL) == WORDS &&
        is(word, " select insert update delete merge create alter drop declare set call execute raise return leave break continue iterate ");
    }
  }
  return false;
}

/// At the start of a statement, in a file with Jinja: whether something else than one begins.
static bool begins_fragment(TSLexer *l) {
  int budget = LOOK;
  char word[WORD];
  int32_t c = peek(l);
  if (l->eof(l) || c == ';') return false;
  if (c == '{') {
    step(l);
    if (peek(l) != '{' || !skip_jinja(l, &budget)) return false;
    if (peek(l) == '.' || peek(l) == '(' || peek(l) == '[' || is_word(peek(l))) return true;
    switch (next_code(l, word, &budget, NULL)) {
      case WORDS: return !is(word, STATEMENTS) && !is(word, " end exception ");
      case OTHER: return true;
      case OPERAND: return false;
      default: return false;
    }
  }
  if (c == '-') {
    step(l);
    return peek(l) != '-';
  }
  if (c == '/' || c == '#') return false;
  if (c == '@') {
    step(l);
    return peek(l) != '{';
  }
  if (c == '|') {
    step(l);
    return peek(l) != '>';
  }
  if (is_start(c)) {
    read_word(l, word);
    if (is(word, " if left right replace format ")) {
      while (is_space(peek(l)) && --budget > 0) step(l);
      return peek(l) == '(';
    }
    if (strcmp(word, "case") == 0) return !begins_case_statement(l, &budget);
    if (is(word, " end exception elseif else until when transaction work ")) return false;
    if (is(word, STATEMENTS)) return false;
    if (is(word, COMMANDS)) {
      while (is_space(peek(l)) && --budget > 0) step(l);
      return !is_start(peek(l)) && peek(l) != '"' && peek(l) != '\'' && peek(l) != '`' && peek(l) != '(' && peek(l) != '{' && peek(l) != '@';
    }
    while (is_space(peek(l)) && --budget > 0) step(l);
    return peek(l) != ':';
  }
  if (c == '(') {
    // A query in parentheses is a statement; anything else is not.
    while ((peek(l) == '(' || is_space(peek(l))) && --budget > 0) step(l);
    Next next = next_code(l, word, &budget, NULL);
    return !(next == WORDS && is(word, " select with from table values "));
  }
  return true;
}

/// At a comma, `and`, `or`, `union all` …: one that stands before a Jinja tag behind which
/// nothing can be joined, or behind which the same stands again.
static bool scan_joiner(TSLexer *l, char *word) {
  int budget = LOOK;
  if (peek(l) == ',') {
    step(l);
  } else if (is(word, " union intersect except ")) {
    while (is_space(peek(l)) && --budget > 0) step(l);
    char all[WORD];
    read_word(l, all);
    if (!is(all, " all distinct ")) return false;
  }
  l->mark_end(l);
  bool tags = false;
  Next next = next_code(l, word, &budget, &tags);
  if (!tags) return false;
  l->result_symbol = JOINER;
  return next == END || next == CLOSER || next == SEMICOLON || (next == WORDS && is(word, ENDS));
}

/// At `{{`, behind its first brace: an output that joins two queries, or one that stands
/// alone before an operand. Any other is the parser's.
static bool scan_output(TSLexer *l, Scanner *s, const bool *valid) {
  bool operand = valid[STRING] && !valid[DASHED] && !valid[FULL];
  if (!valid[FULL] && !valid[OPEN_SET] && !valid[BODY_END] && !(operand && valid[OPEN_ALONE])) return false;
  int budget = LOOK;
  char word[WORD];
  if (valid[FULL] || valid[BODY_END]) {
    // The mark stays before the output.
    if (!skip_jinja(l, &budget)) return false;
    bool joins = next_code(l, word, &budget, NULL) == WORDS && strcmp(word, "select") == 0;
    if (valid[FULL]) return joins && zero_width(l, s, FULL);
    return (joins || !valid[PIVOT]) && zero_width(l, s, BODY_END);
  }
  step(l);
  if (peek(l) == '-' || peek(l) == '+') step(l);
  l->mark_end(l);
  if (!rest_of_output(l, &budget) || is_word(peek(l)) || peek(l) == '{') return false;
  l->result_symbol = OPEN_ALONE;
  s->jinja = 1;
  switch (next_code(l, word, &budget, NULL)) {
    case WORDS:
      if (valid[OPEN_SET] && strcmp(word, "select") == 0) {
        l->result_symbol = OPEN_SET;
        return true;
      }
      if (!operand) return false;
      if (strcmp(word, "case") == 0) return true;
      while (is_space(peek(l)) && --budget > 0) step(l);
      return peek(l) == '(' && !is(word, GOES_ON) && !is(word, STATEMENTS);
    case OPERAND: return operand && (is_digit(peek(l)) || peek(l) == '\'' || peek(l) == '"');
    default: return false;
  }
}

// --- words -------------------------------------------------------------------

static const char *UNITS =
  " year quarter month week day hour minute second millisecond microsecond nanosecond isoyear isoweek dayofweek dayofyear date time "
  "years quarters months weeks days hours minutes seconds milliseconds microseconds nanoseconds min sec ";

/// Behind a mode: whether a set operator follows. Marks the end of the mode where `mark` says so.
static bool before_set_operator(TSLexer *l, char *word, bool mark, int *budget) {
  for (int words = 0; words < 2; words++) {
    if (mark) l->mark_end(l);
    while (is_space(peek(l)) && --*budget > 0) step(l);
    read_word(l, word);
    if (is(word, SET_OPERATORS)) return true;
    if (strcmp(word, "outer") != 0) return false;
  }
  return false;
}

/// Behind `except`, after a star: whether columns follow, or a query.
static bool before_columns(TSLexer *l, char *word, int *budget) {
  while (is_space(peek(l)) && --*budget > 0) step(l);
  if (peek(l) != '(') {
    read_word(l, word);
    return !is(word, " all distinct select from with table values ");
  }
  while ((is_space(peek(l)) || peek(l) == '(') && --*budget > 0) step(l);
  read_word(l, word);
  return !is(word, " select from with table values ");
}

static bool scan_word(TSLexer *l, Scanner *s, const bool *valid) {
  char word[WORD];
  unsigned n = 0;
  int budget = LOOK;
  if (is_digit(peek(l))) return false;
  n = read_word(l, word);
  int32_t c = peek(l);
  if (valid[BODY_END]) {
    bool ends = !valid[FULL] && !valid[PIVOT] && strcmp(word, "as") != 0;
    if (ends || is(word, QUERY_GOES_ON)) return zero_width(l, s, BODY_END);
    if (is(word, SET_MODES) && before_set_operator(l, word, false, &budget)) return zero_width(l, s, BODY_END);
    if (valid[FULL]) return zero_width(l, s, FULL);
    return false;
  }
  if (valid[JOINER] && is(word, " and or ")) return scan_joiner(l, word);
  if (valid[UNIT] && is(word, UNITS)) {
    l->mark_end(l);
    l->result_symbol = UNIT;
    return true;
  }
  if (valid[FULL]) {
    // An expression stands before: it goes on, or ends here. The mark stands before the white space.
    if (valid[NULLS] && is(word, " ignore respect ")) {
      // Behind the call where a window follows, else the argument list's.
      char after[WORD];
      while (is_space(peek(l)) && --budget > 0) step(l);
      read_word(l, after);
      while (is_space(peek(l)) && --budget > 0) step(l);
      read_word(l, after);
      l->result_symbol = strcmp(after, "over") == 0 ? NULLS : FULL;
      return true;
    }
    if (is(word, " and or is in like ilike rlike regexp glob overlaps similar between over at escape ")) return false;
    if (valid[STRING] && (c == '\'' || c == '"') && n <= 2 && is_prefix(word)) {
      return scan_string(l, s, valid);
    }
    if (strcmp(word, "filter") == 0 && valid[FILTER]) {
      l->mark_end(l);
      while (is_space(peek(l)) && --budget > 0) step(l);
      l->result_symbol = FILTER;
      return peek(l) == '(';
    }
    if (is(word, " not within with ")) {
      char after[WORD];
      while (is_space(peek(l)) && --budget > 0) step(l);
      read_word(l, after);
      if (is(after, word[0] == 'n' ? " in like ilike rlike regexp glob overlaps similar between " : " group ")) return false;
    }
    s->begun = 1;
    l->result_symbol = FULL;
    return true;
  }
  if (valid[STAR_EXCEPT] && strcmp(word, "except") == 0) {
    l->mark_end(l);
    l->result_symbol = STAR_EXCEPT;
    return before_columns(l, word, &budget);
  }
  if (valid[JOINER] && is(word, " union intersect except ")) return scan_joiner(l, word);
  if ((c == '\'' || c == '"') && n <= 2 && is_prefix(word)) {
    Scanner before = *s;
    if (scan_string(l, s, valid)) return true;
    *s = before;
    return false;
  }
  if (c == '{' && valid[PREFIX]) {
    l->mark_end(l);
    step(l);
    if (peek(l) != '{') return false;
    l->result_symbol = PREFIX;
    return true;
  }
  if (c == '-' && valid[DASHED]) {
    bool dashed = false;
    while (peek(l) == '-') {
      l->mark_end(l);
      step(l);
      if (!is_word(peek(l))) {
        if (!dashed) return false;
        l->result_symbol = DASHED;
        return true;
      }
      while (is_word(peek(l))) step(l);
      dashed = true;
    }
    l->mark_end(l);
    l->result_symbol = DASHED;
    return true;
  }
  l->mark_end(l);
  if (valid[SET_MODE] && is(word, SET_MODES)) {
    l->result_symbol = SET_MODE;
    return before_set_operator(l, word, true, &budget);
  }
  while (is_space(peek(l)) && --budget > 0) step(l);
  c = peek(l);
  unsigned symbol;
  bool yes;
#define WHEN(NAME, TEXT, CONDITION) \
  if (valid[NAME] && strcmp(word, TEXT) == 0) { symbol = NAME; yes = CONDITION; goto decide; }
  if (valid[TYPED] && (c == '\'' || c == '"' || c == 'r' || c == 'R') &&
      is(word, " date time timestamp datetime numeric decimal bignumeric bigdecimal json uuid bool int64 float64 ")) {
    if (c == 'r' || c == 'R') {
      step(l);
      c = peek(l);
    }
    symbol = TYPED;
    yes = c == '\'' || c == '"';
    goto decide;
  }
  if (valid[GENERIC] && valid[TYPED] && c == '<') {
    // In an expression, where `<` may compare.
    if (strcmp(word, "range") != 0) return false;
    step(l);
    while (is_space(peek(l)) && --budget > 0) step(l);
    read_word(l, word);
    symbol = GENERIC;
    yes = is(word, " date datetime timestamp ");
    goto decide;
  }
  if (valid[GENERIC] && c == '<' && is(word, " map range function list set table record object enum proto ")) {
    symbol = GENERIC;
    yes = true;
    goto decide;
  }
  WHEN(PIVOT, "pivot", c == '(')
  WHEN(UNPIVOT, "unpivot", c == '(' || lower(c) == 'i' || lower(c) == 'e')
  WHEN(MATCH_RECOGNIZE, "match_recognize", c == '(')
  WHEN(ALIGN, "align", c == '(')
  WHEN(SAMPLE, "sample", c == '(')
  WHEN(FILTER, "filter", c == '(')
  WHEN(CLAMPED, "clamped", lower(c) == 'b')
  WHEN(OFFSET, "offset", is_digit(c) || c == '@' || c == '?' || c == '{' || c == ':')
  WHEN(TOP, "top", is_digit(c) || c == '{')
  if (valid[JOIN_WORD] && is(word, " asof positional semi anti global any hash lookup ")) {
    char after[WORD];
    read_word(l, after);
    symbol = JOIN_WORD;
    yes = is(after, " join left ");
    goto decide;
  }
  return false;
decide:
  l->result_symbol = symbol;
  return yes;
}

// --- the scanner of tree-sitter ----------------------------------------------

static bool may_be_word(const bool *valid) {
  return valid[STRING] || valid[DSTRING] || valid[PREFIX] || valid[DASHED] || valid[TYPED] || valid[PIVOT] || valid[FILTER] ||
    valid[CLAMPED] || valid[OFFSET] || valid[TOP] || valid[JOIN_WORD] || valid[GENERIC] ||
    valid[UNPIVOT] || valid[SAMPLE] || valid[UNIT] || valid[SET_MODE] || valid[STAR_EXCEPT];
}

static bool scan(Scanner *s, TSLexer *l, const bool *valid) {
  bool recovering = valid[STRING] && valid[JINJA_STRING];
  if (s->quote && valid[CHUNK]) return scan_inside(l, s, valid);
  if (recovering) s->quote = 0;
  // Right behind `}}`, without a space: a name goes on.
  if (valid[NAME_END] && !recovering) {
    l->mark_end(l);
    l->result_symbol = NAME_END;
    if (peek(l) == '{' && valid[MIDDLE]) {
      step(l);
      if (peek(l) == '{') l->result_symbol = MIDDLE;
      return true;
    }
    if (is_word(peek(l)) && valid[SUFFIX]) {
      while (is_word(peek(l))) step(l);
      l->mark_end(l);
      bool middle = false;
      if (peek(l) == '{') {
        step(l);
        middle = peek(l) == '{';
      }
      l->result_symbol = middle ? MIDDLE : SUFFIX;
      return valid[l->result_symbol];
    }
    return true;
  }
  l->mark_end(l);
  while (is_space(peek(l))) l->advance(l, true);
  if (l->eof(l)) {
    if (recovering) return false;
    if (valid[FULL] || valid[BODY_END]) return zero_width(l, s, valid[FULL] ? FULL : BODY_END);
    // Once: behind it, too, a statement may end.
    if (!valid[END_OF_FILE] || s->ended) return false;
    s->ended = 1;
    l->result_symbol = END_OF_FILE;
    return true;
  }
  int32_t c = peek(l);
  if (valid[MACRO_BODY] && !recovering) return scan_macro(l);
  if (valid[BODY_END] && !recovering && !is_start(c)) {
    // A word is looked at in `scan_word`, a tag in `scan_tag`.
    if (c == ';' || c == ')') return zero_width(l, s, valid[FULL] ? FULL : BODY_END);
    if (c == '|') {
      step(l);
      if (peek(l) == '>') return zero_width(l, s, BODY_END);
      return false;
    }
    if (!valid[FULL] && !valid[PIVOT] && c != '{' && c != '-' && c != '/' && c != '#') return zero_width(l, s, BODY_END);
  }
  if (valid[FULL] && !recovering) {
    s->begun = 1;
    l->result_symbol = FULL;
    if (c == ':' && valid[COLON]) {
      step(l);
      if (peek(l) == ':' || peek(l) == '=') return false;
      if (!is_start(peek(l))) return true;
      l->mark_end(l);
      l->result_symbol = COLON;
      return true;
    }
    switch (c) {
      case ',': case ')': case ']': case '}': case ';': return true;
      case '|':
        step(l);
        return peek(l) == '>';
      case '`': return true;
      case '\'': case '"':
        if (!valid[STRING]) return true;
        break;
      default:
        if (is_digit(c)) return true;
    }
  }
  if (c == '\'' || c == '"') {
    if (valid[JINJA_STRING] && !recovering) {
      s->jinja = 1;
      return scan_jinja_string(l, s);
    }
    if (valid[FRAGMENT] && (s->jinja || !s->begun) && !recovering) {
      l->mark_end(l);
      l->result_symbol = FRAGMENT;
      return true;
    }
    return scan_string(l, s, valid);
  }
  if (c == '`') {
    if (valid[FRAGMENT] && (s->jinja || !s->begun) && !recovering) {
      l->mark_end(l);
      l->result_symbol = FRAGMENT;
      return true;
    }
    return scan_string(l, s, valid);
  }
  if (valid[DOT_NAME] && !recovering && is_word(c)) {
    // After a dot every word is a name, and so is one that begins with digits.
    char word[WORD];
    read_word(l, word);
    l->mark_end(l);
    l->result_symbol = DOT_NAME;
    if (peek(l) != '{') return true;
    step(l);
    if (peek(l) == '{' && valid[PREFIX]) l->result_symbol = PREFIX;
    return true;
  }
  if (c == '.' && (valid[DOT_STAR] || valid[FULL_STOP]) && !recovering) {
    step(l);
    if (valid[FULL_STOP] || valid[DOT_PAREN]) l->mark_end(l);
    l->result_symbol = FULL_STOP;
    if (!valid[DOT_STAR] && !valid[DOT_PAREN]) return true;
    int budget = LOOK;
    for (;;) {
      while (is_space(peek(l)) && --budget > 0) step(l);
      if (peek(l) != '/') break;
      step(l);
      if (peek(l) != '*') return valid[FULL_STOP];
      int32_t last = 0;
      step(l);
      while (peek(l) && --budget > 0 && !(last == '*' && peek(l) == '/')) {
        last = peek(l);
        step(l);
      }
      step(l);
    }
    if (peek(l) == '(' && valid[DOT_PAREN]) {
      l->result_symbol = DOT_PAREN;
      return true;
    }
    if (peek(l) != '*' || !valid[DOT_STAR]) return valid[FULL_STOP];
    step(l);
    if (peek(l) == '*') return valid[FULL_STOP];
    l->mark_end(l);
    l->result_symbol = DOT_STAR;
    return true;
  }
  if (c == '{') {
    l->mark_end(l);
    if (valid[FRAGMENT] && (s->jinja || !s->begun) && !recovering) {
      step(l);
      if (peek(l) == '%') return scan_tag(l, s, valid);
      if (peek(l) != '{') return false;
      // As `begins_fragment`, from behind the brace.
      int budget = LOOK;
      char word[WORD];
      if (!skip_jinja(l, &budget)) return false;
      bool yes = peek(l) == '.' || peek(l) == '(' || peek(l) == '[' || is_word(peek(l));
      if (!yes) {
        bool tags = false;
        Next next = next_code(l, word, &budget, &tags);
        if (tags) return false;
        yes = next == OTHER || (next == WORDS && !is(word, STATEMENTS) && !is(word, " end exception "));
      }
      l->result_symbol = FRAGMENT;
      return yes;
    }
    step(l);
    if (peek(l) == '%') return scan_tag(l, s, valid);
    if (peek(l) == '{' && !recovering) return scan_output(l, s, valid);
    return false;
  }
  if (valid[FRAGMENT] && (s->jinja || !s->begun) && !recovering) {
    l->mark_end(l);
    l->result_symbol = FRAGMENT;
    return begins_fragment(l);
  }
  if (c == ',' && valid[JOINER] && !recovering) {
    char word[WORD];
    return scan_joiner(l, word);
  }
  if (is_start(c) && !recovering) return scan_word(l, s, valid);
  if (is_start(c) && recovering) {
    // `r'…'` where the parser has lost its way.
    char word[WORD];
    unsigned n = read_word(l, word);
    if ((peek(l) == '\'' || peek(l) == '"') && n <= 2 && is_prefix(word)) return scan_string(l, s, valid);
  }
  return false;
}

void *tree_sitter_googlesql_external_scanner_create(void) { return ts_calloc(1, sizeof(Scanner)); }
void tree_sitter_googlesql_external_scanner_destroy(void *payload) { ts_free(payload); }

unsigned tree_sitter_googlesql_external_scanner_serialize(void *payload, char *buffer) {
  memcpy(buffer, payload, sizeof(Scanner));
  return sizeof(Scanner);
}

void tree_sitter_googlesql_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  memset(payload, 0, sizeof(Scanner));
  if (length == sizeof(Scanner)) memcpy(payload, buffer, sizeof(Scanner));
}

bool tree_sitter_googlesql_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  return scan((Scanner *)payload, lexer, valid);
}
