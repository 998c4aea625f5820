import com.spotify.scio.values.SCollection
object A { def f(a: SCollection[T], b: SCollection[T]) = a.skewedJoin(b, 9000, seed = 42) }
