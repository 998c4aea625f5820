import com.spotify.scio.pubsub.PubsubIO
object A { val io = PubsubIO.readAvro[R]("t") }
