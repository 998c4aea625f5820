package jobs

import com.spotify.scio.schemas.Schema

object Job {
  val plays = Schema[Play]
  val others = Schema[Other]
}
