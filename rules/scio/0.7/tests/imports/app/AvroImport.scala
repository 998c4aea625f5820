import com.spotify.scio._

object A { def f(sc: ScioContext) = sc.avroFile[R]("a") }
