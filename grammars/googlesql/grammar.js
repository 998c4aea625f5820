/**
 * GoogleSQL as BigQuery and dbt users write it, with the everyday part of other dialects.
 *
 * - Keywords are written `K('group by')`: case-insensitive, named by their text.
 *   Those of GoogleSQL's reserved words that stand here are never identifiers,
 *   except after a dot. Words that are keywords only before something else
 *   (`pivot (`, `date '…'`) are told by src/scanner.c.
 * - Jinja tags, comments and hints are extras: they may stand between any two
 *   tokens. The scanner tells the tags that part two alternatives (`_alt`): after
 *   them another statement, item or operand may begin without a comma.
 */

const P = {
  alt: 1, lambda: 2, or: 3, and: 4, not: 5, compare: 6, between: 7, bitor: 8, bitxor: 9, bitand: 10,
  shift: 11, add: 12, multiply: 13, unary: 14, postfix: 15, call: 16,
};

const RESERVED = `all and any array as asc between by case cast collate create cross cube default
  desc distinct else end except exists extract false fetch for from full group grouping having if
  ignore in inner intersect interval into is join lateral left like limit merge natural new not
  null nulls of on or order outer over partition qualify range recursive respect right rollup rows
  select set some struct tablesample then to true unbounded union unnest using when where window
  with within following preceding current exclude assert_rows_modified at escape groups no`.split(/\s+/);

/** Words that Jinja does not let be names. */
const JINJA = 'if else in is not and or'.split(' ');

const keywords = new Set();
const K = (text) => {
  const parts = text.split(' ').map((w) => {
    keywords.add(w);
    return alias({ type: 'SYMBOL', name: '_' + w.toUpperCase() }, w);
  });
  return parts.length === 1 ? parts[0] : seq(...parts);
};
const any = (...texts) => choice(...texts.map(K));
/** A keyword that is a name here. */
const W = ($, ...words) => choice(...words.map((w) => {
  keywords.add(w);
  return alias($['_' + w.toUpperCase()], $.identifier);
}));
const opt = optional;
const sep1 = (rule, by) => seq(rule, repeat(seq(by, rule)));
const list = (rule) => sep1(rule, ',');
const trailing = (rule) => seq(list(rule), opt(','));
const parens = (...rules) => seq('(', ...rules, ')');
const name = ($) => field('name', $.name_path);
const binary = ($, level, operator, operand = $._operand) =>
  prec.left(level, seq(field('left', operand), field('operator', operator), field('right', operand)));

// An extra can't share a rule with others.
const tag = ($, open = $._tag) => seq(alias(open, '{%'), field('tag', alias($._tag_name, $.tag)), opt($._jinja_list), alias($._tag_close, '%}'));

