//! Values that may not reach every position, as `filter = "annotate"` says: under the names
//! that frames give them, and out of what is followed.
//!
//! Must not: note a use.

use super::Flow;
use super::shape::{Callee, Shape, shape};
use super::use_of_value::{around, counts};
use super::value::{Data, Hit, Inner, Mention, Value};
use crate::dataset::mapping::{At, Position};
use crate::dataset::usage::{Doubt, Of};
use crate::dataset::word::words;
use crate::tree::Node;

/// Functions and methods that show a value to people.
const SHOWS: [&str; 12] =
    ["print", "println", "printf", "info", "debug", "warn", "warning", "error", "trace", "write", "echo", "show"];

/// Whether a call shows its arguments to people. `log` does where it is a logger's; elsewhere it calculates.
pub(super) fn shows(callee: Callee<'_>) -> bool {
    match callee {
        Callee::Method { object, name } if name.text() == "log" => {
            let object = object.text().to_ascii_lowercase();
            object.ends_with("console") || object.ends_with("logger")
        }
        Callee::Method { name, .. } | Callee::Value(name) => SHOWS.contains(&name.text()),
    }
}

impl<'t> Flow<'t> {
    /// The position of what is read at `node`: what is compared decides, wherever it stands.
    pub(super) fn position_of(&self, node: Node<'t>, position: Position) -> Position {
        match position {
            Position::Read if self.is_compared(node) => Position::Filter,
            Position::Read if groups(node) => Position::Group,
            position => position,
        }
    }

    /// What a name stands for, of its parts and of the column whose value it has.
    pub(super) fn inner(parts: Option<(usize, usize)>, bound: Option<(usize, usize)>) -> Inner {
        match (parts, bound) {
            (_, Some((source, column))) => Inner::Carried(source, column),
            (Some((source, column)), None) => Inner::Fields(source, column),
            (None, None) => Inner::Own,
        }
    }

    fn column_at(&self, source: usize, column: usize) -> &'t crate::dataset::mapping::Column {
        let datasets = self.datasets;
        &datasets.mappings[self.datasets_of[source]].columns[column]
    }

    /// Whether rules alone say what becomes of what is read of a source.
    fn is_by_rules(&self, source: usize) -> bool {
        self.datasets.mappings[self.datasets_of[source]].by_rules
    }

    /// The column that a name of `data` is, or carries, if its value may not reach every
    /// position.
    pub(super) fn bound_in(&self, data: &Data, name: &str) -> Option<(usize, usize)> {
        match self.hit(data, name) {
            Hit::Column(source, column) | Hit::Carried(source, column) => {
                self.column_at(source, column).is_bound().then_some((source, column))
            }
            _ => None,
        }
    }

    /// As [`Flow::bound_in`], of a mention whose value goes on.
    pub(super) fn bound_by(&self, mention: &Mention<'t>, data: &Data) -> Option<(usize, usize)> {
        let (name, range) = self.spelled(mention)?;
        if counts(mention.whole) {
            return None;
        }
        let first = name.split('.').next().unwrap_or(&name);
        if Self::is_expression(mention) {
            return words(&name, false).into_iter().find_map(|(_, word)| self.bound_in(data, word));
        }
        let read = || {
            let known = self.noted.get(&(range.start, range.end))?;
            known.iter().find_map(|(source, one)| match one.of {
                Of::Column(column) if self.column_at(*source, column).is_bound() => Some((*source, column)),
                _ => None,
            })
        };
        if mention.read { read() } else { self.bound_in(data, first) }
    }

    /// The value of a column comes to a position under a name of its own.
    pub(super) fn reach(&mut self, source: usize, column: usize, node: Node<'t>, position: Position) {
        let position = self.position_of(node, position);
        let known = self.column_at(source, column);
        let at = known.at(position);
        if at != At::Map && !self.is_by_rules(source) {
            let doubt = Doubt::annotate(node.range(), known.held_at(position));
            self.doubt(source, Doubt { refuses: at == At::Refuse, ..doubt });
        }
    }

    /// The value of a column goes on where it is not followed, if that matters.
    pub(super) fn doubt_bound(&mut self, source: usize, column: usize, node: Node<'t>) {
        let known = self.column_at(source, column);
        if known.is_bound() && !self.is_by_rules(source) {
            let why = known.held_as_it_goes_on("its value goes on where it is not followed");
            self.doubt(source, Doubt::annotate(node.range(), why));
        }
    }

    /// What becomes of a value that is read at `node`.
    pub(super) fn value_goes(&mut self, node: Node<'t>, source: usize, column: usize) {
        // What is compared itself is noted as that; what is calculated of it and compared then is not.
        if self.column_at(source, column).is_bound() && !self.is_compared(node) && goes_on(node) {
            self.doubt_bound(source, column, node);
        }
    }

    /// As [`Flow::value_goes`], of a mention in a row or a frame.
    pub(super) fn value_of_mention(&mut self, mention: &Mention<'t>, data: &Data) {
        let Some((name, _)) = self.spelled(mention) else { return };
        if let Hit::Column(source, column) | Hit::Carried(source, column) = self.hit(data, &name) {
            self.value_goes(mention.whole, source, column);
        }
    }

    /// A value of which something goes on under a name of its own is not followed any more.
    pub(super) fn lose(&mut self, value: &Value<'t>, node: Node<'t>) {
        match value {
            Value::Frame(frame) | Value::Grouped(frame, _) => self.lose_names(&frame.data, node),
            Value::Row(row) => self.lose_names(&row.data, node),
            Value::Many(inner) => self.lose(inner, node),
            Value::Tuple(all) | Value::Either(all) => all.iter().for_each(|one| self.lose(one, node)),
            _ => {}
        }
    }

    fn lose_names(&mut self, data: &Data, node: Node<'t>) {
        for inner in data.names.values() {
            if let Inner::Carried(source, column) = *inner {
                self.doubt_bound(source, column, node);
            }
        }
    }
}

