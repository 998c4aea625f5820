import com.spotify.scio.parquet.ParquetConfiguration
import com.spotify.scio.parquet.avro.LogicalTypeSupplier
object A {
  f("a", conf = ParquetConfiguration.of(K -> classOf[LogicalTypeSupplier]))
  f("a", ParquetConfiguration.of((K, classOf[LogicalTypeSupplier]), L -> 1))
}
