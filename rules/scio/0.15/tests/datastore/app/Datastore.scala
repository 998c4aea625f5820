import com.spotify.scio.datastore.DatastoreIO
object A { val io = DatastoreIO("p") }
