import com.spotify.scio.ScioContext
object A { def f(sc: ScioContext) = { val ranges = Seq(r); sc.bigtable("p", "i", "t", ranges) } }
