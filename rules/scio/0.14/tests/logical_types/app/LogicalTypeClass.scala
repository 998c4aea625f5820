import com.spotify.scio.parquet.avro.LogicalTypeSupplier
import org.apache.hadoop.conf.Configuration
object A {
  val c = new Configuration()
  c.setClass(K, classOf[LogicalTypeSupplier], classOf[D])
  c.set(a, b)
}
