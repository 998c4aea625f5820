import com.spotify.scio.values.SCollection
import org.apache.avro.Schema
import org.apache.avro.generic.GenericRecord
object A { def f(s: SCollection[GenericRecord], a: Schema) = s.saveAsAvroFile("p", 1, a, "x") }
