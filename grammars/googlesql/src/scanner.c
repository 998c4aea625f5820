// What a table of tokens can't tell: strings with Jinja in them, words that are
// keywords only before something else, names made of parts, and which Jinja tags
// part two alternatives.
//
// Bounds: every look ahead is at most LOOK characters, and the end of a string is sought
// once, so that no input costs more than that many steps a token.

#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"

#include "scanner/words.h"

/// Right behind `}}` or a name's last quote: it goes on without a space, or ends.
static bool scan_name_end(TSLexer *l, const bool *valid) {
  l->mark_end(l);
  l->result_symbol = NAME_END;
  if (peek(l) == '{' && valid[MIDDLE]) {
    step(l);
    if (peek(l) == '{') l->result_symbol = MIDDLE;
    return true;
  }
  if (!is_word(peek(l)) || !valid[SUFFIX]) return true;
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

static bool scan_end_of_file(TSLexer *l, Scanner *s, const bool *valid) {
  if (valid[FULL] || valid[BODY_END]) return zero_width(l, s, valid[FULL] ? FULL : BODY_END);
  // Once: behind it, too, a statement may end.
  if (!valid[END_OF_FILE] || s->ended) return false;
  s->ended = 1;
  l->result_symbol = END_OF_FILE;
  return true;
}

/// Behind a query in parentheses, before what is no word: 1 where it ends there, 0 where it
/// does not, -1 where others have to tell.
static int ends_body(TSLexer *l, const bool *valid) {
  int32_t c = peek(l);
  if (c == ';' || c == ')') return !valid[FULL] ? 1 : -1;
  if (c == '|') {
    step(l);
    return peek(l) == '>';
  }
  return !valid[FULL] && !valid[PIVOT] && c != '{' && c != '-' && c != '/' && c != '#' ? 1 : -1;
}

/// Behind an expression, before what is no word: as `ends_body`.
static int ends_expression(TSLexer *l, const bool *valid) {
  int32_t c = peek(l);
  l->result_symbol = FULL;
  switch (c) {
    case ',': case ')': case ']': case '}': case ';': case '`': return 1;
    case '|':
      step(l);
      return peek(l) == '>';
    case ':':
      if (!valid[COLON]) return -1;
      step(l);
      if (peek(l) == ':' || peek(l) == '=') return 0;
      if (!is_start(peek(l))) return 1;
      l->mark_end(l);
      l->result_symbol = COLON;
      return 1;
    case '\'': case '"': return valid[STRING] ? -1 : 1;
    default: return is_digit(c) ? 1 : -1;
  }
}

/// After a dot every word is a name, and so is one that begins with digits.
static bool scan_dot_name(TSLexer *l, const bool *valid) {
  char word[WORD];
  read_word(l, word);
  l->mark_end(l);
  l->result_symbol = DOT_NAME;
  if (peek(l) != '{') return true;
  step(l);
  if (peek(l) == '{' && valid[PREFIX]) l->result_symbol = PREFIX;
  return true;
}

/// A dot before a name, a star or a parenthesis.
static bool scan_dot(TSLexer *l, const bool *valid) {
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

/// At a brace where a fragment may begin: one does behind an output that is an operand.
static bool scan_fragment_output(TSLexer *l, Scanner *s, const bool *valid) {
  step(l);
  if (peek(l) == '%') return scan_tag(l, s, valid);
  if (peek(l) != '{') return false;
  int budget = LOOK;
  char word[WORD];
  if (!skip_jinja(l, &budget)) return false;
  l->result_symbol = FRAGMENT;
  if (peek(l) == '.' || peek(l) == '(' || peek(l) == '[' || is_word(peek(l))) return true;
  bool tags = false;
  Next next = next_code(l, word, &budget, &tags);
  if (tags) return false;
  return next == OTHER || (next == WORDS && !is(word, STATEMENTS) && !is(word, " end exception "));
}

static bool scan(Scanner *s, TSLexer *l, const bool *valid) {
  bool recovering = valid[STRING] && valid[JINJA_STRING];
  if (s->quote && valid[CHUNK]) return scan_inside(l, s, valid);
  if (recovering) s->quote = 0;
  if (valid[NAME_END] && !recovering) return scan_name_end(l, valid);
  l->mark_end(l);
  while (is_space(peek(l))) l->advance(l, true);
  if (l->eof(l)) return !recovering && scan_end_of_file(l, s, valid);
  int32_t c = peek(l);
  if (recovering) {
    if (c == '\'' || c == '"' || c == '`') return scan_string(l, s, valid);
    if (c == '{') {
      l->mark_end(l);
      step(l);
      return peek(l) == '%' && scan_tag(l, s, valid);
    }
    // `r'…'`
    char word[WORD];
    if (!is_start(c)) return false;
    unsigned n = read_word(l, word);
    return (peek(l) == '\'' || peek(l) == '"') && n <= 2 && is_prefix(word) && scan_string(l, s, valid);
  }
  if (valid[MACRO_BODY]) return scan_macro(l);
  if (!is_start(c)) {
    // Words are looked at in `scan_word`, tags in `scan_tag`.
    int ends = valid[BODY_END] ? ends_body(l, valid) : -1;
    if (ends >= 0) return ends && zero_width(l, s, BODY_END);
    ends = valid[FULL] ? ends_expression(l, valid) : -1;
    if (valid[FULL]) s->begun = 1;
    if (ends >= 0) return ends;
  }
  bool fragment = valid[FRAGMENT] && (s->jinja || !s->begun);
  if ((c == '\'' || c == '"') && valid[JINJA_STRING]) {
    s->jinja = 1;
    return scan_jinja_string(l, s);
  }
  if (c == '\'' || c == '"' || c == '`') {
    if (!fragment) return scan_string(l, s, valid);
    l->mark_end(l);
    l->result_symbol = FRAGMENT;
    return true;
  }
  if (valid[DOT_NAME] && is_word(c)) return scan_dot_name(l, valid);
  if (c == '.' && (valid[DOT_STAR] || valid[FULL_STOP])) return scan_dot(l, valid);
  if (c == '{') {
    l->mark_end(l);
    if (fragment) return scan_fragment_output(l, s, valid);
    step(l);
    if (peek(l) == '%') return scan_tag(l, s, valid);
    return peek(l) == '{' && scan_output(l, s, valid);
  }
  if (fragment) {
    l->mark_end(l);
    l->result_symbol = FRAGMENT;
    return begins_fragment(l);
  }
  char word[WORD];
  if (c == ',' && valid[JOINER]) return scan_joiner(l, word);
  return is_start(c) && scan_word(l, s, valid);
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
