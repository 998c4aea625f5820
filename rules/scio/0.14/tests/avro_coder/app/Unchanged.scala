package jobs

import com.spotify.scio.ScioContext
import com.spotify.scio.values.SCollection

object Unchanged {
  def others(sc: ScioContext): SCollection[Other] = sc.parallelize(Seq(new Other))
}
