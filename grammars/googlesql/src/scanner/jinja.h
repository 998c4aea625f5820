// Tags, outputs, and what is no statement in a file with Jinja.
#ifndef GOOGLESQL_JINJA_H
#define GOOGLESQL_JINJA_H

#include "ahead.h"

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

#endif
