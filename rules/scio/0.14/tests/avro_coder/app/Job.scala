package jobs

import com.spotify.scio.ScioContext
import com.spotify.scio.values.SCollection

object Job {
  // Play is a record, which another file says.
  def plays(sc: ScioContext): SCollection[Play] = sc.parallelize(Seq(new Play))
}
