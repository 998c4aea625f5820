// Words that are keywords only before something else, and names made of parts.
#ifndef GOOGLESQL_WORDS_H
#define GOOGLESQL_WORDS_H

#include "jinja.h"
#include "strings.h"

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

#endif
