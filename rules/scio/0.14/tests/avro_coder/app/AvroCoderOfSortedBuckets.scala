import com.spotify.scio.ScioContext
import org.apache.avro.generic.GenericRecord
import org.apache.beam.sdk.extensions.smb.AvroSortedBucketIO
object A { def f(sc: ScioContext, r: AvroSortedBucketIO.Read[GenericRecord]) = sc.sortMergeGroupByKey(k, r) }
