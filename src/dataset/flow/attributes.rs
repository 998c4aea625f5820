//! Attributes that every frame has: a column of such a name is not read by it.
//!
//! Must not: know which of them are followed.

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
