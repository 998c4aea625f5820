// What comes next: Jinja and comments left out, and which words begin or go on with what.
#ifndef GOOGLESQL_AHEAD_H
#define GOOGLESQL_AHEAD_H

#include "text.h"

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

#endif
