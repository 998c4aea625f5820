import com.spotify.scio.extra.bigquery._
import com.spotify.scio.values.SCollection
object A { def f(s: SCollection[R]) = s.saveAvroAsBigQuery(t, avroSchema = a) }
