import com.spotify.scio.io.Taps
object A { val a = sys.props(Taps.ALGORITHM_KEY) }
