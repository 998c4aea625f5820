import com.spotify.scio.io.dynamic._
import com.spotify.scio.values.SCollection
object A { def f(s: SCollection[R]) = s.saveAsDynamicAvroFile("", a)(g) }
