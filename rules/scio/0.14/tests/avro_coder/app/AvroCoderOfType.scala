import com.spotify.scio.coders.Coder
import org.apache.avro.generic.GenericRecord
object A {
  def f[T : Coder](): T = ???
  f[GenericRecord]()
}
