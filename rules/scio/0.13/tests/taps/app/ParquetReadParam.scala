import com.spotify.scio.parquet.types.ParquetTypeIO
object A { val p = ParquetTypeIO.ReadParam[T](x) }
