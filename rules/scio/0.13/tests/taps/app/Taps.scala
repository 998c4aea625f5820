import com.spotify.scio.io.TextTap
object A { val t = TextTap("a") }
