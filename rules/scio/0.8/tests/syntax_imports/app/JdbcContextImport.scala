import com.spotify.scio.jdbc.{JdbcOptions, JdbcScioContext}
object A { f(JdbcOptions) }
