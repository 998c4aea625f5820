import com.spotify.scio.values.SCollection
import org.apache.avro.generic.GenericRecord
object A { def f(): SCollection[(String, GenericRecord)] = x }
