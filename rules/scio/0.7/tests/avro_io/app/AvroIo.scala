package a
import com.spotify.scio.testing.AvroIO
class R
class T {
  val in: List[R] = x
  test.input(AvroIO("p"), in)
}
