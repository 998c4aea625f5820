// What Scio and the libraries around it declare: as much of it as the rules ask for.
package com.spotify.scio
class ScioContext {
  def textFile(path: String): com.spotify.scio.values.SCollection[String]
  def avroFile[T](path: String): com.spotify.scio.values.SCollection[T]
  def typedAvroFile[T](path: String): com.spotify.scio.values.SCollection[T]
  def objectFile[T](path: String): com.spotify.scio.values.SCollection[T]
  def protobufFile[T](path: String): com.spotify.scio.values.SCollection[T]
  def parquetAvroFile[T](path: String): com.spotify.scio.values.SCollection[T]
  def typedBigQuery[T](): com.spotify.scio.values.SCollection[T]
  def bigQueryTable(table: String): com.spotify.scio.values.SCollection[com.google.api.services.bigquery.model.TableRow]
  def bigQuerySelect(query: String): com.spotify.scio.values.SCollection[com.google.api.services.bigquery.model.TableRow]
  def tableRowJsonFile(path: String): com.spotify.scio.values.SCollection[com.google.api.services.bigquery.model.TableRow]
  def tfRecordExampleFile(path: String): com.spotify.scio.values.SCollection[org.tensorflow.example.Example]
  def pubsubSubscription[T](sub: String): com.spotify.scio.values.SCollection[T]
  def pubsubTopic[T](topic: String): com.spotify.scio.values.SCollection[T]
  def parallelize[T](elems: scala.collection.Iterable[T]): com.spotify.scio.values.SCollection[T]
  def empty[T](): com.spotify.scio.values.SCollection[T]
  def run(): ScioExecutionContext
  def close(): ScioExecutionContext
}
object ScioContext { def apply(): ScioContext }
class Args { def apply(key: String): String }
object ContextAndArgs { def apply(args: scala.Array[String]): (ScioContext, Args) }
class ScioExecutionContext {
  def waitUntilFinish(): ScioResult
  def waitUntilDone(): ScioResult
  def isCompleted: scala.Boolean
}
class ScioResult

package com.spotify.scio.values
class SCollection[T] {
  def map[U](f: T => U): SCollection[U]
  def flatMap[U](f: T => scala.collection.Iterable[U]): SCollection[U]
  def collect[U](f: T => U): SCollection[U]
  def filter(f: T => Boolean): SCollection[T]
  def distinct: SCollection[T]
  def distinctBy[U](f: T => U): SCollection[T]
  def union(that: SCollection[T]): SCollection[T]
  def ++(that: SCollection[T]): SCollection[T]
  def sample(withReplacement: scala.Boolean, fraction: scala.Double): SCollection[T]
  def take(n: scala.Long): SCollection[T]
  def keyBy[K](f: T => K): SCollection[(K, T)]
  def count: SCollection[scala.Long]
  def countByValue: SCollection[(T, scala.Long)]
  def debug(): SCollection[T]
  def withName(name: String): SCollection[T]
  def setCoder(coder: com.spotify.scio.coders.Coder[T]): SCollection[T]
  def intersection(that: SCollection[T]): SCollection[T]
  def subtract(that: SCollection[T]): SCollection[T]
  def keys: SCollection[_]
  def values: SCollection[_]
  def groupByKey: SCollection[_]
  def reduceByKey(op: (T, T) => T): SCollection[_]
  def countByKey: SCollection[_]
  def mapValues[U](f: T => U): SCollection[_]
  def flatMapValues[U](f: T => U): SCollection[_]
  def join[W](rhs: SCollection[W]): SCollection[_]
  def leftOuterJoin[W](rhs: SCollection[W]): SCollection[_]
  def rightOuterJoin[W](rhs: SCollection[W]): SCollection[_]
  def fullOuterJoin[W](rhs: SCollection[W]): SCollection[_]
  def hashJoin[W](rhs: SCollection[W]): SCollection[_]
  def cogroup[W](rhs: SCollection[W]): SCollection[_]
}

package com.spotify.scio.coders
class Coder[T]
object Coder {
  def apply[T]: Coder[T]
  def avroGenericRecordCoder: Coder[org.apache.avro.generic.GenericRecord]
}

package com.spotify.scio.testing
class PipelineSpec {
  def JobTest[T]: com.spotify.scio.testing.JobTest.Builder
}
object JobTest {
  def apply[T]: com.spotify.scio.testing.JobTest.Builder
  class Builder {
    def args(options: String): Builder
    def input[T](io: Any, value: scala.collection.Iterable[T]): Builder
    def inputStream[T](io: Any, stream: Any): Builder
    def output[T](io: Any): Builder
    def counter(name: Any): Builder
    def run(): scala.Unit
  }
}

package com.spotify.scio.bigquery
class Table
object Table {
  class Spec(spec: String) extends com.spotify.scio.bigquery.Table
  class Ref(ref: com.google.api.services.bigquery.model.TableReference) extends com.spotify.scio.bigquery.Table
}
class BigQueryClient
object BigQueryClient {
  def defaultInstance(): BigQueryClient
  def apply(project: String): BigQueryClient
}

package com.spotify.scio.smb.util
class SMBMultiJoin
object SMBMultiJoin { def apply(sc: com.spotify.scio.ScioContext): SMBMultiJoin }

package org.apache.beam.sdk.extensions.smb
object AvroSortedBucketIO {
  class Read[T] {
    def from(path: String): Read[T]
    def withPredicate(f: Any): Read[T]
  }
  def read[T](tag: org.apache.beam.sdk.values.TupleTag[T], record: Any): AvroSortedBucketIO.Read[T]
}
object ParquetAvroSortedBucketIO {
  class Read[T] {
    def from(path: String): Read[T]
  }
  def read[T](tag: org.apache.beam.sdk.values.TupleTag[T], record: Any): ParquetAvroSortedBucketIO.Read[T]
}

package org.apache.beam.sdk.values
class TupleTag[T]

package com.spotify.scio.pubsub
class PubsubIO[T]
object PubsubIO

package com.google.protobuf
trait Message
class DynamicMessage extends Message

package com.google.api.services.bigquery.model
class TableReference
class TableRow
