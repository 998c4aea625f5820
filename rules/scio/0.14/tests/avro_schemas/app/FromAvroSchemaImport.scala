import com.spotify.scio.schemas.Schema.fromAvroSchema
object A { val s = fromAvroSchema(x) }
