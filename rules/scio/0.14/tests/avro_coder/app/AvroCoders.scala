import com.spotify.scio.coders.Coder
object A { val c = Coder.avroGenericRecordCoder(schema) }
