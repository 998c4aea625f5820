import com.spotify.scio.io.{ScioIO, Tap}
import com.spotify.scio.values.SCollection
import scala.concurrent.Future
class IO extends ScioIO[T] {
  def write(data: SCollection[T], params: P): Future[Tap[T]] = ???
}
