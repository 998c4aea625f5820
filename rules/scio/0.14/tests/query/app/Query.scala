import com.spotify.scio.bigquery.types.BigQueryType
object A {
  @BigQueryType.fromQuery("select 1")
  class Row
  val q = Row.query
}
