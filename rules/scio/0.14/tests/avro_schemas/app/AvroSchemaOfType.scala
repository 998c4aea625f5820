import com.spotify.scio.schemas.Schema
import org.apache.avro.specific.SpecificRecord
class R extends SpecificRecord
object A {
  def f[T : Schema](): T = ???
  f[R]()
}
