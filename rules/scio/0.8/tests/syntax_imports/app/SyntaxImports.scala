import com.spotify.scio.bigquery.toBigQueryScioContext
object A
