import com.spotify.scio.pubsub.PubsubIO
import com.google.protobuf.Message
class M extends Message
object A { val io = PubsubIO[M]("t"); val s = PubsubIO[String]("t") }
