import com.spotify.scio._
object A {
  def f(sc: ScioContext): ScioResult = {
    sc.run()
  }
}
