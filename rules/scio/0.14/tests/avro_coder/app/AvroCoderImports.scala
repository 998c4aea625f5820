import com.spotify.scio.coders.Coder.avroGenericRecordCoder
object A { val c = avroGenericRecordCoder }
