import com.spotify.scio.values.SCollection
object A { def f(s: SCollection[String]) = s.saveAsPubsub("t", maxBatchSize = 1) }
