import com.spotify.scio.ScioContext
object A { def f(sc: ScioContext) = sc.pubsubTopic[String]("t", "id") }
