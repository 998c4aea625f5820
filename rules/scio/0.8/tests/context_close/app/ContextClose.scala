import com.spotify.scio.ContextAndArgs
object A { val (sc, args) = ContextAndArgs(argv); sc.close() }
