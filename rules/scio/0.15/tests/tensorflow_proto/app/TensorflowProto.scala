import org.tensorflow.proto.example.{Example, Feature}
object A
