import com.spotify.scio.ScioContext
import org.apache.avro.generic.GenericRecord
object A { def f(sc: ScioContext, r: GenericRecord) = sc.parallelize(Seq(r)) }
