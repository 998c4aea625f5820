import com.spotify.scio.testing._
import org.apache.avro.generic.GenericRecord
class T extends PipelineSpec { JobTest[J.type].input(IO[GenericRecord]("a"), Seq()) }
