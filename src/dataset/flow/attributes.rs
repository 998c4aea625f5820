//! What a new name, or an expression, can't be written as in code: attributes that every frame has, functions
//! that are not there, placeholders.
//!
//! Must not: note a use.

use std::ops::Range;

use super::Flow;
use super::shape::{Shape, shape};
use super::value::Mention;
use crate::dataset::mapping::Becomes;
use crate::dataset::usage::{Doubt, Of};
use crate::dataset::word::{is_name, words};

/// Public attributes of a data frame of pandas, beside those that are followed.
const PANDAS: &str = "abs add align all any apply at attrs axes bool clip combine corr cov cummax cummin cumprod cumsum \
    diff div divide dot droplevel duplicated eq equals ewm expanding explode ffill bfill flags floordiv ge get gt hist iat \
    idxmax idxmin infer_objects info insert interpolate isetitem isin isna isnull items iterrows join keys kurt kurtosis le lt \
    map mask mod mode mul multiply ndim ne notna notnull nunique pad pct_change pivot plot pop pow prod product quantile radd \
    rank reindex replace resample rfloordiv rmod rmul rolling round rpow rsub rtruediv select_dtypes sem set_axis set_flags \
    shape shift skew sparse squeeze stack std style sub subtract sum swapaxes swaplevel take transform transpose truediv \
    truncate tz_convert tz_localize unstack update value_counts values var where xs T";

/// Those of a data frame of Spark.
const SPARK: &str = "agg alias approxQuantile cache checkpoint coalesce colRegex collect columns corr count cov createTempView \
    createGlobalTempView createOrReplaceTempView createOrReplaceGlobalTempView crossJoin crosstab cube describe distinct drop \
    dropDuplicates dropDuplicatesWithinWatermark drop_duplicates dropna dtypes exceptAll executionInfo exists explain fillna \
    filter first foreach foreachPartition freqItems groupBy groupby groupingSets head hint id inputFiles intersect \
    intersectAll isEmpty isLocal isStreaming is_cached join lateralJoin limit localCheckpoint mapInArrow mapInPandas melt \
    mergeInto metadataColumn na observe offset orderBy pandas_api persist plot printSchema randomSplit rdd registerTempTable \
    repartition repartitionByRange repartitionById replace rollup sameSemantics sample sampleBy scalar schema select \
    selectExpr semanticHash show sort sortWithinPartitions sparkSession sql_ctx stat storageLevel subtract summary tail take \
    to toArrow toDF toJSON toLocalIterator toPandas transform transpose union unionAll unionByName unpersist unpivot where \
    withColumn withColumnRenamed withColumns withColumnsRenamed withMetadata withWatermark write writeStream writeTo";

/// Whether a data frame, of whichever library, has an attribute of its own of this name.
pub(super) fn is_of_frames(name: &str) -> bool {
    let named = || [PANDAS, SPARK].iter().any(|all| all.split_whitespace().any(|one| one == name));
    super::spark::is_method(name) || super::pandas::is_method(name) || named()
}

impl<'t> Flow<'t> {
    /// Names that code can't spell where the old one stands.
    pub(super) fn check_new_name(
        &mut self,
        source: usize,
        of: &Of,
        mention: &Mention<'t>,
        range: &Range<usize>,
        language: &str,
    ) {
        let mapping = &self.datasets.mappings[self.datasets_of[source]];
        let Of::Column(column) = of else { return };
        let column = &mapping.columns[*column];
        let bare = !matches!(shape(mention.name), Shape::Text);
        match &column.becomes {
            Becomes::To(new) if bare && *new != column.name && !is_attribute(new) => {
                let why = format!("{new} can't be written as an attribute: it means something else");
                self.doubt(source, Doubt::annotate(range.clone(), why));
            }
            Becomes::Expressions(all) => {
                let Some(expression) = all.get(language) else { return };
                let text = expression.write(|_| String::new());
                let missing = self.missing(&text);
                if language == "scala" && mention.whole.text().starts_with('_') {
                    let why = "the function of a placeholder would end within the expression";
                    self.doubt(source, Doubt::annotate(range.clone(), why));
                }
                if let Some(word) = missing {
                    let why = format!("the expression speaks of {word}, which is not imported here");
                    self.doubt(source, Doubt::annotate(range.clone(), why));
                }
            }
            _ => {}
        }
    }

    /// A name that an expression calls, or has something of, and that the file neither has nor imports.
    fn missing(&self, expression: &str) -> Option<String> {
        let known = |word: &str, called: bool| {
            BUILTINS.contains(&word)
                || self.imported(word).is_some()
                || called && !self.wildcards.is_empty()
                || self.tree.iter().any(|node| node.field_name() == Some("name") && node.text() == word)
        };
        words(expression, false).into_iter().find_map(|(at, word)| {
            let next = expression[at + word.len()..].chars().next();
            let begins = matches!(next, Some('(' | '.')) && !expression[..at].ends_with('.');
            let begins = begins && !word.starts_with(|c: char| c.is_ascii_digit());
            (begins && !known(word, next == Some('('))).then(|| word.to_owned())
        })
    }
}

/// Functions and types that are there without an import.
const BUILTINS: [&str; 27] = [
    "str",
    "int",
    "float",
    "bool",
    "bytes",
    "dict",
    "list",
    "set",
    "sorted",
    "len",
    "round",
    "abs",
    "min",
    "max",
    "sum",
    "String",
    "Number",
    "Boolean",
    "Date",
    "BigInt",
    "parseInt",
    "parseFloat",
    "Math",
    "Some",
    "Option",
    "Long",
    "Integer",
];

/// Whether a name can be written behind a dot, and means a column there.
fn is_attribute(name: &str) -> bool {
    let means_more = is_of_frames(name);
    is_name(name) && !name.starts_with(char::is_numeric) && !means_more && !KEYWORDS.contains(&name)
}

/// Words that no attribute may be.
const KEYWORDS: [&str; 24] = [
    "from", "class", "import", "def", "return", "lambda", "global", "is", "in", "not", "and", "or", "with", "as",
    "type", "val", "var", "object", "package", "default", "case", "match", "new", "this",
];
