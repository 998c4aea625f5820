import com.spotify.scio.ScioContext
object A { def f(sc: ScioContext) = sc.sortMergeJoin(classOf[CharSequence], a, b) }
