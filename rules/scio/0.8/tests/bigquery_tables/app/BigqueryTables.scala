import com.spotify.scio.ScioContext
import com.spotify.scio.bigquery._
object A { def f(sc: ScioContext) = sc.bigQueryTable("p:d.t") }
