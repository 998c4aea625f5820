import com.spotify.scio._

object A { def f(sc: ScioContext) = sc.map(g).saveAsBigQuery("p:d.t") }
