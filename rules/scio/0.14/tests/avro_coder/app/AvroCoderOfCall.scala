import com.spotify.scio.coders.Coder
import org.apache.avro.specific.SpecificRecord
object A {
  def f[T <: SpecificRecord : Coder](t: T): Unit = ???
  f(x)
}
