//! Words that BigQuery reserves, and functions that are called without parentheses, which would be read instead of
//! a column: no column is called by one without quotes.
//!
//! Must not: tell dialects apart: what is in the list is held in all. A word that another one reserves does not parse
//! there.

const WORDS: &str = "all and any array as asc assert_rows_modified at between by case cast check collate column constraint \
    contains create cross cube current current_date current_time current_timestamp current_user default define desc distinct \
    else end enum escape except exclude exists extract false fetch following for from full group grouping groups hash having \
    if ignore in inner intersect interval into is join lateral left like limit localtime localtimestamp lookup merge natural \
    new no not null nulls of on or order outer over partition preceding proto qualify range recursive references respect right \
    rollup rows select session_user set some struct system_user table tablesample then to treat true unbounded union unique \
    unnest user using when where window with within";

/// Whether a name is such a word.
pub(super) fn is_word_of_sql(name: &str) -> bool {
    WORDS.split_whitespace().any(|word| word.eq_ignore_ascii_case(name))
}
