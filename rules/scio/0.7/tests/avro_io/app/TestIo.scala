import com.spotify.scio.testing.{PipelineSpec, TextIO}
class T { f(TextIO("a")) }
