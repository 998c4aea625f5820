import com.spotify.scio.schemas.Schema
object A { val s = Schema.fromAvroSchema(x) }
