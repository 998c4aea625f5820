import com.spotify.scio.values.SCollection
object A { def f(s: SCollection[T]) = s.saveAsTfExampleFile("p") }
