package jobs

import org.apache.avro.specific.SpecificRecord

class Play extends SpecificRecord
class Other
