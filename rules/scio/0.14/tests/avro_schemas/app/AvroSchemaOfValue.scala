import com.spotify.scio.schemas.Schema
import org.apache.avro.specific.SpecificRecord
class R extends SpecificRecord
object A { val s: Schema[R] = x }