/// Methods of series that ask which values are the same.
const GROUPS: [&str; 6] = ["value_counts", "unique", "drop_duplicates", "duplicated", "mode", "distinct"];

fn groups(node: Node<'_>) -> bool {
    around(node).is_some_and(|parent| match shape(parent) {
        Shape::Member { object, name } => object.id == node.id && GROUPS.contains(&name.text()),
        Shape::Call { callee: Callee::Method { object, name }, .. } => {
            object.id == node.id && GROUPS.contains(&name.text())
        }
        _ => false,
    })
}

/// Whether a value goes on from where it is read, other than to be shown or counted.
fn goes_on(node: Node<'_>) -> bool {
    let mut at = node;
    for _ in 0..64 {
        let Some(parent) = around(at) else { return false };
        let is = |other: Node<'_>| other.id == at.id;
        at = match shape(parent) {
            Shape::Operator(word, _) if super::use_of_value::compares(&word) => return true,
            Shape::Operator(word, _) if matches!(word.as_str(), "+" | "-" | "*" | "/" | "%" | "//") => parent,
            Shape::Same(_) | Shape::Text | Shape::Sequence(_) => parent,
            Shape::Member { object, name } if is(object) || is(name) => {
                if counts(at) {
                    return false;
                }
                if super::use_of_value::compares(name.text()) {
                    return true;
                }
                parent
            }
            Shape::Call { callee: Callee::Method { object, name }, arguments } if is(object) || is(name) => {
                if is(object) && counts(at) {
                    return false;
                }
                if is(object) && super::use_of_value::compares(name.text()) {
                    return true;
                }
                // What a function does with it is not followed.
                if is(object) && !arguments.is_empty() {
                    return true;
                }
                parent
            }
            Shape::Call { callee: Callee::Value(name), .. } if is(name) => parent,
            Shape::Call { callee, .. } => return !shows(callee),
            Shape::Block(..) => return false,
            // What is put into a text.
            Shape::Other(_) if parent.kind().contains("interpolation") || parent.kind().contains("substitution") => {
                parent
            }
            _ => return true,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use crate::dataset::flow::tests::{MOVES, SPARK, moved, spark, spark_stays, stays};

    #[test]
    fn a_policy_of_positions_follows_the_value() {
        let filter = "does not let tier move in this position (filter)";
        for code in [
            "for r in {t}.groupBy('tier').count().collect():\n    if r.tier == 3:\n        print(r['count'])\n",
            "x = {t}.withColumn('t', F.col('tier'))\nprint(x.filter(F.col('t') == 3).count())\n",
            "x = {t}.withColumnRenamed('tier', 't')\nprint(x.filter('t = 3').count())\n",
            "x = {t}.select('user_id', F.col('tier').alias('t'))\nx.filter(x.t > 3).count()\n",
            "c = F.col('tier')\n{t}.select((c == 3).alias('x')).count()\n",
            "x = {t}.select(F.array_contains('tier', 3).alias('x'))\nx.count()\n",
            "x = {t}.select(F.expr('tier + 1').alias('t'))\nx.where(x.t == 3).count()\n",
            "x = {t}.groupBy('user_id').agg(F.max('tier').alias('t'))\nx.where(F.col('t').isin(1, 2)).count()\n",
        ] {
            let code = code.replace("{t}", "spark.table('a.users_v1')");
            let (text, why) = moved("python", &format!("{SPARK}{code}"));
            assert!(text.ends_with(&code), "{text}");
            assert!(why.iter().any(|why| why.contains(filter) || why.contains("names are not all")), "{code}{why:?}");
        }
        let lost = "does not let tier move in every position";
        for code in [
            "for r in spark.table('a.users_v1').collect():\n    t = r.tier\n    print(t == 3)\n",
            "def f(r):\n    return r.tier\nfor r in spark.table('a.users_v1').collect():\n    f(r)\n",
            "train(spark.table('a.users_v1').select('tier', 'user_id'))\n",
            // What is written is read by nobody knows whom.
            "spark.table('a.users_v1').select(F.col('tier').alias('t')).write.parquet('x')\n",
            // What is calculated of it is compared, or goes on.
            "for r in spark.table('a.users_v1').collect():\n    print(r.tier + 1 == 3)\n",
            "for r in spark.table('a.users_v1').collect():\n    print(f'{r.tier}' == '3')\n",
            "for r in spark.table('a.users_v1').collect():\n    print(math.log(r.tier) > 2)\n",
            "import pandas as pd\nu = pd.read_parquet('gs://lake/users_v1')\nprint((u['tier'] + 1 == 3).sum())\n",
            "import pandas as pd\nu = pd.read_parquet('gs://lake/users_v1')\nt = u['tier']\nprint((t == 3).sum())\n",
            "rows = q('select user_id, tier from a.users_v1')\nfor r in rows:\n    print(r.tier == 3)\n",
            "for u, x in q('select user_id, tier from a.users_v1'):\n    print(x == 3)\n",
            "for r in q('select user_id, tier from a.users_v1'):\n    print(r[1] == 3)\n",
            "x = spark.table('a.users_v1').select(F.expr('tier + 1 as t'))\nx.where(x.t == 3).count()\n",
        ] {
            spark_stays(code, lost);
        }
        let scala = "object J { def f(sc: ScioContext) = sc.bigQueryTable(Table.Spec(\"p:a.users_v1\"))";
        stays("scala", &format!("{scala}.map(_.getLong(\"tier\")).filter(_ == 3) }}"), lost);
        let field = "package a\ntype row struct { UserTier int }\nfunc f() { r := q(`select tier as user_tier from a.users_v1`); g(r.UserTier == 3) }\n";
        stays("go", field, "what this does with it is not followed");
        for go in ["rows.Scan(&u, &x)", "x := rows[1]"] {
            let go = format!("package a\nfunc f() {{ rows := q(`select user_id, tier from a.users_v1`); {go} }}\n");
            stays("go", &go, "reads what queries give by its place");
        }
        let grouped = "import pandas as pd\nu = pd.read_parquet('gs://lake/users_v1').rename(columns={'tier': 't'})\ng = u.groupby('user_id').t.max()\nprint((g == 3).sum())\n";
        spark_stays(grouped, "does not let tier move");
        spark_stays(
            "w = Window.partitionBy('band')\nspark.table('a.users_v1').withColumn('n', F.row_number().over(w)).count()\n",
            "does not let band move in this position (group)",
        );
        stays("scala", &format!("{scala}.map(r => {{ val t = r.getLong(\"tier\"); t > 3 }}) }}"), lost);
    }

    #[test]
    fn a_value_under_a_policy_moves_where_it_is_only_read() {
        let tier = ("tier", "segment");
        spark("for r in spark.table('a.users_v1').collect():\n    print(f'{r.tier}', r.tier)\n", &[MOVES, tier, tier]);
        spark(
            "x = spark.table('a.users_v1').withColumn('t', F.col('tier')).where(F.col('user_id') == 3)\nx.select('t').show()\n",
            &[MOVES, tier],
        );
        spark("rows = q('select user_id, tier from a.users_v1')\nsave(rows)\n", &[("tier", "segment as tier"), MOVES]);
    }
}
