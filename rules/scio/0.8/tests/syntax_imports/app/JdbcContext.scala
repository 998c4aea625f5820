import com.spotify.scio.jdbc.JdbcScioContext
object A { def f(sc: JdbcScioContext) = sc }
