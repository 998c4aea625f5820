import com.spotify.scio.avro.{AvroIO, AvroTyped}
object A { val c = AvroIO(x) }