const rules = {
  source_file: ($) => opt($._statements),

  _statements: ($) => repeat1(seq(opt($._statement), $._separator)),
  _separator: ($) => choice(';', $._break),
  // The end of a file is a token, and a Jinja tag behind which another statement begins.
  _break: ($) => choice($._eof, alias($._break_tag, $.jinja_tag)),
  /** A Jinja tag after which an alternative begins. */
  _alt: ($) => alias($._alt_tag, $.jinja_tag),
  /** One after which an operand begins, behind an operand. */
  _alt_operand: ($) => alias($._operand_tag, $.jinja_tag),

  // --- names ---------------------------------------------------------------

  _name: ($) => choice($.identifier, alias($._bt, $.identifier), $._jinja_name),
  // A name that no Jinja output may be, where the output stands for more than a name.
  _word: ($) => choice($.identifier, alias($._bt, $.identifier), seq($._prefixed_name, $._name_end)),
  _label: ($) => choice($._name, alias($._ds, $.identifier)),
  /** After a dot every word is a name. */
  _dotted: ($) => choice(alias($._dot_name, $.identifier), alias($._bt, $.identifier), $._jinja_name, alias($._ds, $.identifier)),
  // Its end is a token of no width, so that few states know what follows.
  _jinja_name: ($) => seq($._unended_name, $._name_end),
  _unended_name: ($) => choice(alias($._output, $.jinja_output), $.jinja_name, $.quoted_name),
  _prefixed_name: ($) => prec(-1, choice(alias($._px, $.jinja_name), $.quoted_name)),
  quoted_name: ($) => seq($._bo, repeat(choice($._chunk, alias($._output, $.jinja_output))), $._sc),
  jinja_name: ($) => choice($._px, seq(alias($._output, $.jinja_output), $._parts)),
  _px: ($) => seq($._pr, alias($._output, $.jinja_output), opt($._parts)),
  _parts: ($) => repeat1(choice(seq($._middle, alias($._output, $.jinja_output)), $._suffix)),
  _path: ($) => prec.right(seq($._name, repeat(seq($._dot, $._dotted)))),
  name_path: ($) => $._table_path,
  _table_path: ($) => prec.right(seq(choice($._label, alias($._dashed, $.identifier)), repeat(seq($._dot, $._dotted)))),
  _dot: ($) => alias($._full_stop, '.'),
  column: ($) => $._path,
  function_name: ($) => prec(1, $._path),
  table_name: ($) => $._table_path,
  column_list: ($) => parens(list($._label), opt(',')),

  // --- queries -------------------------------------------------------------

  query: ($) => prec.right(seq(opt($.with_clause), $._body, repeat($._query_tail), repeat($.pipe_operator))),
  _query_tail: ($) => choice($.order_by_clause, $.limit_clause, $.fetch_clause, $.offset_clause, $.lock_clause),
  with_clause: ($) => prec.right(seq(K('with'), opt(K('recursive')), sep1(choice($.cte, $._ctes), $._comma), opt(','))),
  _ctes: ($) => prec(-1, $._jinja_name),
  cte: ($) => seq(
    field('name', $._label), field('columns', opt($.column_list)), K('as'),
    opt(seq(opt(K('not')), K('materialized'))), field('query', $.subquery), opt($.depth_clause)),
  depth_clause: ($) => prec.right(seq(K('with depth'), opt(seq(opt(K('as')), field('alias', $._word))),
    opt(choice(seq(K('max'), $._bound), seq(K('between'), $._bound, K('and'), $._bound))))),
  _bound: ($) => choice($.number, $.parameter, $.system_variable, K('unbounded')),
  _query_output: ($) => prec(-5, $._jinja_name),
  _body: ($) => choice($.select, $.set_operation, prec(2, $._parenthesized_query), $.values, $.table_query, $.from_clause),
  // Told by what follows: a query in parentheses, or an operand or a table that is one.
  _parenthesized_query: ($) => seq($.subquery, opt(seq(K('as'), field('alias', $._name))), $._body_end),
  set_operation: ($) => prec.left(seq(field('left', $._body), field('operator', $.set_operator), field('right', $._body))),
  // `strict` stands for a mode: it has none besides it.
  set_operator: ($) => choice(
    alias($._set_output, $.jinja_output),
    seq(opt($.set_mode), $._set_word, opt(any('all', 'distinct')), opt($._matched)),
    seq($._set_word, any('all', 'distinct'), K('strict'), opt($._matched))),
  set_mode: ($) => $._set_mode,
  _set_word: ($) => choice(any('union', 'intersect', 'except'), K('minus')),
  _matched: ($) => seq(choice(K('by name'), K('corresponding')), opt(seq(any('on', 'by'), $.expression_list))),
  subquery: ($) => parens(sep1(choice($.query, $._query_output), $._break)),
  values: ($) => prec.right(seq(K('values'), sep1($.row, $._comma))),
  row: ($) => prec(3, parens(opt(seq(list(choice($._full, $.default_value)), opt(','))))),
  default_value: ($) => K('default'),
  table_query: ($) => prec.right(seq(K('table'), field('table', $.table_name), opt($.call_arguments))),

  select: ($) => prec.right(seq(
    $.select_clause,
    opt($.into_clause),
    repeat($.from_clause),
    repeat($.where_clause),
    repeat($._grouping),
    repeat(choice($.window_clause, $.qualify_clause)),
  )),
  _grouping: ($) => choice($.group_by_clause, $.having_clause),
  select_clause: ($) => prec.right(seq(
    K('select'),
    opt($._select_modifiers),
    opt($._items),
  )),
  _select_modifiers: ($) => repeat1(choice(
    seq(K('with'), $.identifier, opt($.options)),
    K('all'), seq(K('distinct'), opt(seq(K('on'), $.expression_list))),
    seq(K('as'), choice(K('struct'), K('value'), $.name_path)),
    seq(alias($._top, 'top'), choice($.number, $._jinja_name)))),
  _items: ($) => prec.right(seq($.select_item, repeat(seq($._comma, $.select_item)), opt(','))),
  _comma: ($) => choice(prec(1, ','), prec(-1, $._alt)),
  select_item: ($) => choice(
    seq(field('value', $._full), opt($._aliases)),

    field('value', $.star),
  ),
  _aliases: ($) => choice(
    seq(K('as'), field('alias', choice($._label, alias($._string, $.string), $.column_list)), repeat(seq(alias($._alt_as, $.jinja_tag), K('as'), field('alias', choice($._label, alias($._string, $.string)))))),
    field('alias', $._word)),
  star: ($) => prec.right(seq(choice('*', seq(field('table', $._operand), $._dot_star)), repeat($.star_modifier))),
  star_modifier: ($) => choice(
    seq(choice(alias($._star_except, 'except'), K('exclude')), choice($.expression_list, $._word)),
    seq(K('replace'), parens($._items)),
    seq(K('rename'), parens($._items)),
    seq(K('ilike'), $.string),
  ),
  into_clause: ($) => seq(K('into'), list($.name_path)),

  from_clause: ($) => prec.right(seq(K('from'), $._tables, opt(','))),
  _tables: ($) => prec.right(seq($.table_reference, repeat(choice(seq($._comma, $.table_reference), $.join)))),
  table_reference: ($) => prec.right(seq(
    opt(K('lateral')),
    field('table', $._table),
    repeat(choice($._table_alias, $.table_operator)),
  )),
  _table: ($) => choice($.table_name, $.subquery, $.table_call, $.unnest, $.parenthesized_tables, $.group_rows, $.parameter, alias($._string, $.string)),
  group_rows: () => K('group rows'),
  table_call: ($) => prec(P.call, seq(field('function', choice(alias($._table_function, $.function_name), $._callable_word)), field('arguments', $.call_arguments))),
  _table_function: ($) => prec(1, $._table_path),
  parenthesized_tables: ($) => parens($._tables),
  unnest: ($) => seq(K('unnest'), field('arguments', $.call_arguments)),
  _table_alias: ($) => prec.right(seq(
    choice(seq(K('as'), field('alias', $._label)), field('alias', $._word)),
    opt(field('columns', alias($._alias_columns, $.column_list))))),
  _alias_columns: ($) => parens(list(seq($._label, opt($._type)))),
  table_operator: ($) => prec.right(choice(
    seq(K('with offset'), opt($._offset_alias)),
    seq(K('with ordinality')),
    $.system_time, $.lock_clause, $.lateral_view, $.pivot, $.unpivot, $.sample, $.match_recognize, $.align,
  )),
  lateral_view: ($) => prec.right(seq(K('lateral view'), opt(K('outer')), $.table_call, opt(field('alias', $._word)), opt(seq(K('as'), list($._name))))),
  system_time: ($) => seq(K('for'), choice(any('system_time', 'system', 'version', 'timestamp'), K('system time')), K('as of'), $._full),
  pivot: ($) => seq(alias($._pivot, 'pivot'), parens(
    field('aggregates', $._items), K('for'), field('column', $._pivot_input),
    K('in'), parens(choice($._items, $.query, K('any'))))),
  _pivot_input: ($) => choice($._callee, $.row),
  unpivot: ($) => seq(alias($._unpivot, 'unpivot'), opt(seq(any('include', 'exclude'), K('nulls'))), parens(
    $._unpivot_value, K('for'), field('column', $._callee), K('in'), parens(list(alias($._unpivot_item, $.select_item)), opt(',')))),
  _unpivot_item: ($) => seq(field('value', $._full), opt(choice(
    seq(K('as'), field('alias', choice($._name, $.number, alias($._text, $.string)))), field('alias', choice($._word, alias($._text, $.string)))))),
  _text: ($) => choice($._string, $._ds),
  _unpivot_value: ($) => choice($._callee, $.expression_list),
  sample: ($) => seq(choice(K('tablesample'), alias($._sample, 'sample')), opt($.identifier), $._sample_size, repeat($._sample_tail)),
  _sample_size: ($) => parens($._full, opt(choice(any('rows', 'percent'), $.identifier)), opt($.partition_by)),
  _sample_tail: ($) => choice(seq(K('with weight'), opt($._offset_alias)), seq(K('repeatable'), parens($._full))),
  _offset_alias: ($) => choice(seq(K('as'), field('offset', $._name)), field('offset', $._word)),
  match_recognize: ($) => seq(alias($._match_recognize, 'match_recognize'), parens(
    repeat1(choice($.partition_by, $.order_by_clause, $.options, $._match_part)))),
  _match_part: ($) => choice(seq(K('measures'), $._items), seq(K('after match skip'), $._loose), seq(K('pattern'), parens(opt($._pattern))), seq(K('define'), list($.definition))),
  definition: ($) => seq(field('name', $._label), K('as'), field('value', $._full)),
  _pattern: ($) => repeat1(choice($._name, '|', '*', '+', '?', '^', '$', ',', $.number, seq('{', opt($._pattern), '}'), parens(opt($._pattern)))),
  align: ($) => seq(alias($._align, 'align'), parens(repeat($._align_part))),
  _align_part: ($) => choice(
    seq(K('timestamp'), $._full, opt(seq(K('as'), field('alias', $._name)))),
    seq(any('period', 'origin'), $._full),
    seq(K('output within'), $._align_range),
    seq(K('partition by'), $._items),
    seq(K('metrics'), list(seq($._full, K('within'), parens(opt($._align_range)), opt(seq(K('as'), field('alias', $._name)))))),
  ),
  _align_range: ($) => choice(seq(K('range'), opt(seq(K('from'), $._align_bound)), opt(seq(K('to'), $._align_bound))), $._align_bound),
  _align_bound: ($) => choice(seq(K('unbounded'), any('preceding', 'following')), seq($._full, opt(K('period')), opt(any('preceding', 'following')))),

  join: ($) => prec.right(seq(
    field('kind', opt($._join_kind)), choice(K('join'), K('straight_join'), K('cross apply'), K('outer apply')),
    $.table_reference,
    repeat(choice($.on_clause, $.using_clause)))),
  _join_kind: ($) => choice(
    seq(opt(K('natural')), choice(K('inner'), K('outer'), seq(any('left', 'right', 'full'), opt(any('outer', 'inner', 'semi', 'anti'))))),
    K('cross'), K('natural'), seq(alias($._join_word, 'asof'), opt(K('left'))),
  ),
  on_clause: ($) => seq(K('on'), field('condition', $._full)),
  using_clause: ($) => seq(K('using'), $.expression_list),
  where_clause: ($) => seq(K('where'), field('condition', $._full)),
  having_clause: ($) => seq(K('having'), field('condition', $._full)),
  qualify_clause: ($) => seq(K('qualify'), field('condition', $._full)),
  group_by_clause: ($) => prec.right(seq(K('group'), opt(K('and order')), choice(
    seq(K('by'), choice(
      K('all'),
      seq($.grouping_item, repeat(seq($._comma, $.grouping_item)), opt(','))),
    opt(seq(K('with'), any('rollup', 'cube')))),
    seq(K('rows'), opt(seq(K('by'), trailing($.grouping_item))))))),
  grouping_item: ($) => choice(
    seq($._full, opt($._aliases), opt($._direction)),
    seq(choice(any('rollup', 'cube'), K('grouping sets')), parens(list($.grouping_item), opt(','))),
    parens(),
  ),
  order_by_clause: ($) => prec.right(seq(K('order by'), choice(K('all'), seq($.order_item, repeat(seq($._comma, $.order_item)), opt(','))))),
  order_item: ($) => seq(field('value', $._full), opt($.collate), opt($._direction)),
  _direction: ($) => choice(seq(any('asc', 'desc'), opt($._nulls_order)), $._nulls_order),
  _nulls_order: ($) => seq(K('nulls'), any('first', 'last')),
  collate: ($) => prec.left(seq(K('collate'), choice($.string, $.parameter, $.system_variable, $._name))),
  limit_clause: ($) => prec.right(seq(K('limit'), choice(K('all'), field('count', $._full)), opt(seq(',', $._full)), opt(seq(K('offset'), field('offset', $._full))))),
  offset_clause: ($) => seq(alias($._offset, 'offset'), $._full, opt(any('rows', 'row'))),
  fetch_clause: ($) => seq(K('fetch'), any('first', 'next'), opt($._full), opt(K('percent')), any('rows', 'row'), choice(K('only'), seq(K('with ties')))),
  lock_clause: ($) => seq(K('for update')),
  window_clause: ($) => prec.right(seq(K('window'), list($.named_window), opt(','))),
  named_window: ($) => seq(field('name', $._label), K('as'), choice($.window, $._name)),
  window: ($) => parens(
    opt(field('name', $._name)),
    repeat(choice($.partition_by, $.order_by_clause)),
    opt($.window_frame)),
  partition_by: ($) => prec.right(seq(K('partition by'), $._full, repeat(seq($._comma, $._full)), opt(','))),
  window_frame: ($) => seq(any('rows', 'range', 'groups'), choice($.frame_bound, seq(K('between'), $.frame_bound, K('and'), $.frame_bound)),
    opt(seq(K('exclude'), choice(K('current row'), K('no others'), K('ties'), K('group'))))),
  frame_bound: ($) => choice(seq(choice(K('unbounded'), $._full), opt(any('preceding', 'following'))), any('preceding', 'following'), K('current row')),

  // --- pipes ---------------------------------------------------------------

  pipe_operator: ($) => seq('|>', choice(
    $.where_clause, $.order_by_clause, $.limit_clause, $.join, $.select_clause_pipe,
    $.aggregate, $.pivot_pipe, $.sample, $.match_recognize, $.align, $.window_clause,
    seq(any('extend', 'set', 'rename', 'log'), opt($._items), opt($.window_clause)),
    seq(K('window'), $._items),
    seq(K('drop'), trailing($._full)),
    seq(K('as'), field('alias', $._name)),
    seq(K('distinct')),
    seq(K('static_describe')), seq(K('describe')),
    seq(K('assert'), list($._full)),
    seq(K('call'), $.table_call, opt($._table_alias)),
    $.with_clause,
    seq(any('tee', 'fork'), trailing($.subpipeline)),
    seq(K('log'), $.subpipeline),
    seq(K('if'), $._full, K('then'), $.subpipeline, repeat(seq(K('elseif'), $._full, K('then'), $.subpipeline)), opt(seq(K('else'), $.subpipeline))),
    seq(opt(K('recursive')), $.set_operator, opt($.depth_clause), list(choice($.subquery, $.table_query, $.subpipeline)), opt(','), opt($._table_alias)),
    alias($.pipe_export, $.export_data), alias($.pipe_create, $.create_statement), alias($.pipe_insert, $.insert_statement), $.lock_clause,
    seq(K('group rows'), $.loose_group),
  )),
  // What is read from comes before the pipe: these have neither query nor values.
  pipe_export: ($) => seq(K('export data'), repeat(choice($.connection_clause, $.options))),
  pipe_create: ($) => seq($._create_head, name($), opt(field('columns', $.column_definitions)), repeat(choice($.options, $.partition_by, $.cluster_by, $.connection_clause, $.collate_default))),
  pipe_insert: ($) => seq($._insert_head, $._insert_target, opt(field('columns', $.column_list)), repeat($._tail)),
  select_clause_pipe: ($) => prec.right(seq($.select_clause, opt($.window_clause))),
  pivot_pipe: ($) => seq(choice($.pivot, $.unpivot), opt($._table_alias)),
  aggregate: ($) => prec.right(seq(K('aggregate'), opt($.options), opt($._agg_items), opt($.group_by_clause))),
  _agg_items: ($) => prec.right(seq($.agg_item, repeat(seq(',', $.agg_item)), opt(','))),
  agg_item: ($) => seq($.select_item, opt($._direction)),
  subpipeline: ($) => parens(repeat($.pipe_operator), opt($._eof)),

  // --- expressions ---------------------------------------------------------

  /** An expression that nothing goes on with: told by the scanner, so that all share one set of states. */
  _full: ($) => seq($._expr, $._end),
  // Comparisons do not chain (`a = b = c` is an error), hence two levels: what compares, and what is compared.
  _expr: ($) => choice($._operand, $._compound),
  _compound: ($) => choice(
    alias($._logical, $.binary), alias($._negation, $.unary), alias($._comparison, $.binary),
    $.is, $.in, $.like, $.between, $.quantified, $.lambda, $.alternatives,
  ),
  _operand: ($) => choice(
    $.column, $.string, $.number, $.boolean, $.null, $.parameter, $.system_variable,
    $.typed_literal, $.interval, $.call, $.field_access, $.subscript, $.parenthesized, $.tuple,
    $.subquery, $.case, $.cast, $.extract, $.exists, $.array, $.struct, $.new, $.unary, $.binary,
    $.cast_operator, $.at_time_zone, $.windowed, $.with_expression, $.unpack, $.braced,
  ),
  alternatives: ($) => prec.left(P.alt, seq($._expr, $._alt_operand, $._expr)),
  parenthesized: ($) => parens($._full),
  tuple: ($) => parens($._tuple_item, ',', opt(seq(list($._tuple_item), opt(',')))),
  _tuple_item: ($) => seq($._full, opt(seq(K('as'), field('alias', $._name)))),
  expression_list: ($) => parens(opt(seq($._full, repeat(seq($._comma, $._full)), opt(',')))),
  unpack: ($) => prec(P.unary, seq('**', $._operand)),
  unary: ($) => prec.right(P.unary, seq(field('operator', choice('-', '+', '~')), field('operand', $._operand))),
  _negation: ($) => prec(P.not, seq(field('operator', K('not')), field('operand', $._expr))),
  binary: ($) => choice(
    binary($, P.bitor, '|'),
    binary($, P.bitxor, '^'),
    binary($, P.bitand, '&'),
    binary($, P.shift, choice('<<', '>>')),
    binary($, P.add, choice('+', '-')),
    binary($, P.multiply, choice('*', '/', '||', '%', '//')),
    binary($, P.postfix, choice('->>', '#>>')),
  ),
  _logical: ($) => choice(binary($, P.or, K('or'), $._expr), binary($, P.and, K('and'), $._expr)),
  _comparison: ($) => prec(P.compare, seq(field('left', $._operand),
    field('operator', choice('=', '==', '<', '>', '<=', '>=', '<>', '!=', '<=>', '~', '~*', '!~', '!~*', '@>', '<@', '&&')), field('right', $._operand))),
  lambda: ($) => prec.right(P.lambda, seq(field('parameters', $._operand), '->', field('body', $._expr))),
  is: ($) => prec(P.compare, seq(field('left', $._operand), K('is'), opt(K('not')),
    choice(K('null'), K('true'), K('false'), K('unknown'), $.parameter, seq(K('distinct from'), $._operand)))),
  in: ($) => prec(P.compare, seq(field('left', $._operand), opt(K('not')), K('in'), field('right', choice(
    $.expression_list, $.subquery, $.unnest, $.column, $.parameter)))),
  like: ($) => prec(P.compare, seq(field('left', $._operand), opt(K('not')), choice(any('like', 'ilike', 'rlike', 'regexp', 'glob', 'overlaps'), K('similar to')),
    field('right', choice($._operand, seq(any('any', 'some', 'all'), choice($.expression_list, $.subquery, $.unnest, $.array, $.call)))), opt(seq(K('escape'), $.string)))),
  between: ($) => prec(P.between, seq(field('left', $._operand), opt(K('not')), K('between'), field('low', $._operand), K('and'), field('high', $._operand))),
  quantified: ($) => prec(P.compare, seq(field('left', $._operand), field('operator', choice('=', '<', '>', '<=', '>=', '<>', '!=')), any('any', 'some', 'all'),
    field('right', choice($.expression_list, $.subquery, $.unnest, $.array, $.call)))),
  cast_operator: ($) => prec.left(P.postfix, seq(field('value', $._operand), '::', field('type', $._type))),
  at_time_zone: ($) => prec.left(P.postfix, seq(field('value', $._operand), K('at time zone'), field('zone', $._operand))),
  field_access: ($) => prec.left(P.postfix, seq(field('value', $._operand), choice(seq($._dot, field('field', $._dotted)), seq($._dot_paren, field('field', $._extension)), seq($._colon, field('field', alias($._dot_name, $.identifier)))))),
  // A window of what is no call: `(lead(a)) over (…)`.
  windowed: ($) => prec.left(P.postfix, seq(field('value', choice($.parenthesized, $.case)), field('over', $.over))),
  _extension: ($) => parens($.column),
  subscript: ($) => prec.left(P.postfix, seq(field('value', $._operand), '[', opt(choice(field('index', $._full), seq(opt(field('from', $._full)), ':', opt(field('to', $._full))))), ']')),
  case: ($) => seq(K('case'), field('value', opt($._full)), repeat1($.when), opt(seq(K('else'), field('else', $._full))), K('end')),
  when: ($) => seq(K('when'), field('condition', $._full), K('then'), field('result', $._full)),
  cast: ($) => seq(any('cast', 'safe_cast', 'try_cast'), parens(field('value', $._full), K('as'), field('type', $._type), opt($.collate), opt(seq(K('format'), $._full)), opt(seq(K('at time zone'), $._full)))),
  extract: ($) => seq(K('extract'), parens(field('part', $._full), choice(K('from'), ','), field('value', $._full), opt(seq(K('at time zone'), $._full)))),
  exists: ($) => seq(K('exists'), field('query', $.subquery)),
  array: ($) => choice(
    seq(opt(choice(K('array'), $.array_type)), '[', opt(seq(sep1($._full, $._comma), opt(','))), ']'),
    seq(K('array'), choice($.subquery, $.expression_list))),
  struct: ($) => choice(seq(choice(K('struct'), $.struct_type), alias($._struct_arguments, $.arguments)), seq(choice(K('struct'), $.struct_type), $.braced)),
  _struct_arguments: ($) => parens(opt($._arguments)),
  new: ($) => seq(K('new'), choice($.column, $.array_type, $.struct_type), choice(alias($._struct_arguments, $.arguments), $.braced)),
  braced: ($) => seq('{', repeat(seq(field('name', choice($.column, $.string, $._extension)), choice(seq(':', $._full), prec(2, $.braced)), opt(','))), '}'),
  with_expression: ($) => seq(K('with'), parens(list(seq($._name, K('as'), $._full)), ',', $._full)),
  typed_literal: ($) => seq(field('type', choice(alias($._typed, $.identifier), $.generic_type)), $.string),
  interval: ($) => prec.right(P.unary, seq(K('interval'), field('value', $._full), opt(seq(field('unit', alias($._unit, $.identifier)), opt(seq(K('to'), field('to', alias($._unit, $.identifier)))))))),
  boolean: ($) => any('true', 'false'),
  null: ($) => K('null'),
  parameter: ($) => choice($._parameter, '?'),
  _parameter: ($) => token(choice(/@\s*[A-Za-z_][A-Za-z0-9_]*/, /@\s*`[^`\n]+`/, /@'[^'\n]+'/, /@\"[^\"\n]+\"/, /\$[0-9]+/, /\$[a-z_][a-z0-9_]*/, /:[A-Za-z_][A-Za-z0-9_]*/, /\$\{[^}\n]*\}/, /%\([A-Za-z_]+\)s/)),
  system_variable: ($) => prec.right(seq('@@', alias($._dot_name, $.identifier), repeat(seq($._dot, $._dotted)))),
  number: ($) => token(choice(
    /0[xX][0-9a-fA-F]+/,
    /[0-9][0-9_]*(\.[0-9]*)?([eE][+-]?[0-9]+)?/,
    /\.[0-9]+([eE][+-]?[0-9]+)?/)),
  string: ($) => prec.right(seq($._string_part, repeat($._string_part))),
  _string_part: ($) => choice($._string, $._ds, seq($._jinja_text, $._sc)),
  _jinja_text: ($) => seq(choice($._so, $._do), repeat(choice($._chunk, alias($._output, $.jinja_output)))),

  _callable_word: ($) => alias($._callable, $.function_name),
  _callable: ($) => W($, 'if', 'range', 'left', 'right', 'grouping'),
  _callee: ($) => $.column,
  call: ($) => prec.right(P.call, seq(
    field('function', choice($.function_name, $.field_access, $._callable_word)),
    field('arguments', $.call_arguments),
    repeat($._call_tail),
  )),
  _call_tail: ($) => choice($.within_group, $.filter, seq($._nulls, any('ignore', 'respect'), K('nulls')), seq(K('with group rows'), $.subquery), field('over', $.over)),
  within_group: ($) => seq(K('within group'), parens($.order_by_clause)),
  filter: ($) => seq(alias($._filter, 'filter'), parens($.where_clause)),
  over: ($) => seq(K('over'), choice($.window, $.name_path)),
  call_arguments: ($) => parens(opt(any('distinct', 'all')), opt($._arguments), repeat($.argument_modifier)),
  _arguments: ($) => seq($.argument, repeat(seq($._comma, $.argument)), opt(',')),
  argument: ($) => choice(
    seq(field('value', $._full), opt(seq(K('as'), choice(field('alias', $._label), parens($.column), field('type', choice($.array_type, $.struct_type)))))),
    seq(field('name', choice($._name, W($, 'table', 'model', 'connection', 'graph', 'sequence', 'input'))), choice('=>', ':='),
      field('value', choice($._full, $.table_query, seq(any('model', 'connection', 'sequence'), $.name_path), K('input table')))),
    field('value', choice($.star, $.default_value)),
    seq(any('table', 'model', 'connection', 'graph', 'sequence', 'input'), choice($.name_path, $.table_call, K('default'), K('table'))),
    field('value', alias($._word_column, $.column)),
    seq(field('name', $._full), ':', field('value', $._full)),
    seq(field('value', $._full), K('from'), $._full, opt(seq(K('for'), $._full))),
  ),
  _word_column: ($) => W($, 'model', 'connection', 'graph', 'sequence', 'input'),
  argument_modifier: ($) => choice(
    seq(any('ignore', 'respect'), K('nulls')),
    seq(K('having'), choice(seq(any('max', 'min'), $._full), $._full)),
    $.where_clause, $.group_by_clause, $.order_by_clause, $.limit_clause,
    seq(alias($._clamped, 'clamped'), K('between'), $._full),
    seq(K('with report'), opt($.loose_group)),
  ),

  // --- types ---------------------------------------------------------------

  _type: ($) => prec.right(seq($._type_core, opt($.type_parameters), repeat(choice(seq('[', opt($.number), ']'))))),
  _type_core: ($) => choice($.type, $.array_type, $.struct_type, $.generic_type),
  type: ($) => prec.right(seq(choice($._path, K('interval')), opt(choice($.identifier_words, seq($._interval_part, opt(seq(K('to'), $._interval_part))))))),
  _interval_part: ($) => alias($._unit, $.identifier),
  identifier_words: ($) => choice(K('precision'), K('varying'), $._time_zone),
  _time_zone: () => token(/[wW][iI][tT][hH]([oO][uU][tT])?\s+([lL][oO][cC][aA][lL]\s+)?[tT][iI][mM][eE]\s+[zZ][oO][nN][eE]/),
  type_parameters: ($) => parens(opt(seq(list($._full), opt(',')))),
  array_type: ($) => seq(K('array'), '<', opt($._type_more), '>'),
  struct_type: ($) => seq(K('struct'), '<', opt(seq(list($.struct_field), opt(','))), '>'),
  struct_field: ($) => choice(seq(field('name', $._label), opt(':'), field('type', $._type), repeat($._field_modifier)), seq(field('type', $._type), opt($.collate))),
  _field_modifier: ($) => choice($.collate, $.options, K('not null'), seq(K('comment'), $.string), seq(K('default'), $._full)),
  generic_type: ($) => seq(alias($._generic, $.identifier), '<', opt(choice($._function_type, seq(list($._type_more), opt(',')))), '>'),
  _function_type: ($) => choice(seq(choice($._type_more, parens(opt(list($._type_more)))), '->', $._type_more)),
  _type_more: ($) => seq($._type, opt($.collate)),

  // --- statements ----------------------------------------------------------

  _statement: ($) => choice(
    prec(1, $.query), $._dml, $.truncate_statement,
    $.create_statement, $.alter_statement, $.drop_statement, $.export_data, $.load_data, $.clone_data,
    $.declare_statement, $.set_statement, $.execute_statement, $.transaction_statement, $.call_statement,
    $.block, $.if_statement, $.loop_statement, $.case_statement, $.jump_statement, $.raise_statement,
    $.assert_statement, $.grant_statement, $.command, $.create_entity, $.define_statement, $.explain_statement,
    $.statement_pipe, $.fragment,
  ),
  // A `with` may stand before a change, too.
  _dml: ($) => choice($.insert_statement, $.update_statement, $.delete_statement, $.merge_statement),
  statement_pipe: ($) => repeat1($.pipe_operator),

  // Each optional part doubles the productions of its rule: hence the small rules.
  insert_statement: ($) => seq(opt($.with_clause), $._insert_head, $._insert_target, opt($._insert_source), repeat($._tail)),
  _insert_head: ($) => seq(K('insert'), opt($._insert_mode), opt(K('into')), opt(K('table'))),
  _insert_mode: ($) => choice(seq(K('or'), any('replace', 'update', 'ignore')), any('ignore', 'overwrite', 'replace', 'update')),
  _insert_target: ($) => seq(field('table', $.table_name), opt(seq(K('as'), field('alias', $._name))),
    opt(seq(K('partition'), $.expression_list)), opt(K('if exists'))),
  _insert_source: ($) => choice(field('columns', $.column_list), seq(opt(field('columns', $.column_list)), field('query', choice($.query, K('default values'), $._jinja_name)))),
  _tail: ($) => choice($.on_conflict, $.assert_rows, $.returning),
  on_conflict: ($) => prec.right(seq(K('on conflict'), opt(choice($.expression_list, seq(K('on unique constraint'), $._name))), opt($.where_clause), K('do'),
    choice(K('nothing'), seq(K('update set'), $._assignments, opt($.where_clause))))),
  assert_rows: ($) => seq(K('assert_rows_modified'), $._full),
  returning: ($) => prec.right(seq(choice(K('then return'), K('returning')), opt(seq(K('with action'), opt(seq(K('as'), $._name)))), $._items)),
  update_statement: ($) => prec.right(seq(
    opt($.with_clause), K('update'), $._target, repeat(choice(seq(',', $.table_reference), $.join)), K('set'), $._assignments, repeat($.from_clause), repeat($.where_clause), repeat($._tail))),
  _target: ($) => prec.right(seq(field('table', $.table_name), repeat(choice(seq('[', $._full, ']'), seq($._dot, $._dotted), seq($._dot_paren, $._extension))), opt(choice(seq(K('as'), field('alias', $._name)), field('alias', $._word))),
    opt(seq(K('with offset'), opt(K('as')), opt($._word))))),
  _assignments: ($) => prec.right(seq($._assignment, repeat(seq($._comma, $._assignment)), opt(','))),
  _assignment: ($) => choice($.assignment, parens(choice($.update_statement, $.delete_statement, $.insert_statement))),
  assignment: ($) => seq(field('target', $._assigned), choice('=', ':='), field('value', choice($._full, $.default_value))),
  _assigned: ($) => choice($.column, alias($._assigned_access, $.field_access), $.column_list),
  _assigned_access: ($) => seq($.column, repeat1(choice(seq($._dot, $._dotted), seq($._dot_paren, $._extension), seq('[', $._full, ']')))),
  delete_statement: ($) => prec.right(seq(opt($.with_clause), K('delete'), opt(K('from')), $._target, repeat($.using_tables), repeat($.where_clause), repeat($._tail))),
  using_tables: ($) => seq(K('using'), $._tables),
  merge_statement: ($) => prec.right(seq(
    opt($.with_clause), K('merge'), opt(K('into')), $._target, K('using'), field('source', $.table_reference), $.on_clause, repeat1($.merge_when), opt($.returning))),
  merge_when: ($) => prec.right(seq(K('when'), opt(K('not')), K('matched'), opt(seq(K('by'), any('target', 'source'))), opt(seq(K('and'), $._full)), K('then'),
    choice(
      seq(K('update set'), choice('*', $._assignments)), K('delete'), K('do nothing'),
      seq(K('insert'), choice(K('row'), '*', seq(opt($.column_list), choice(K('row'), seq(K('values'), $.row)))))))),
  truncate_statement: ($) => prec.right(seq(K('truncate'), opt(K('table')), name($), repeat($.where_clause))),

  // Every kind of object is made of the same clauses; which may stand where is not told apart.
  create_statement: ($) => seq($._create_head, opt(name($)), opt(field('columns', $.column_definitions)), repeat($._create_clause), opt($._create_tail)),
  _create_head: ($) => seq(opt($.with_clause), K('create'), opt(K('or replace')), repeat($.modifier), field('kind', $.object_kind), opt(K('if not exists'))),
  _create_tail: ($) => choice(seq('=', field('value', $._full)), 
    // Only reserved words may follow a query: any other is a column after a last comma.
    seq(alias($._as_query, $.as_clause), repeat($._query_property)), seq($.as_clause, repeat(choice($.language, $.options)))),
  _query_property: ($) => choice(seq(K('with'), opt(K('no')), K('data')), seq(K('no'), opt(K('primary')), K('index')), seq(K('on commit'), choice(K('preserve rows'), K('delete rows'), K('drop')))),
  _as_query: ($) => prec.right(seq(K('as'), $.query)),
  modifier: ($) => choice(any('temp', 'temporary', 'public', 'private', 'aggregate', 'materialized', 'external', 'recursive', 'approx', 'live',
    'unique', 'search', 'vector', 'null_filtered', 'transient', 'unlogged', 'secure', 'ai', 'snapshot', 'semantic', 'property', 'global', 'local')),
  object_kind: ($) => choice(
    any('table', 'view', 'function', 'procedure', 'schema', 'database', 'model', 'index', 'constant', 'sequence', 'connection',
      'graph', 'capacity', 'reservation', 'assignment_', 'stage', 'stream', 'task', 'role', 'user', 'type', 'extension', 'trigger', 'macro', 'project', 'policy'),
    K('table function'), K('row access policy'), K('row policy'), K('file format')),
  _create_clause: ($) => choice(
    $.options, $.returns, $.language, $.partition_by, $.cluster_by,
    $.source_clause, $.connection_clause, $.on_target, $.index_clause, $.grant_to, $.filter_using, $.model_part,
    $.property, $.block, $.collate_default),
  collate_default: ($) => seq(K('default'), $.collate),
  column_definitions: ($) => parens(opt(seq($._definition, repeat(seq($._comma, $._definition)), opt(',')))),
  _definition: ($) => choice($.column_definition, $.table_constraint, alias($._unnamed_definition, $.column_definition)),
  _unnamed_definition: ($) => field('type', choice(alias($.any_type, $.type), $.array_type, $.struct_type)),
  column_definition: ($) => seq(opt(any('in', 'out', 'inout')), field('name', $._label), opt(field('type', $._column_type)), repeat($._column_modifier)),
  _column_type: ($) => choice($._type, alias($.any_type, $.type), $.table_type),
  any_type: ($) => seq(K('any'), any('type', 'table', 'model', 'struct', 'array', 'proto', 'enum')),
  table_type: ($) => prec.right(seq(K('table'), opt(seq('<', opt(seq(list($.struct_field), opt(','))), '>')), opt(parens(list($.column_definition))))),
  _column_modifier: ($) => choice(
    $.collate, $.options, K('not null'), K('null'), K('hidden'), K('primary key'), K('unique'), K('not aggregate'), seq(K('as'), field('alias', $._name)),
    seq(K('constraint'), $._name), seq(K('default'), $._full), seq(K('comment'), $.string), K('autoincrement'), K('auto_increment'), K('identity'), K('stored'), K('volatile'),
    $.references, $.check, $._constraint_state, seq(K('character set'), $._name), seq(K('after'), $._name), $.generated, seq(K('as'), parens($._full)), seq(K('fill using'), $._full), seq(K('on update'), $._full),
    seq(any('preceding', 'following'), $._name)),
  generated: ($) => prec.right(seq(K('generated'), opt(choice(K('always'), seq(K('by default'), opt(K('on null'))))), K('as'), choice(seq(K('identity'), opt($.loose_group)), parens($._full)), opt(choice(K('stored volatile'), K('stored'), K('virtual'))))),
  references: ($) => prec.right(seq(K('references'), name($), opt($.column_list), repeat(choice(seq(K('match'), any('simple', 'full')), seq(K('on'), any('update', 'delete'), choice(any('cascade', 'restrict'), K('set null'), K('set default'), K('no action'))), seq(opt(K('not')), K('enforced')))))),
  check: ($) => prec.right(seq(K('check'), parens($._full), repeat(seq(opt(K('not')), K('enforced'))))),
  table_constraint: ($) => prec.right(seq(opt(seq(K('constraint'), field('name', $._name))), choice(
    seq(K('primary key'), parens(opt(list($.order_item)))), seq(K('unique'), opt(K('key')), opt($._label), parens(opt(list($.order_item)))),
    seq(K('foreign key'), $.column_list, $.references),
    $.check), repeat(choice($._constraint_state, $.options)))),
  _constraint_state: ($) => choice(seq(opt(K('not')), any('enforced', 'deferrable', 'valid')), seq(K('initially'), any('deferred', 'immediate')), any('rely', 'norely')),
  options: ($) => seq(K('options'), choice(parens(opt(seq($.option, repeat(seq($._comma, $.option)), opt(',')))), $.struct)),
  option: ($) => seq(field('name', choice($._path, $.string)), choice('=', '+=', '-='), field('value', choice($._full, K('proto')))),
  returns: ($) => prec.right(seq(K('returns'), field('type', $._column_type), opt($.collate))),
  language: ($) => seq(K('language'), field('name', $._name)),
  cluster_by: ($) => prec.right(seq(K('cluster by'), opt(choice(K('auto'))), sep1($._full, $._comma), opt(','))),
  model_queries: ($) => parens(list(seq(field('name', $._full), K('as'), field('query', $.subquery)))),
  as_clause: ($) => prec.right(seq(K('as'), choice($.parenthesized, $.model_queries, seq(K('return'), $._full), prec(-1, $.string), seq(K('replica of'), name($))))),
  source_clause: ($) => prec.right(seq(any('like', 'clone', 'copy'), name($), opt($.system_time), opt($.where_clause))),
  connection_clause: ($) => prec.right(choice(
    K('remote'),
    seq(K('with connection'), choice($.name_path, K('default'))),
    seq(K('with partition columns'), opt($.column_definitions)))),
  on_target: ($) => prec.right(seq(K('on'), name($), opt(field('alias', $._word)), repeat($.index_unnest), opt($.index_keys))),
  index_unnest: ($) => prec.right(seq($.unnest, opt($._table_alias), opt(seq(K('with offset'), opt(K('as')), opt($._word))))),
  index_keys: ($) => parens(choice(seq(any('all', 'auto'), K('columns'), opt(seq(K('with column options'), parens(list(seq($._path, $.options)))))), seq(list(seq($.order_item, opt($.options))), opt(',')))),
  index_clause: ($) => prec.right(choice(seq(K('storing'), $.expression_list), seq(opt(','), K('interleave in'), opt(K('parent')), name($), opt(K('on delete cascade'))))),
  grant_to: ($) => prec.right(seq(opt(K('grant')), K('to'), choice($.expression_list, list($.string)))),
  filter_using: ($) => seq(opt(K('filter')), K('using'), parens($._full)),
  model_part: ($) => choice(seq(any('input', 'output'), $.column_definitions), seq(K('transform'), parens($._items))),
  // The rest of what dialects write after a name: `comment 'x'`, `location = 'y'`, `immutable`.
  property: ($) => prec.right(-1, choice(
    seq(opt(K('not')), any('deterministic', 'immutable', 'stable', 'volatile')),
    seq(K('sql security'), any('invoker', 'definer')),
    seq(K('security'), any('invoker', 'definer')),
    seq(any('comment', 'location'), opt('='), $.string),
    seq(K('row deletion policy'), parens($._full)),
    seq(K('using'), $.identifier),
    seq(any('tblproperties', 'with', 'partitioned by', 'stored as'), choice($.loose_group, $.identifier)),
        seq(any('strict', 'called', 'parallel', 'cascade', 'restrict')),
    seq(K('primary key'), $.expression_list),
    seq(K('on commit'), choice(K('preserve rows'), K('delete rows'), K('drop'))),
    choice(K('modifies sql data'), K('reads sql data'), K('contains sql'), K('no sql')),
    choice(K('no primary index'), seq(K('unique'), opt(K('primary')), K('index'), opt($._name), $.expression_list)),
  )),

  create_entity: ($) => seq(any('create', 'alter', 'drop'), opt(K('or replace')), field('kind', $.identifier), opt($._loose)),
  alter_statement: ($) => prec.right(seq(
    K('alter'), choice(seq(repeat($.modifier), field('kind', $.object_kind), opt(K('if exists')), opt(name($))), K('all row access policies')), opt(seq(K('on'), name($))), list($.alter_action))),
  alter_action: ($) => prec.right(choice(
    seq(K('set'), $.options),
    seq(K('set'), $.collate_default),
    seq(K('set as'), $._full), seq(K('set on delete'), choice(K('cascade'), K('no action'))),
    seq(any('add', 'alter', 'drop'), K('replica'), opt(any('if exists', 'if not exists')), $._name, opt(seq(opt(K('set')), $.options))),
    seq(K('add'), choice(
      seq(K('column'), opt(K('if not exists')), $.column_definition),
      $.column_definition, $.column_definitions,
      seq(K('constraint if not exists'), $._name, choice($.check, seq(choice(K('primary key'), seq(K('unique'), opt(K('key')))), choice($.expression_list, $._name)), seq(K('foreign key'), $.column_list, $.references))),
      $.table_constraint, $.block_item_rest)),
    seq(K('drop'), choice(
      seq(K('column'), opt(K('if exists')), field('column', $._name)),
      seq(K('constraint'), opt(K('if exists')), $._name),
      K('primary key'), seq(K('primary key if exists')), K('row deletion policy'), K('row deletion policy if exists'), seq(K('if exists partition'), $.expression_list), $.block_item_rest)),
    seq(K('alter'), choice(seq(opt(K('column')), opt(K('if exists')), field('column', $.column), $._column_change), seq(K('constraint'), opt(K('if exists')), $._name, choice(seq(opt(K('not')), K('enforced')), seq(K('set'), $.options))))),
    seq(K('rename'), choice(seq(opt(K('column')), opt(K('if exists')), field('column', $.column), K('to'), field('new_name', $._name)), seq(K('to'), field('new_name', $.name_path)))),
    seq(any('add', 'replace'), K('row deletion policy'), opt(K('if exists')), parens($._full)),
    $.grant_to, $.filter_using, seq(K('revoke from'), choice(K('all'), $.expression_list)),
    seq(K('owner to'), $._name),
  )),
  block_item_rest: ($) => seq(any('search', 'vector', 'rebuild', 'generated', 'partition'), opt($.loose_group)),
  _column_change: ($) => choice(
    seq(K('set'), choice($.options, seq(K('data type'), $._type, repeat($._column_modifier), opt(seq(K('using'), $._full))), seq(K('default'), $._full), K('not null'), $.generated)),
    seq(K('drop'), choice(K('not null'), K('default'), K('generated'))),
    seq(opt(K('type')), $._type, repeat($._column_modifier), opt(seq(K('using'), $._full)))),

  drop_statement: ($) => prec.right(seq(
    any('drop', 'undrop'), choice(seq(repeat($.modifier), field('kind', $.object_kind)), K('all row access policies'), K('all row policies')),
    opt(K('if exists')), opt(seq(name($), repeat(seq(',', $.name_path)))), opt(field('columns', $.column_definitions)),
    repeat(choice(seq(K('on'), name($)), any('cascade', 'restrict'), $.system_time, $.options)))),

  export_data: ($) => prec.right(seq(K('export'), choice(K('data'), seq(K('model'), name($)), seq(opt($.identifier), K('metadata from table'), name($))),
    repeat(choice($.connection_clause, $.options)), opt(seq(K('as'), field('query', $.query))))),
  load_data: ($) => prec.right(seq(K('load data'), opt(seq(opt(K('local')), K('inpath'), $.string)), any('into', 'overwrite'), opt(any('temp', 'temporary')), opt(K('table')), name($),
    repeat(choice(seq(opt(K('overwrite')), K('partitions'), parens($._full)), seq(K('partition'), $.expression_list), seq(any('inputformat', 'serde'), $.string), $.column_definitions, $.partition_by, $.cluster_by, $.options, $.connection_clause, seq(K('from files'), $.options_body), $.collate_default)))),
  options_body: ($) => parens(opt(seq(list($.option), opt(',')))),
  clone_data: ($) => seq(K('clone data into'), name($), K('from'), sep1($.clone_source, K('union all'))),
  clone_source: ($) => seq(name($), opt($.system_time), opt($.where_clause)),

  declare_statement: ($) => prec.right(seq(K('declare'), list(field('name', $._name)), opt(field('type', $._type)), opt(seq(K('default'), field('value', $._full))))),
  set_statement: ($) => prec.right(seq(K('set'), opt(any('global', 'session', 'local')), choice(
    seq($._set_target, choice('=', ':='), field('value', $._full)),
    seq($.column_list, '=', field('value', $._full)),
    seq(K('transaction'), $._loose)))),
  _set_target: ($) => field('name', choice($.name_path, $.parameter, $.system_variable)),
  execute_statement: ($) => prec.right(seq(K('execute immediate'), field('sql', $._full), opt(seq(K('into'), list(field('into', $._name)))), opt(seq(K('using'), list(seq(field('using', $._full), opt(seq(K('as'), field('alias', $._name))))))))),
  transaction_statement: ($) => prec.right(choice(
    seq(choice(K('begin transaction'), K('begin work'), K('start transaction'), K('start batch'), K('run batch'), K('abort batch')), opt(list($.transaction_mode)), opt($.identifier)),
    seq(any('commit', 'rollback'), opt(any('transaction', 'work'))))),
  transaction_mode: ($) => choice(K('read only'), K('read write'), seq(K('isolation level'), choice(K('serializable'), K('snapshot'), K('repeatable read'), seq(K('read'), $.identifier)))),
  call_statement: ($) => prec.right(seq(K('call'), $.table_call, repeat($.pipe_operator))),
  block: ($) => prec.right(seq(opt($.label), K('begin'), opt($._statements), opt($.exception), K('end'), opt($._word))),
  exception: ($) => seq(K('exception when error then'), opt($._statements)),
  label: ($) => seq($._word, ':'),
  if_statement: ($) => seq(K('if'), field('condition', $._full), K('then'), opt($._statements),
    repeat(seq(K('elseif'), field('condition', $._full), K('then'), opt($._statements))),
    opt(seq(K('else'), opt($._statements))), K('end if')),
  case_statement: ($) => seq(K('case'), opt($._full), repeat1(seq(K('when'), field('condition', $._full), K('then'), opt($._statements))), opt(seq(K('else'), opt($._statements))), K('end case')),
  loop_statement: ($) => prec.right(seq(opt($.label), choice(
    seq(K('loop'), opt($._statements), K('end loop')),
    seq(K('while'), field('condition', $._full), K('do'), opt($._statements), K('end while')),
    seq(K('repeat'), opt($._statements), K('until'), field('condition', $._full), K('end repeat')),
    seq(K('for'), field('name', $._name), K('in'), field('query', $.subquery), K('do'), opt($._statements), K('end for'))), opt($._word))),
  jump_statement: ($) => prec.right(seq(any('break', 'leave', 'continue', 'iterate', 'return'), opt($._word))),
  raise_statement: ($) => prec.right(seq(K('raise'), opt(seq(K('using message'), '=', $._full)))),
  assert_statement: ($) => prec.right(seq(K('assert'), $._full, opt(seq(K('as'), $.string)))),
  grant_statement: ($) => prec.right(seq(any('grant', 'revoke'), $._loose)),
  define_statement: ($) => choice(
    seq(K('define table'), name($), $.options_body),
    seq(K('define'), opt(K('private')), K('macro'), field('name', $.identifier), field('body', opt($.macro_body)))),
  explain_statement: ($) => prec.right(seq(K('explain'), $._statement)),
  // Whatever else a file may hold; its words are not understood.
  command: ($) => prec.right(seq(any('describe', 'desc', 'show', 'analyze', 'import', 'module', 'rename', 'use', 'pragma', 'vacuum', 'optimize', 'copy', 'comment', 'refresh',
    'cache', 'uncache', 'unset', 'attach', 'detach', 'install', 'reset', 'put', 'get', 'list', 'rm', 'msck', 'summarize', 'execute', 'prepare', 'deallocate', 'kill', 'lock', 'add', 'run'), opt($._loose), repeat($.pipe_operator))),
  _loose: ($) => prec.right(repeat1($._loose_token)),
  _loose_token: ($) => choice(reserved('none', $.identifier), alias($._bt, $.identifier), $.string, $.number, $.parameter, $.system_variable, $._jinja_name,
    '=', ',', '.', '*', '-', ':', '/', '+', '>', '<', '->', '=>', $.loose_group),
  loose_group: ($) => choice(parens(opt($._loose)), seq('[', opt($._loose), ']')),

  // Only in files with Jinja: what a macro expands to need not be a statement.
  fragment: ($) => prec.right(seq($._fragment, $._fragment_body)),
  _fragment_body: ($) => choice(
    ',', seq(opt(choice(',', any('and', 'or', 'union'), seq(K('union'), any('all', 'distinct')), '=', '||')), $._items, repeat($._fragment_clause)),
    repeat1(choice($._fragment_clause, $.join))),
  _fragment_clause: ($) => choice($.from_clause, $.where_clause, $.group_by_clause, $.having_clause, $.qualify_clause, $.order_by_clause, $.limit_clause, $.on_clause,
    $.partition_by, $.cluster_by, $.options, $.over),

  // --- Jinja ---------------------------------------------------------------

  // An extra can't be part of a rule, too: the generator takes it for an extra everywhere.
  jinja_output: ($) => seq(choice(alias($._open, '{{'), alias($._open_alone, '{{')), opt($._jinja_list), alias($._close, '}}')),
  _output: ($) => seq(alias($._open, '{{'), opt($._jinja_list), alias($._close, '}}')),
  // One that joins two queries.
  _set_output: ($) => seq(alias($._open_set, '{{'), opt($._jinja_list), alias($._close, '}}')),
  _open: () => token(/\{\{[-+]?/),
  _close: () => token(/[-+]?\}\}/),
  jinja_tag: ($) => tag($),
  _alt_as: ($) => tag($, $._aa),
  _alt_tag: ($) => tag($, $._ai),
  _operand_tag: ($) => seq($._ao, tag($)),
  _break_tag: ($) => tag($, $._bk),
  _tag: () => token(/\{%[-+]?/),
  _tag_close: () => token(/[-+]?%\}/),
  _tag_name: ($) => choice($._jinja_word, any('if', 'else')),
  _jinja_word: ($) => reserved('jinja', $.identifier),
  _jinja_list: ($) => seq($._jinja_argument, repeat(seq(',', $._jinja_argument)), opt(',')),
  _jinja_argument: ($) => choice($._jinja, $.keyword_argument),
  keyword_argument: ($) => seq(field('name', $._jinja_target), '=', field('value', $._jinja)),
  _jinja_target: ($) => $._jinja,
  _jinja: ($) => choice($._jinja_word, alias($._jinja_strings, $.string), $.number, $.jinja_call, $.attribute, $.jinja_subscript, alias($.jinja_tuple, $.tuple),
    $.jinja_list, $.dictionary, $.operation, $.jinja_filter, $.conditional, $.test),
  _jinja_strings: ($) => prec.left(repeat1($._jinja_string)),
  jinja_call: ($) => prec.left(20, seq(field('function', $._jinja), field('arguments', $.jinja_arguments))),
  jinja_arguments: ($) => parens(opt($._jinja_list)),
  attribute: ($) => prec.left(20, seq(field('object', $._jinja), '.', field('attribute', choice(reserved('none', $.identifier), $.number)))),
  jinja_subscript: ($) => prec.left(20, seq(field('object', $._jinja), '[', opt($._jinja), opt(seq(':', opt($._jinja))), ']')),
  jinja_tuple: ($) => parens(opt($._jinja_list)),
  jinja_list: ($) => seq('[', opt($._jinja_list), ']'),
  dictionary: ($) => seq('{', opt(seq(sep1($.pair, ','), opt(','))), '}'),
  pair: ($) => seq(field('key', $._jinja), ':', field('value', $._jinja)),
  jinja_filter: ($) => prec.left(18, seq(field('value', $._jinja), '|', field('filter', $._jinja_word), opt(field('arguments', $.jinja_arguments)))),
  operation: ($) => choice(
    prec.left(10, seq(field('left', $._jinja), K('or'), field('right', $._jinja))),
    prec.left(11, seq(field('left', $._jinja), K('and'), field('right', $._jinja))),
    prec.left(13, seq(field('left', $._jinja), choice('==', '!=', '<', '>', '<=', '>=', K('in'), K('not in')), field('right', $._jinja))),
    prec.left(14, seq(field('left', $._jinja), choice('~', '+', '-', '*', '/', '//', '%', '**'), field('right', $._jinja))),
    prec(12, seq(K('not'), $._jinja)),
    prec(19, seq(choice('-', '+'), $._jinja)),
    prec(19, seq(choice('*', '**'), $._jinja)),
  ),
  test: ($) => prec.left(13, seq(field('value', $._jinja), K('is'), opt(K('not')), field('test', $._jinja_test))),
  _jinja_test: ($) => prec.left(seq(choice($._jinja_word, K('in')), opt(choice($.jinja_arguments, $._jinja_word, alias($._jinja_string, $.string), $.number)))),
  conditional: ($) => prec.right(5, seq(field('value', $._jinja), K('if'), field('condition', $._jinja), opt(seq(K('else'), field('else', $._jinja))))),

  _h: () => token(/@\s*\{/),
  hint: ($) => choice(seq(alias($._h, '@{'), opt(seq(sep1($.hint_entry, ','), opt(','))), '}'), token(/@[0-9]+/)),
  hint_entry: ($) => seq(field('name', $._path), '=', field('value', $._full)),
  comment: () => token(choice(/--[^\n\r]*/, /#[^\n\r]*/, seq('/*', /[^*]*\*+([^/*][^*]*\*+)*/, '/'), seq('{#', /[^#]*#+([^#}][^#]*#+)*/, '}'))),

  identifier: () => /[A-Za-z_\u00aa-\u1fff\u2c00-\u2fff\u3005-\ud7ff\uf900-\ufdff][A-Za-z0-9_$\u00aa-\u1fff\u2c00-\u2fff\u3005-\ud7ff\uf900-\ufdff]*/,
};

// An optional end belongs to the innermost rule that can have it. What is written out elsewhere has the
// precedence of that place, which one of its own would hide.
for (const [rule, body] of Object.entries(rules).filter(([rule]) => rule !== '_expr')) {
  rules[rule] = ($) => {
    const made = body($);
    return made.type?.startsWith('PREC') || made instanceof RegExp || made.type === 'TOKEN' ? made : prec.right(made);
  };
}

// Which words are keywords is told by the rules themselves.
const listed = new Proxy({}, { get: (_, property) => ({ type: 'SYMBOL', name: property }) });
Object.values(rules).forEach((rule) => rule.call(listed, listed));
for (const word of keywords) {
  const pattern = [...word].map((c) => (/[a-z]/.test(c) ? `[${c}${c.toUpperCase()}]` : c)).join('');
  rules['_' + word.toUpperCase()] = () => new RegExp(pattern);
}
// The generator tells keywords from the word token only where they come before it.
const word = rules.identifier;
delete rules.identifier;
rules.identifier = word;
const symbols = ($, words) => words.filter((w) => keywords.has(w)).map((w) => $['_' + w.toUpperCase()]);

module.exports = grammar({
  name: 'googlesql',
  word: ($) => $.identifier,
  extras: ($) => [/[ \t\r\n\f\v\u00a0\u2000-\u200b\u3000\ufeff]/, $.comment, $.jinja_tag, $.jinja_output, $.hint, $._j, $.raw],
  externals: ($) => [
    // The first is in no rule: a string that has no end, where the parser has lost its way.
    $._unclosed, $._end, $._eof, $._nulls, $._bk, $._ao, $._ai, $._aa, $._fragment, $._j, $.raw,
    $._string, $._ds, $._bt, $._so, $._do, $._bo, $._chunk, $._sc,
    $._jinja_string, $._pr, $._middle, $._suffix, $._name_end, $._dashed, $._dot_star,
    $._body_end, $._set_mode, $._star_except, $._dot_paren, $.macro_body, $._open_set, $._open_alone,
    $._typed, $._pivot, $._unpivot, $._match_recognize, $._align, $._sample, $._filter, $._clamped,
    $._offset, $._top, $._join_word, $._generic, $._unit, $._full_stop, $._dot_name, $._colon,
  ],
  reserved: { global: ($) => symbols($, RESERVED), jinja: ($) => symbols($, JINJA), none: () => [] },
  supertypes: () => [],
  // Jinja tags may stand everywhere, so that the generator leaves no reduction of one child out:
  // these are the frequent ones.
  inline: ($) => [$._expr, $._dot, $._comma, $._alt, $._dotted, $._name, $._label, $._word, $._path, $._string_part],
  conflicts: ($) => [],
  rules,
});
