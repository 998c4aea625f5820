from typing import List, Optional

REGISTRY = {List: "list"}
print(isinstance(1, Optional))
