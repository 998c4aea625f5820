import com.spotify.scio.values.SCollection
object A { def f(s: SCollection[Int]) = s.top(10, Ordering.Int) }
