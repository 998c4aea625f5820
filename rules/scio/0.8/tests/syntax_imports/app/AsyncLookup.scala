import com.spotify.scio.transforms.AsyncLookupDoFn
class F extends AsyncLookupDoFn[A, B, C]
