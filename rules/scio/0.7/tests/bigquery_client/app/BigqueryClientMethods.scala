import com.spotify.scio.bigquery.BigQueryClient
object A { val c: BigQueryClient = x; c.getTableRows(t) }
