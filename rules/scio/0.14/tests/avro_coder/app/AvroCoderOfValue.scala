import com.spotify.scio.coders.Coder
import org.apache.avro.generic.GenericRecord
object A { val c: Coder[GenericRecord] = x }
